"""What a type checker sees of the public API: all of it passes, and what is wrong is found."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import hailwhale
from tests.library.test_manual import METHODS

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
RIGHT, WRONG = HERE / "public_api.py", HERE / "wrong_calls.py"
_ERROR = re.compile(r"(\S+\.py):(\d+): error: .*\[([a-z-]+)\]$")
_EXPECTED = re.compile(r"  # E: ([a-z-]+)$")

Errors = list[tuple[str, int, str]]


@pytest.fixture(scope="module")
def errors() -> Errors:
    """What mypy --strict says of both programs: file, line and code of each error."""
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", RIGHT, WRONG]
    checked = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert not checked.stderr
    lines = [line for line in checked.stdout.splitlines() if ": note: " not in line]
    found = [_ERROR.fullmatch(line) for line in lines]
    assert all(found), lines
    return [(Path(each[1]).name, int(each[2]), each[3]) for each in found if each]


def test_a_program_that_uses_the_whole_api_has_no_errors(errors: Errors) -> None:
    assert [error for error in errors if error[0] == RIGHT.name] == []


def test_wrong_calls_are_found(errors: Errors) -> None:
    lines = enumerate(WRONG.read_text(encoding="utf-8").splitlines(), 1)
    marks = [(line, _EXPECTED.search(text)) for line, text in lines]
    expected = {(WRONG.name, line, mark[1]) for line, mark in marks if mark}
    assert len(expected) >= 25
    assert {error for error in errors if error[0] == WRONG.name} == expected


def test_the_program_uses_all_that_is_public() -> None:
    nodes = list(ast.walk(ast.parse(RIGHT.read_text(encoding="utf-8"))))
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    names |= {node.name for node in nodes if isinstance(node, ast.alias)}
    called = {
        node.func.attr
        for node in nodes
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    assert set(hailwhale.__all__) <= names
    assert {name for _, name in METHODS} <= called
