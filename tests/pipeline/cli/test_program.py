"""The program: every command is there, and asking for one loads only what it needs."""

import subprocess
import sys
from importlib.metadata import version

import pytest
import typer
from typer.testing import CliRunner

from pipeline.cli import _MODULES, program

COMMANDS = [command for commands in _MODULES.values() for command in commands]


def names(app: typer.Typer) -> list[str]:
    return list(typer.main.get_group(app).commands)


def test_the_help_lists_every_command() -> None:
    assert sorted(names(program())) == sorted(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_comes_with_those_of_its_module(command: str) -> None:
    assert tuple(names(program(command))) == next(commands for commands in _MODULES.values() if command in commands)


def test_what_is_no_command_gets_all_of_them() -> None:
    assert sorted(names(program("wroker"))) == sorted(COMMANDS)


def test_it_says_its_version() -> None:
    answer = CliRunner().invoke(program("--version"), ["--version"])
    assert (answer.exit_code, answer.stdout) == (0, f"contactmeter {version('contactmeter')}\n")


def test_a_worker_does_without_the_other_commands() -> None:
    script = "import sys; from pipeline.cli import program; program('worker'); sys.exit('pipeline.cli.stack' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
