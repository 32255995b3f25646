"""Parses targets: nested function calls on paths.

Defines the grammar only: ``name(argument, …)``, paths, numbers, quoted texts, true and false. See
`functions` for the functions and `paths` for what a path names.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from hailwhale.core.graphite.paths import Pattern
from hailwhale.errors import BadInput

MAX_CHARS = 8_192
MAX_DEPTH = 16
MAX_ARGUMENTS = 64

_TOKEN = re.compile(
    r"\s*(?:(?P<quoted>'[^']*'|\"[^\"]*\")|(?P<sign>[(),])"
    r"|(?P<word>(?:\{[^{}()'\"]*\}|[^\s(),'\"{}])+))"
)
_NUMBER = re.compile(
    r"[+-]?(?:[0-9]{1,30}(?:\.[0-9]{0,30})?|\.[0-9]{1,30})(?:e[+-]?[0-9]{1,2})?", re.IGNORECASE
)
_FLAGS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Text:
    """A quoted text."""

    value: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function call; `text` is its source without redundant spaces."""

    name: str
    arguments: tuple[Argument, ...]
    text: str


Argument = Call | Pattern | Decimal | Text | bool


def parse_target(text: str) -> Call | Pattern:
    """Parse a target; `BadInput` says where the syntax error is.

    >>> call = parse_target("alias(sumSeries(Shop.by.country.{US,CA}.hits), 'both')")
    >>> call.name, call.arguments[0].arguments[0].text
    ('alias', 'Shop.by.country.{US,CA}.hits')
    """
    if len(text) > MAX_CHARS:
        raise BadInput("target", text, f"at most {MAX_CHARS} characters")
    tokens, at = [], 0
    stripped = text.strip()
    while at < len(stripped):
        found = _TOKEN.match(stripped, at)
        if found is None:
            raise BadInput("target", stripped[at:], "a path, a number, a quoted string, or ( , )")
        tokens.append(found)
        at = found.end()
    reader = _TargetReader(text, [found[0].strip() for found in tokens])
    whole = reader.argument(0)
    if reader.at != len(reader.tokens) or not isinstance(whole, Call | Pattern):
        raise BadInput("target", text, "one path or one function call")
    return whole


class _TargetReader:
    """Reads tokens from the left; `at` is the next one."""

    def __init__(self, text: str, tokens: list[str]) -> None:
        self.text = text
        self.tokens = tokens
        self.at = 0

    def argument(self, depth: int) -> Argument:
        if depth > MAX_DEPTH:
            raise BadInput("target", self.text, f"at most {MAX_DEPTH} nested functions")
        start, token = self.at, self._next()
        if token in ("(", ")", ","):
            raise self._broken(token)
        if token[0] in "'\"":
            return Text(token[1:-1])
        if self._peek() == "(":
            arguments = self._arguments(depth)
            return Call(token, arguments, "".join(self.tokens[start : self.at]))
        if token.lower() in _FLAGS:
            return _FLAGS[token.lower()]
        return Decimal(token) if _NUMBER.fullmatch(token) else Pattern.parse(token)

    def _arguments(self, depth: int) -> tuple[Argument, ...]:
        self._next()
        found: list[Argument] = []
        while self._peek() != ")":
            found.append(self.argument(depth + 1))
            if len(found) > MAX_ARGUMENTS:
                raise BadInput("target", self.text, f"at most {MAX_ARGUMENTS} arguments")
            if self._peek() == ",":
                self._next()
            elif self._peek() != ")":
                raise self._broken(self._peek())
        self._next()
        return tuple(found)

    def _peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        if not token:
            raise self._broken(token)
        self.at += 1
        return token

    def _broken(self, token: str) -> BadInput:
        near = (
            f"something other than {token!r}"
            if token
            else "a complete expression: this one ends early"
        )
        return BadInput("target", self.text, near)
