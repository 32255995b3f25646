"""The texts that a Python file may show to a user: its string literals, and not its docstrings.

A message often passes through a variable or a function before it is raised, logged or printed. So
every literal counts that reads as prose, wherever it stands. A single word counts only within a
statement that certainly shows it: elsewhere it may be a name or a value.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from docs.prose import Phrase

_CODE = "X"  # stands for a value or for code in backquotes
_BACKQUOTED = re.compile(r"`[^`]*`")
_LOG_METHODS = ("debug", "info", "warning", "error", "exception", "critical", "log")
_PRINTERS = ("print", "write", "tell")
_DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


class Message(NamedTuple):
    """A text with the line at which it begins; each value in it is an `X`."""

    line: int
    text: str


def messages(source: str) -> Iterator[Message]:
    """Yield the texts of a module that a user may see, in order.

    >>> list(messages('raise BadInput("at", at, f"a time, {at!r} was told")'))[-1].text
    'a time, X was told'
    >>> list(messages('def told(): "A docstring."; return {"told": 1}'))
    []
    """
    tree = ast.parse(source)
    skipped = {id(node.body[0].value) for node in ast.walk(tree) if _has_docstring(node)}
    found = {message for node in ast.walk(tree) if _shows(node) for message in _texts(node, skipped)}
    prose = {message for message in _texts(tree, skipped) if " " in message.text.strip()}
    yield from sorted(found | prose)


def banned(text: str, vocabulary: Sequence[Phrase]) -> list[str]:
    """Return what the text says, of the phrases that it must not say.

    >>> from docs.prose import read_vocabulary
    >>> banned("It starts anew, as `anew` says", read_vocabulary("anew -> again"))
    ['anew']
    """
    prose = _BACKQUOTED.sub(_CODE, text)
    return [phrase.banned for phrase in vocabulary if phrase.pattern.search(prose)]
