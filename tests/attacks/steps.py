"""Counts the steps of a call: lines of Python, and characters that are given to patterns.

No clock is read, so the count is the same on any machine. Limits of the method: what other
functions in C do with a text (copying, decoding, sorting) is not counted. `test_parser_cost` lists
which of those parse what strangers send.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import pytest

_PARSERS = ("hailwhale", "bottle", "csv", "fnmatch", "http.cookies", "json", "urllib.parse")


class CountingPattern:
    """A compiled pattern that counts the characters it may read: none behind the end of a match."""

    def __init__(self, pattern: re.Pattern[Any], count: Callable[[int], None]) -> None:
        self._pattern = pattern
        self._count = count

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._pattern, name)
        if name in ("match", "fullmatch", "search"):
            return lambda text, *at: self._one(found, text, *at)
        if name in ("findall", "finditer", "split"):
            return lambda text, *rest: self._all(found, text, text, *rest)
        if name in ("sub", "subn"):
            return lambda by, text, *rest: self._all(found, text, by, text, *rest)
        return found

    def _one(self, find: Callable[..., Any], text: Any, at: int = 0, *end: int) -> Any:
        found = find(text, at, *end)
        self._count((found.end() if found else len(text)) - at + 1)
        return found

    def _all(self, find: Callable[..., Any], text: Any, *arguments: Any) -> Any:
        self._count(len(text) + 1)
        return find(*arguments)


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Callable[[], object]], int]]:
    """Yield a function that calls another and returns how many steps it took."""
    steps = 0

    def count(more: int) -> None:
        nonlocal steps
        steps += more

    def trace(_frame: FrameType, event: str, _argument: object) -> Any:
        if event == "line":
            count(1)
        return trace

    def run(call: Callable[[], object]) -> int:
        nonlocal steps
        steps, before = 0, sys.gettrace()
        sys.settrace(trace)
        try:
            call()
        finally:
            sys.settrace(before)
        return steps

    with monkeypatch.context() as patched:
        for name, module in list(sys.modules.items()):
            if name.split(".")[0] in _PARSERS or name in _PARSERS:
                for attribute, value in list(vars(module).items()):
                    if isinstance(value, re.Pattern):
                        patched.setattr(module, attribute, CountingPattern(value, count))
        yield run
