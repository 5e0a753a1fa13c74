"""The documentation is true to the code: commands, options, targets, variables, reasons, measures, links."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from pipeline.answers import measure_of
from pipeline.cli import program
from pipeline.norms import REASONS
from pipeline.store import migrate
from schemas.batch import _REASONS
from schemas.norm import AppliesTo, Norm
from tests.docs.pages import MEASURES, OPERATIONS, PAGES, README, ROOT, anchors_of, code_of, first_cells, prose_of, text_of

COMMANDS = {
    name: command
    for first, group in typer.main.get_group(program()).commands.items()
    for name, command in {first: group, **{f"{first} {second}": one for second, one in getattr(group, "commands", {}).items()}}.items()
}
"""Every command by its words; those of a group (`rejects list`) beside the group itself."""
PACKAGES = ("schemas", "connectors", "pipeline", "dashboards", "deploy", "tests", "benchmarks")


def ids(path: Path) -> str:
    return path.name


def sources(*patterns: str) -> Iterator[Path]:
    for package in PACKAGES:
        for pattern in patterns:
            yield from (ROOT / package).rglob(pattern)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_described(name: str) -> None:
    assert any(re.search(rf"contactmeter {name}\b", code_of(path)) for path in PAGES)


@pytest.mark.parametrize("path", PAGES, ids=ids)
def test_commands_and_options_exist(path: Path) -> None:
    for line in code_of(path).splitlines():
        for first, second, rest in re.findall(r"\bcontactmeter ([a-z]+)\b(?: ([a-z]+)\b)?([^#`]*)", line):
            assert first in COMMANDS, line
            grouped = hasattr(COMMANDS[first], "commands") and second
            name = f"{first} {second}" if grouped else first
            assert name in COMMANDS, line
            known = {option for parameter in COMMANDS[name].params for option in parameter.opts} | {"--help"}
            assert set(re.findall(r"(?<!\S)(--?[a-z][a-z-]*)", rest)) <= known, line


@pytest.mark.parametrize("path", PAGES, ids=ids)
def test_make_targets_exist(path: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", text_of(ROOT / "Makefile"), re.MULTILINE))
    named = set(re.findall(r"(?:^|`)\s*make ([a-z]+)", code_of(path), re.MULTILINE))
    assert named <= targets


def test_readme_names_every_make_target_but_help() -> None:
    targets = set(re.findall(r"^([a-z]+):.*##", text_of(ROOT / "Makefile"), re.MULTILINE)) - {"help"}
    assert targets == set(re.findall(r"^\s*make ([a-z]+)", code_of(README), re.MULTILINE))


def test_settings_are_described() -> None:
    settings = text_of(ROOT / "pipeline" / "settings.py")
    names = {f"CONTACTMETER_{name}" for name in re.findall(r'(?:text|number|limit|switch)\("([A-Z_]+)"', settings)}
    names |= {f"CONTACTMETER_{name}{end}" for name in re.findall(r'_secret\(environment, "([A-Z_]+)"', settings) for end in ("", "_FILE")}
    assert len(names) > 10
    assert names <= set(re.findall(r"CONTACTMETER_[A-Z_]+", code_of(README) + code_of(OPERATIONS)))


@pytest.mark.parametrize("path", PAGES, ids=ids)
def test_variables_exist(path: Path) -> None:
    known = set(re.findall(r"CONTACTMETER_[A-Z_]+", "\n".join(text_of(source) for source in sources("*.py"))))
    known |= {f"CONTACTMETER_{name}" for name in re.findall(r'"([A-Z_]+)"', text_of(ROOT / "pipeline" / "settings.py"))}
    assert set(re.findall(r"CONTACTMETER_[A-Z_]+", text_of(path))) <= known


def literals(module: str, error: str, position: int) -> set[str]:
    """The texts given as one argument of every `error(…)` in a module."""
    calls = [node for node in ast.walk(ast.parse(text_of(ROOT / module))) if isinstance(node, ast.Call)]
    arguments = [call.args[position] for call in calls if isinstance(call.func, ast.Name) and call.func.id == error]
    return {argument.value for argument in arguments if isinstance(argument, ast.Constant) and isinstance(argument.value, str)}


def reasons() -> set[str]:
    """Every reason for which a record or an event is refused."""
    found = set(_REASONS.values()) | {"wrong_type"}
    for module in ("schemas/batch.py", "pipeline/decode.py"):
        found |= literals(module, "InvalidRecord", 0) | literals(module, "InvalidEvent", 2)
    return found


def test_every_reason_of_a_reject_is_explained_and_no_other() -> None:
    assert len(reasons()) > 20
    assert first_cells(MEASURES, "reason") == reasons()


def test_every_defect_is_explained_and_no_other() -> None:
    appended = [
        node.args[0]
        for module in ("contacts.py", "timeline.py")
        for node in ast.walk(ast.parse(text_of(ROOT / "pipeline" / module)))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "append"
        and "defects" in ast.dump(node.func.value)
    ]
    assert appended
    assert first_cells(MEASURES, "defect") == {argument.value for argument in appended if isinstance(argument, ast.Constant)}


def test_every_exclusion_is_explained_and_no_other() -> None:
    assert first_cells(MEASURES, "excluded because") == set(REASONS)


def test_every_field_of_a_norm_is_explained() -> None:
    told = {name for row in re.findall(r"^\| (`.*?) \|", text_of(MEASURES), re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
    assert set(Norm.model_fields) - {"id", "title", "priority", "source"} <= told
    section = text_of(MEASURES).split("**Conditions**")[1].split("**Stop**")[0]
    assert set(AppliesTo.model_fields) - {"channels"} <= set(re.findall(r"`(\w+)`", section))


def test_every_measure_is_explained_and_no_other() -> None:
    """The measures of the view `contributions_of`; that the worker adds the same ones is tested elsewhere."""
    view = text_of(ROOT / "pipeline" / "store" / "migrations" / "0003_contacts.sql").split("CREATE VIEW contributions_of")[1]
    found = set(re.findall(r"\[\('([a-z]+)'", view)) | {f"{prefix}<id>" for prefix in re.findall(r"concat\('(norm(?:_mean)?:)'", view)}
    assert "concat('answer:'" in view
    assert first_cells(MEASURES, "measure") == found | {measure_of("<instrument>", 0, "<aspect>").replace(":0:", ":<version>:")}


def test_every_view_is_explained() -> None:
    migrations = Path(migrate.__file__).parent / "migrations"
    views = {name for path in migrations.glob("*.sql") for name in re.findall(r"VIEW contactmeter_views\.(\w+)", text_of(path))}
    assert views
    assert {name.partition("(")[0] for name in first_cells(MEASURES, "view")} == views


@pytest.mark.parametrize("path", PAGES, ids=ids)
def test_links_resolve(path: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose_of(path)):
        if "://" not in target:
            file, _, anchor = target.partition("#")
            page = (path.parent / file).resolve() if file else path
            assert page.exists(), target
            assert not anchor or anchor in anchors_of(page), target


@pytest.mark.parametrize("path", PAGES, ids=ids)
def test_files_named_exist(path: Path) -> None:
    for name in re.findall(rf"`((?:{'|'.join((*PACKAGES, 'docs'))})/[\w./-]+)`", prose_of(path)):
        assert (ROOT / name).exists(), name


def test_sections_that_the_code_names_exist() -> None:
    named = [
        (source.name, page, section)
        for source in sources("*.py", "*.sql", "*.yaml")
        for page, section in re.findall(r'docs/([A-Z]+\.md), "([^"\n]+)"', text_of(source))
    ]
    assert named
    for source, page, section in named:
        assert re.search(rf"^#+ {re.escape(section)}$", text_of(ROOT / "docs" / page), re.MULTILINE), (source, page, section)
