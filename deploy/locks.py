"""Whether the lock files still hold what pyproject.toml asks for: `python -m deploy.locks --check`."""

import re
import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
SETS = {"base": ("build",), "local": ("build", "local"), "dev": ("build", "local", "dev")}
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", re.MULTILINE)


def faults(root: Path = ROOT) -> list[str]:
    """What is wrong with the lock files, one sentence each; empty when nothing is."""
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    found = []
    for name, extras in SETS.items():
        path = root / "deploy" / "requirements" / f"{name}.txt"
        text = path.read_text()
        pins = {canonicalize_name(package): version for package, version in _PIN.findall(text)}
        wanted = [*project["dependencies"], *(line for extra in extras for line in project["optional-dependencies"][extra])]
        for line in wanted:
            requirement = Requirement(line)
            version = pins.get(canonicalize_name(requirement.name))
            if version is None or version not in requirement.specifier:
                found.append(f"{path.name}: {line} is asked for, {version or 'nothing'} is locked; run make lock")
        if text.count("--hash=sha256:") < len(pins):
            found.append(f"{path.name}: a package has no hash; run make lock")
        if "://" in text:
            found.append(f"{path.name}: it names a host; packages are asked for by name")
    return found


def main() -> int:
    """Print every fault; exit code 1 when there is one."""
    wrong = faults()
    for fault in wrong:
        print(fault, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
