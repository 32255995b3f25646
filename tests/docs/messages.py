"""The texts that a Python file may show to a user: its string literals, and not its docstrings.

A message often passes through a variable or a function before it is raised, logged or printed. So
every literal counts that reads as prose, wherever it stands. A single word counts only within a
statement that certainly shows it: elsewhere it may be a name or a value.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Container, Iterator, Sequence
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

    >>> list(messages('raise BadInput("at", at, f"a time, {at!r} was told")'))[0].text
    'a time, X was told'
    >>> list(messages('def told(): "A docstring."; return {"told": 1}'))
    []
    """
    tree = ast.parse(source)
    skipped = {id(docstring) for docstring in _docstrings(tree)}
    shown = {each for node in ast.walk(tree) if _shows(node) for each in _texts(node, skipped)}
    prose = {each for each in _texts(tree, skipped) if " " in each.text.strip()}
    yield from sorted(shown | prose)


def banned(text: str, vocabulary: Sequence[Phrase]) -> list[str]:
    """Return what the text says, of the phrases that it must not say.

    >>> from docs.prose import read_vocabulary
    >>> banned("It starts anew, as `anew` says", read_vocabulary("anew -> again"))
    ['anew']
    """
    prose = _BACKQUOTED.sub(_CODE, text)
    return [phrase.banned for phrase in vocabulary if phrase.pattern.search(prose)]


def _shows(node: ast.AST) -> bool:
    """Return whether a node shows the texts in it: it raises, logs or prints."""
    if isinstance(node, ast.Raise):
        return True
    if not isinstance(node, ast.Call):
        return False
    if isinstance(node.func, ast.Attribute):
        return node.func.attr in (*_LOG_METHODS, *_PRINTERS)
    return isinstance(node.func, ast.Name) and node.func.id in _PRINTERS


def _texts(tree: ast.AST, skipped: Container[int]) -> Iterator[Message]:
    """Yield the literals below a node; an f-string is one text."""
    nodes = [tree]
    while nodes:
        node = nodes.pop()
        if id(node) in skipped:
            continue
        if isinstance(node, ast.JoinedStr):
            parts = [
                each.value if isinstance(each, ast.Constant) else _CODE for each in node.values
            ]
            yield Message(node.lineno, "".join(map(str, parts)))
            nodes += [each for each in node.values if isinstance(each, ast.FormattedValue)]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield Message(node.lineno, node.value)
        else:
            nodes += ast.iter_child_nodes(node)


def _docstrings(tree: ast.AST) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            first = node.body[0]
            assert isinstance(first, ast.Expr)
            yield first.value
