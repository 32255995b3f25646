"""What atheris finds at the parsers of tokens, parameters and bodies: nothing, in so many runs."""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from tests.attacks.fuzzing import HAS_ATHERIS, TARGETS, refused, seeds
from tests.deploy.running import ROOT, environ

RUNS = 3_000
_BROKEN = """
import sys
from tests.attacks import fuzzing

def falls(data):
    if b"pk" in data:
        raise KeyError(data)

fuzzing.TARGETS["query"] = falls
fuzzing.main("query", 1_000, sys.argv[1])
"""


def fuzzed(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,  # where it leaves what it fell over
        env=environ(PYTHONPATH=str(ROOT)),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_takes_what_the_fuzzer_begins_with(target: str) -> None:
    begun = seeds(target)
    for seed in begun:
        refused(partial(TARGETS[target], seed))
    assert len(begun) > 50


if HAS_ATHERIS:

    @pytest.mark.parametrize("target", TARGETS)
    def test_no_bytes_are_more_than_refused(target: str, tmp_path: Path) -> None:
        command = ("-m", "tests.attacks.fuzzing", target, str(RUNS), str(tmp_path))
        found = fuzzed(*command, cwd=tmp_path)
        assert found.returncode == 0, found.stderr[-2_000:]
        assert "Uncaught Python exception" not in found.stderr

    def test_the_fuzzer_ends_at_a_fault(tmp_path: Path) -> None:
        found = fuzzed("-c", _BROKEN, str(tmp_path), cwd=tmp_path)
        assert found.returncode != 0
        assert "KeyError" in found.stdout + found.stderr
