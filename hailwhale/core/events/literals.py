r"""Parses texts from URLs and JSON bodies into plain Python values.

Defines the JSON that is accepted (unique keys, finite and exact numbers) and its relaxed form for
query values, and caches what was parsed. Knows nothing of what a parameter means: valid JSON may
still be refused by the parser of its parameter.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple, TypeVar

from hailwhale.core.events.limits import Limits
from hailwhale.errors import BadInput, shown

T = TypeVar("T")

_MAX_DIGITS = 1000  # int() takes quadratic time; no number that is of use comes near this
_SHOWN_CHARS = 24  # of the text from the place where it stops being JSON

# Strings whole, closed or not, so that nothing inside one is ever taken for a token, then words.
# Possessive: each character is looked at once, whatever comes in.
_TOKEN = re.compile(
    r"""
      "(?:[^"\\]|\\.?)*+"?
    | '(?P<single>(?:[^'\\]|\\.?)*+)(?P<closed>'?)
    | (?P<word>[\w.+-]++)
    """,
    re.DOTALL | re.VERBOSE,
)
_ESCAPE_OR_QUOTE = re.compile(r'\\.|"', re.DOTALL)
_BARE_FRACTION = re.compile(r"\A-?(?=\.[0-9])")


class LazyLiteral:
    """A query value that is parsed once, however often it is read.

    Traffic repeats itself, so callers share one instance for equal texts. The parsed result is
    shared as well and must not be modified.

    >>> country = LazyLiteral('["country", "US"]', "dimensions")
    >>> country
    ['country', 'US']
    >>> country.parse_cached(lambda value, limits: tuple(value), Limits())
    ('country', 'US')
    """

    __slots__ = ("_made", "value")

    def __init__(self, text: str, parameter: str) -> None:
        """Parse the text; raise `BadInput` naming the parameter, as `parse_literal` does."""
        self.value = parse_literal(text, parameter)
        self._made: tuple[object, object, Any] = (None, None, None)

    def parse_cached(self, parse: Callable[[object, Limits], T], limits: Limits) -> T:
        """Return `parse(value, limits)`, cached for the last parser and limits."""
        by, within, made = self._made
        if by is not parse or within is not limits:
            made = parse(self.value, limits)
            self._made = (parse, limits, made)
        found: T = made
        return found

    def __repr__(self) -> str:
        return repr(self.value)


def parse_cached(value: object, parse: Callable[[object, Limits], T], limits: Limits) -> T:
    """Return `parse(value, limits)`; a `LazyLiteral` reuses its last result."""
    if isinstance(value, LazyLiteral):
        return value.parse_cached(parse, limits)
    return parse(value, limits)


def unwrap(value: object) -> object:
    """Return the value of a `LazyLiteral`, or any other value unchanged."""
    return value.value if isinstance(value, LazyLiteral) else value


def parse_relaxed_json(text: str, parameter: str) -> object:
    """Parse JSON into plain values; numbers with a fraction or exponent become `Decimal`.

    Stricter than `json.loads`: `NaN`, `Infinity`, duplicate keys, excessive nesting and numbers of
    thousands of digits raise `BadInput` naming `parameter`.

    >>> parse_relaxed_json('{"revenue": 19.99}', "metrics")
    {'revenue': Decimal('19.99')}
    """
    if text.startswith("\N{BYTE ORDER MARK}"):
        raise BadInput(parameter, text, "valid JSON without a byte order mark (BOM) at the start")
    return _parsed(text, text, parameter)


def parse_literal(text: str, parameter: str) -> Any:
    """Parse a query value: JSON if it begins with `{` or `[`, else the text unchanged.

    The JSON may be relaxed: strings in single quotes, and fractions without a leading zero.

    >>> parse_literal("['a', 'b']", "options")
    ['a', 'b']
    >>> parse_literal('{"spent": .50}', "metrics")
    {'spent': Decimal('0.50')}
    >>> parse_literal("Product", "pk")
    'Product'
    """
    given = text.strip()
    if not given.startswith(("{", "[")):
        return text
    try:
        return _DECODER.decode(given)  # most texts are strict JSON already
    except (ValueError, InvalidOperation, RecursionError):
        return _parsed(_TOKEN.sub(_strict, given), text, parameter)


class JsonAt(NamedTuple):
    """A JSON value in a text, and the place where it ends."""

    value: object
    end: int


def parse_json_at(text: str, at: int, parameter: str) -> JsonAt:
    """Parse the JSON value that begins at a place.

    Raises `BadInput` as `parse_relaxed_json` does.
    """
    with _faults_named(text, parameter):
        return JsonAt(*_DECODER.raw_decode(text, at))


def not_json(text: str, at: int, reason: str, given: str, parameter: str) -> BadInput:
    """Return the error for a text that is not JSON from a place on."""
    rest = text[at : at + _SHOWN_CHARS]
    place = shown(rest) if rest else "the end"
    return BadInput(parameter, given, f"valid JSON: {reason.removesuffix(' at')} at {place}")


def _parsed(strict: str, given: str, parameter: str) -> object:
    with _faults_named(given, parameter):
        return _DECODER.decode(strict)


@contextmanager
def _faults_named(given: str, parameter: str) -> Iterator[None]:
    try:
        yield
    except json.JSONDecodeError as fault:
        raise not_json(fault.doc, fault.pos, fault.msg, given, parameter) from fault
    except ValueError as fault:  # from a function below
        raise BadInput(parameter, given, str(fault)) from fault
    except InvalidOperation as fault:
        raise BadInput(parameter, given, "JSON numbers with smaller exponents") from fault
    except RecursionError as fault:
        raise BadInput(parameter, given, "JSON that is nested less deeply") from fault


def _strict(token: re.Match[str]) -> str:
    """Convert a token of relaxed JSON to strict JSON; the parser reports broken tokens."""
    if token["word"]:
        return _BARE_FRACTION.sub(r"\g<0>0", token["word"])
    if token["closed"]:
        return f'"{_ESCAPE_OR_QUOTE.sub(_requoted, token["single"])}"'
    return token[0]


def _requoted(found: re.Match[str]) -> str:
    """Convert a single-quoted string to a double-quoted one."""
    return {"\\'": "'", '"': '\\"'}.get(found[0], found[0])


def _whole(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise ValueError(f"numbers of at most {_MAX_DIGITS} digits")
    return int(digits)


def _refuse_constant(name: str) -> object:
    raise ValueError(f"finite numbers, not {name}")


def _object_with_each_key_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"each key only once, but {shown(key)} is repeated")
        found[key] = value
    return found


_DECODER = json.JSONDecoder(
    parse_float=Decimal,
    parse_int=_whole,
    parse_constant=_refuse_constant,
    object_pairs_hook=_object_with_each_key_once,
)
