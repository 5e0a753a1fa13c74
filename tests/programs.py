"""Programs of other packages that tests run: promtool, amtool, prometheus, chromium."""

import shutil
from collections.abc import Mapping
from typing import Final

import pytest

PACKAGES: Final[Mapping[str, str]] = {
    "amtool": "prometheus-alertmanager",
    "prometheus-alertmanager": "prometheus-alertmanager",
    "prometheus": "prometheus",
    "promtool": "prometheus",
    "chromium": "chromium",
}
"""The package of Debian and Ubuntu that has each."""


def program(*names: str) -> str:
    """The path of the first of `names` that is on PATH, else in the directories of an administrator.

    Without any, the test is skipped and says which package has the first one; where CONTACTMETER_NO_SKIP is set (CI) it fails so.
    """
    for name in names:
        found = shutil.which(name) or shutil.which(name, path="/usr/local/sbin:/usr/sbin:/sbin")
        if found:
            return found
    pytest.skip(f"{names[0]} is not on PATH: install it (Debian: apt install {PACKAGES[names[0]]}) and run this again")
