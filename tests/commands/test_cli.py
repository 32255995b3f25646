"""The command line as a whole."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from hailwhale import __version__
from hailwhale.cli import MODULES, main
from tests.deploy.running import DEADLINE_S

COMMANDS = [
    *("serve", "hail", "whale", "drain", "count", "totals", "plotpoints", "rank"),
    *("subdimensions", "decide", "reasons", "journal", "evaluate", "quantiles", "demo", "pixel"),
    *("graph", "tokens", "keys", "doctor", "import", "tail", "export", "alerts", "report"),
    *("statsd", "dead-letters", "forget", "completion", "man"),
]


def test_help_has_a_line_for_each_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["-h"])
    assert re.findall(r"^    ([\w-]+)  +\w", capsys.readouterr().out, re.MULTILINE) == COMMANDS


@pytest.mark.parametrize("module", MODULES)
def test_a_module_adds_the_commands_it_is_listed_with(module: str) -> None:
    subparsers = argparse.ArgumentParser().add_subparsers()
    import_module(f"hailwhale.commands.{module}").add_parser(subparsers)
    assert tuple(subparsers.choices) == MODULES[module]


def test_a_call_imports_the_module_of_its_command_alone(tmp_path: Path) -> None:
    code = "import sys; from hailwhale.cli import main; main(['keys', 'new']); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    imported = set(done.stdout.split())
    assert "hailwhale.commands.security.keys" in imported
    assert not {"numpy", "bottle", "hailwhale.commands.serve.command"} & imported


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help_of_its_own(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main([command, "--help"])
    assert capsys.readouterr().out.startswith(f"usage: hailwhale {command} [-h]")


def test_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out == f"hailwhale {__version__}\n"


def test_no_command_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([])
    assert capsys.readouterr().err.startswith("usage: hailwhale [-h] [--version] COMMAND ...\n")


def test_a_closed_pipe_is_not_an_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    found = subprocess.run(
        [sys.executable, "-m", "hailwhale.cli", "doctor", "--redis-url", "redis://127.0.0.1:1"],
        stdout=writing,
        stderr=subprocess.PIPE,
        timeout=DEADLINE_S,
        check=False,
    )
    os.close(writing)
    assert (found.returncode, found.stderr) == (0, b"")
