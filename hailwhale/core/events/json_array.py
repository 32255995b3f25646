"""Parses a JSON array item by item, so that one wrong item does not cost the others.

Knows nothing of what an item is. Where an item ends is certain even if it is not valid: brackets
outside of strings are balanced. An array in which that does not hold is refused as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from hailwhale.core.events.literals import not_json, parse_json_at
from hailwhale.errors import BadInput

_SPACE = re.compile(r"[ \t\r\n]*+")
# What an item that is not valid JSON consists of. Possessive: each character is looked at once.
_PIECE = re.compile(
    r"""
      "(?:[^"\\]|\\.)*+"
    | (?P<open>[\[{])
    | (?P<close>[\]}])
    | (?P<end>,)
    | [^\[\]{}",]++
    """,
    re.DOTALL | re.VERBOSE,
)
_CLOSING = {"{": "}", "[": "]"}


class ArrayItem(NamedTuple):
    """An item, and the places where its text begins and ends; a `BadInput` if it is not valid."""

    value: object
    begin: int
    end: int


def array_items(text: str, parameter: str) -> Iterator[ArrayItem]:
    """Yield the items of an array; `text` begins with its bracket, after white space.

    Raises `BadInput` at `parameter`, when it gets there, if the text is not an array.

    >>> [str(item.value) for item in array_items('[1, NaN, {"a": 2}]', "body")]
    ['1', "event: got 'NaN'; expected finite numbers, not NaN", "{'a': 2}"]
    """
    at = _after_space(text, _after_space(text, 0) + 1)
    if text[at : at + 1] != "]":
        while True:
            item = _item(text, at, parameter)
            yield item
            at = _after_space(text, item.end)
            sign = text[at : at + 1]
            if sign == "]":
                break
            if sign != ",":
                raise not_json(text, at, "Expecting ',' delimiter", text, parameter)
            at = _after_space(text, at + 1)
    if (rest := _after_space(text, at + 1)) != len(text):
        raise not_json(text, rest, "Extra data", text, parameter)


def _item(text: str, at: int, parameter: str) -> ArrayItem:
    try:
        value, end = parse_json_at(text, at, parameter)
    except BadInput as fault:
        broken_end = _end_of_broken(text, at)
        if broken_end is None or broken_end == at:
            raise
        broken = BadInput("event", text[at:broken_end], fault.expected)
        return ArrayItem(broken, at, broken_end)
    return ArrayItem(value, at, end)


def _end_of_broken(text: str, at: int) -> int | None:
    """Return where an item that is not valid ends; None if that is not certain."""
    waiting: list[str] = []  # the brackets that are to be closed
    while found := _PIECE.match(text, at):
        if found["open"]:
            waiting.append(_CLOSING[found["open"]])
        elif found["end"] and not waiting:
            break
        elif found["close"]:
            if not waiting:
                break
            if waiting.pop() != found["close"]:
                return None
        at = found.end()
    return at if found and not waiting else None


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at
