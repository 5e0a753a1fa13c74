"""Who runs a command: what the trail of decisions names."""

import getpass
import os


def actor() -> str:
    """The name of the user, else its number (in a container users need have no name)."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return f"user {os.getuid()}"
