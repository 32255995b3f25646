"""The command line as a whole."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from hailwhale import __version__
from hailwhale.cli import main
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


def test_a_reader_that_has_seen_enough_is_no_fault() -> None:
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
