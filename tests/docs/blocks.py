"""What a page of docs/ tells people to type, and what it says they will see.

Owns how blocks are found in reStructuredText, and when an answer is as the page has it. It runs
nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

DOCS = Path(__file__).parents[2] / "docs"
_BLOCK = re.compile(r"^( *)\.\. code-block:: (\w+)\n\n((?:\1   .*\n|\n)+)", re.MULTILINE)
_HERE_DOCUMENT = re.compile(r"<<'(\w+)'")


@dataclass(frozen=True, slots=True)
class Block:
    """A code block of a page: its language (console, pycon, html, …), its text, its first line."""

    language: str
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Command:
    """A command of a console block, and what the page shows below it."""

    words: str
    shown: str


def page(name: str) -> str:
    """The text of a page."""
    return (DOCS / name).read_text(encoding="utf-8")


def blocks(text: str) -> list[Block]:
    """The code blocks of a page, in order."""
    return [
        Block(found[2], dedent(found[3]).strip("\n"), text.count("\n", 0, found.start(3)) + 1)
        for found in _BLOCK.finditer(text)
    ]


def commands(block: Block) -> Iterator[Command]:
    """What is to be typed after each `$`, to its last line, and what is shown then.

    >>> block = Block("console", "$ echo a \\\\\\n    b\\na b\\n$ true", 1)
    >>> [(each.words, each.shown) for each in commands(block)]
    [('echo a \\\\\\n    b', 'a b'), ('true', '')]
    """
    for typed in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        lines = typed.split("\n")
        end = _last_line(lines) + 1
        yield Command("\n".join(lines[:end]), "\n".join(lines[end:]).strip())


def _last_line(lines: list[str]) -> int:
    """Where a command ends: behind its backslashes, its here-document and its open quotes."""
    if here := _HERE_DOCUMENT.search(lines[0]):
        return lines.index(here[1])
    for number in range(len(lines)):
        so_far = "\n".join(lines[: number + 1])
        if not so_far.endswith("\\") and so_far.count("'") % 2 == 0:
            return number
    raise ValueError(f"no end of {lines[0]!r}")


def as_shown(shown: str, answer: str) -> bool:
    """Whether an answer is what the page shows: white space is for looks, `…` is anything.

    >>> as_shown('{"a": 1, …}', '{"a":1,"b":2}'), as_shown("2", "20")
    (True, False)
    """
    pieces = ("".join(piece.split()) for piece in shown.split("…"))
    return bool(re.fullmatch(".*".join(map(re.escape, pieces)), "".join(answer.split())))
