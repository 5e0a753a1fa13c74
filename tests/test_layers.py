"""Who may import whom: the contracts in pyproject.toml hold, and each of them notices a violation."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("schemas", "connectors", "pipeline", "dashboards", "deploy")


def lint(directory: Path, contract: str | None = None) -> tuple[int, str]:
    """Exit code and output of import-linter on the packages in `directory`."""
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache", "--no-logo"]
    if contract:
        command += ["--contract", contract]
    result = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False, timeout=120)
    return result.returncode, result.stdout + result.stderr


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("layers")
    shutil.copy(ROOT / "pyproject.toml", directory)
    for package in PACKAGES:
        shutil.copytree(ROOT / package, directory / package, ignore=lambda folder, names: {n for n in names if is_data(Path(folder, n))})
    return directory


def is_data(path: Path) -> bool:
    return path.name == "__pycache__" or (path.is_file() and path.suffix != ".py")


def test_the_contracts_hold() -> None:
    code, output = lint(ROOT)
    assert code == 0, output


@pytest.mark.parametrize(
    ("contract", "module", "statement"),
    [
        ("schemas", "schemas/planted.py", "import pipeline.calendars"),
        ("connectors", "connectors/planted.py", "from pipeline import calendars"),
        ("pipeline", "pipeline/planted.py", "from connectors import protocol"),
        ("pipeline", "pipeline/planted.py", "import deploy.local"),
        ("cli", "pipeline/planted.py", "import pipeline.cli"),
        ("dashboards", "dashboards/planted.py", "import pipeline.calendars"),
        ("deploy", "deploy/local/planted.py", "import connectors.protocol"),
        ("faust", "connectors/planted.py", "import faust"),
        ("clickhouse", "pipeline/planted.py", "def late() -> None:\n    import clickhouse_connect"),
        ("pure", "pipeline/calendars.py", "import asyncio"),
        ("pure", "pipeline/calendars.py", "from kafka.errors import KafkaError"),
    ],
)
def test_a_contract_notices_a_violation(copy: Path, contract: str, module: str, statement: str) -> None:
    path = copy / module
    before = path.read_text() if path.exists() else None
    path.write_text(f"{before or ''}\n{statement}\n")
    try:
        code, output = lint(copy, contract)
    finally:
        path.unlink()
        if before is not None:
            path.write_text(before)
    assert code == 1
    assert "BROKEN" in output, output


@pytest.mark.parametrize("statement", ["import connectors.protocol", "import deploy.local", "import dashboards"])
def test_the_composition_root_may_import_everything(copy: Path, statement: str) -> None:
    path = copy / "pipeline" / "cli" / "planted.py"
    path.write_text(f"{statement}\n")
    try:
        code, output = lint(copy, "pipeline")
    finally:
        path.unlink()
    assert code == 0, output
