"""The attacks of docs/security.rst, and the tests that it names for them."""

from __future__ import annotations

import ast
import re

import pytest

from tests.deploy.running import ROOT

TEXT = (ROOT / "docs/security.rst").read_text(encoding="utf-8")
SECTION = TEXT.partition("\nAttacks\n-------\n")[2].partition("\nWhat is not promised\n")[0]
NAMED = re.findall(r"``([a-z_/]+\.py)::(\w+)``", SECTION)


def functions_of(file: str) -> set[str]:
    """The functions of a file of tests, wherever in it they stand."""
    tree = ast.parse((ROOT / "tests" / file).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize(("file", "test"), NAMED, ids=[test for _, test in NAMED])
def test_a_test_that_the_docs_name_is_there(file: str, test: str) -> None:
    assert test in functions_of(file)


def test_every_attack_has_what_stands_against_it_and_a_test() -> None:
    rows = [row.split("\n     - ") for row in re.split(r"\n   \* - ", SECTION)[2:]]
    assert len(rows) >= 40
    for row in rows:
        assert len(row) == 3
        assert "::" in row[2], row


@pytest.mark.parametrize("file", sorted((ROOT / "tests/attacks").glob("test_*.py")))
def test_every_file_of_attacks_is_in_the_table(file: object) -> None:
    name = str(file).rpartition("/")[2]
    assert name == "test_documented.py" or f"attacks/{name}" in {each for each, _ in NAMED}
