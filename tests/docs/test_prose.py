"""The prose linter finds what its rules say, and nothing in code."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from docs import prose

VOCABULARY = prose.read_vocabulary("let go of -> released\nanew -> again")
LONG = " ".join(["Word"] * (prose.MAX_WORDS + 1))


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("It starts again.", []),
        ("It starts anew.", ["write 'again' instead of 'anew'"]),
        ("Anew it\nstarts.", ["write 'again' instead of 'Anew'"]),
        ("It is let go\nof.", ["write 'released' instead of 'let go of'"]),
        ("The manewver and ``anew`` and `anew` are code.", []),
        (f"{LONG}.", [f"a sentence of {prose.MAX_WORDS + 1} words, at most {prose.MAX_WORDS}"]),
        (f"{LONG[5:]}. {LONG[5:]}", []),
        (f"{LONG[5:]}. ``code`` {LONG[10:]}", []),
        (f"Code::\n\n    anew {LONG}", []),
        (f".. code-block:: console\n\n   $ anew {LONG}", []),
        ("= =\na anew\n= =", ["write 'again' instead of 'anew'"]),
        (".. glossary::\n\n   word\n      Made anew.", ["write 'again' instead of 'anew'"]),
        (".. toctree::\n   :hidden:\n\n   anew", []),
        ("- a list\n- anew", ["write 'again' instead of 'anew'"]),
    ],
)
def test_a_document_is_checked(tmp_path: Path, text: str, messages: list[str]) -> None:
    page = tmp_path / "page.rst"
    page.write_text(text, encoding="utf-8")
    found = [each.message.partition(":")[0] for each in prose.check_file(page, VOCABULARY)]
    assert found == messages


def test_docstrings_are_checked_and_code_is_not(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text(
        '"""Start anew."""\n\n\ndef anew() -> str:\n    """Return.\n\n    >>> anew()\n    """\n'
        '    return "anew"\n',
        encoding="utf-8",
    )
    assert ast.parse(module.read_text(encoding="utf-8"))
    assert [(each.line, each.message) for each in prose.check_file(module, VOCABULARY)] == [
        (1, "write 'again' instead of 'anew'")
    ]


@pytest.mark.parametrize(
    ("source", "findings"),
    [
        ("x = 1  # anew\n", [(1, "write 'again' instead of 'anew'")]),
        ("# It is let\n# go of.\n", [(1, "write 'released' instead of 'let go of'")]),
        ("x = 1  # let\ny = 2  # go of\n", []),
        ("# let\nx = 1\n# go of\n", []),
        ("# let\n\n# go of\n", []),
        ("# `anew` and ``anew it`` are code\n", []),
        ("# anew(1)\n# start = anew\n", []),
        ("#!/usr/bin/env anew\nimport x  # noqa: anew\n", []),
        ("x = '# anew'\n", []),
        (f"\n# {LONG[:80]}\n# {LONG[80:]}\n", [(2, f"a sentence of {prose.MAX_WORDS + 1} words")]),
        (f"# {LONG[:79]}.\n# {LONG[80:]}\n", []),
    ],
)
def test_comments_are_checked_and_code_is_not(
    tmp_path: Path, source: str, findings: list[tuple[int, str]]
) -> None:
    module = tmp_path / "module.py"
    module.write_text(source, encoding="utf-8")
    found = prose.check_file(module, VOCABULARY)
    assert [(each.line, each.message.partition(",")[0]) for each in found] == findings


def test_a_finding_names_its_file_and_line(tmp_path: Path) -> None:
    page = tmp_path / "page.rst"
    page.write_text("Title\n=====\n\nOne.\n\nIt starts anew.\n", encoding="utf-8")
    [finding] = prose.check_file(page, VOCABULARY)
    assert str(finding) == f"{page}:6: write 'again' instead of 'anew'"


def test_the_command_fails_on_a_finding_and_names_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "good.rst").write_text("It starts again.\n", encoding="utf-8")
    assert prose.main([str(tmp_path)]) == 0
    (tmp_path / "bad.rst").write_text("It starts anew.\n", encoding="utf-8")
    assert prose.main([str(tmp_path)]) == 1
    assert f"{tmp_path / 'bad.rst'}:1: write 'again'" in capsys.readouterr().out


@pytest.mark.parametrize("line", ["anew", "-> again", "anew ->"])
def test_a_line_of_the_vocabulary_has_two_sides(line: str) -> None:
    with pytest.raises(ValueError, match="vocabulary line 2"):
        prose.read_vocabulary(f"# comment\n{line}\n")


def test_the_vocabulary_is_sorted_and_names_nothing_twice() -> None:
    phrases = prose.read_vocabulary(prose.VOCABULARY.read_text(encoding="utf-8"))
    banned = [each.banned for each in phrases]
    assert len(banned) > 30
    assert banned == sorted(set(banned))


def test_a_path_that_is_not_there_is_an_error() -> None:
    with pytest.raises(FileNotFoundError, match=r"there is no nowhere\.rst"):
        prose.main(["nowhere.rst"])
