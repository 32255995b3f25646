"""The manual page: it tells of every command, option and setting, and troff takes it as it is."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import fields
from pathlib import Path

import pytest

from hailwhale.cli import main, parser
from hailwhale.commands.man import manual
from hailwhale.settings import Settings
from tests.deploy.running import DEADLINE_S

PAGE = manual(parser())
PLAIN = PAGE.replace(r"\-", "-")


def help_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit, match="0"):
        main([*arguments, "--help"])
    return capsys.readouterr().out


def test_the_manual_has_every_command_and_option_of_the_help(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    commands = re.findall(r"^    ([\w-]+)  +\w", help_of(capsys), re.MULTILINE)
    sections = dict(
        re.findall(r'^\.SS "hailwhale ([\w-]+)"\n(.*?)(?=^\.S)', PLAIN, re.MULTILINE | re.DOTALL)
    )
    assert list(sections) == commands
    assert len(commands) > 25
    for command in commands:
        options = set(
            re.findall(r"^  (?:-\w, )?(--[\w-]+)", help_of(capsys, command), re.MULTILINE)
        )
        told = set(re.findall(r"^\\fB.*?(--[\w-]+)", sections[command], re.MULTILINE))
        assert options - {"--help"} == told, command


def test_the_manual_has_every_setting() -> None:
    told = re.findall(r"^\\fB(HAILWHALE_\w+)", PAGE, re.MULTILINE)
    assert told == [setting.metadata["variable"] for setting in fields(Settings)]


def test_no_line_of_prose_is_a_request() -> None:
    requests = set(re.findall(r"^[.'](\w*)", PAGE, re.MULTILINE))
    assert requests == {"TH", "SH", "SS", "TP", "PP", "nf", "fi"}


def test_the_command_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["man"]) == 0
    assert capsys.readouterr().out == PAGE


def test_examples_keep_their_lines_and_their_quotes() -> None:
    assert r"  hailwhale import sales.csv \-\-pk \(aqProduct > {sku}\(aq" in PAGE


def test_troff_has_no_warning_where_there_is_one(tmp_path: Path) -> None:
    groff = shutil.which("groff")
    page = tmp_path / "hailwhale.1"
    page.write_text(PAGE)
    command = [groff, "-man", "-Tutf8", "-ww", str(page)] if groff else ["cat", str(page)]
    done = subprocess.run(command, capture_output=True, timeout=DEADLINE_S, check=True)
    assert done.stderr == b""
    assert b"HAILWHALE_REDIS_URL" in done.stdout
