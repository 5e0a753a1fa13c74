"""Programs of other packages that tests run: promtool, amtool, chromium."""

import shutil

import pytest


def program(*names: str) -> str:
    """The path of the first of `names` that is on PATH, else in the directories of an administrator.

    Without any, the test is skipped by name, which is a failure where CONTACTMETER_NO_SKIP is set (tests/conftest.py).
    """
    for name in names:
        found = shutil.which(name) or shutil.which(name, path="/usr/local/sbin:/usr/sbin:/sbin")
        if found:
            return found
    pytest.skip(f"{' or '.join(names)} is not installed here; .ci/run installs it")
