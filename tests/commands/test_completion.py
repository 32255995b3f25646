"""Completion, in a real bash; and what is said where it is not installed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hailwhale.cli import main

# What a Tab at the end of each line of stdin would offer, a line each.
TABS = r"""
source <(hailwhale completion bash)
while IFS= read -r COMP_LINE; do
  COMP_POINT=${#COMP_LINE}; COMP_TYPE=9; COMPREPLY=()
  _python_argcomplete hailwhale
  echo "${COMPREPLY[*]}"
done
"""


def test_a_real_bash_completes_commands_options_values_and_files(tmp_path: Path) -> None:
    (tmp_path / "events.ndjson").touch()
    offers = {
        "hailwhale dea": {"dead-letters"},
        "hailwhale import --re": {"--rejects", "--redis-url"},
        "hailwhale import --format n": {"ndjson", "nginx"},
        "hailwhale import ev": {"events.ndjson"},
    }
    environ = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "--norc", "-c", TABS],
        input="".join(f"{line}\n" for line in offers),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        cwd=tmp_path,
        env=environ,
    )
    assert done.stderr == ""
    assert [set(line.split()) for line in done.stdout.splitlines()] == list(offers.values())


@pytest.mark.parametrize(
    ("shell", "part"),
    [
        ("bash", "complete -o nospace -o default -o bashdefault -F _python_argcomplete hailwhale"),
        ("zsh", "#compdef hailwhale"),
        ("fish", "complete --command hailwhale"),
    ],
)
def test_each_shell_has_a_script(shell: str, part: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    assert part in capsys.readouterr().out


def test_where_it_is_not_installed_it_says_how(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "argcomplete.shell_integration", None)
    assert main(["completion", "bash"]) == 2
    assert "pip install 'hailwhale[completion]'" in capsys.readouterr().err
