r"""Text from a URL or a JSON body into plain Python values.

Owns what JSON is allowed to say (each key once, finite numbers, numbers exact) and the relaxed form
a query value may use. It must not know what any parameter means: a value that is fine as JSON may
still be refused by the parser of its parameter.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal, InvalidOperation

from hailwhale.errors import BadInput, shown

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


def parse_json(text: str, parameter: str) -> object:
    """A JSON text as plain values; numbers with a fraction or exponent as exact `Decimal`.

    Stricter than `json.loads`: `NaN`, `Infinity`, a key given twice, nesting too deep for the
    interpreter and numbers of thousands of digits raise `BadInput` naming `parameter`.

    >>> parse_json('{"revenue": 19.99}', "metrics")
    {'revenue': Decimal('19.99')}
    """
    return _parsed(text, text, parameter)


def parse_literal(text: str, parameter: str) -> object:
    """A query value: JSON when it begins with `{` or `[`, else the text itself, exactly as given.

    The JSON may be relaxed: strings in single quotes, and fractions without the leading zero.

    >>> parse_literal("['a', 'b']", "options")
    ['a', 'b']
    >>> parse_literal('{"spent": .50}', "metrics")
    {'spent': Decimal('0.50')}
    >>> parse_literal("Product", "pk")
    'Product'
    """
    if not text.strip().startswith(("{", "[")):
        return text
    return _parsed(_TOKEN.sub(_strict, text.strip()), text, parameter)


def _parsed(strict: str, given: str, parameter: str) -> object:
    try:
        return json.loads(
            strict,
            parse_float=Decimal,
            parse_int=_whole,
            parse_constant=_refuse_constant,
            object_pairs_hook=_object_with_each_key_once,
        )
    except json.JSONDecodeError as fault:
        rest = strict[fault.pos : fault.pos + _SHOWN_CHARS]
        place = shown(rest) if rest else "the end"
        expected = f"valid JSON: {fault.msg.removesuffix(' at')} at {place}"
        raise BadInput(parameter, given, expected) from fault
    except ValueError as fault:  # from a function below
        raise BadInput(parameter, given, str(fault)) from fault
    except InvalidOperation as fault:
        raise BadInput(parameter, given, "JSON without exponents of that size") from fault
    except RecursionError as fault:
        raise BadInput(parameter, given, "JSON that is not nested that deep") from fault


def _strict(token: re.Match[str]) -> str:
    """One token of relaxed JSON as strict JSON; what is broken stays so, for the parser to name."""
    if token["word"]:
        return _BARE_FRACTION.sub(r"\g<0>0", token["word"])
    if token["closed"]:
        return f'"{_ESCAPE_OR_QUOTE.sub(_requoted, token["single"])}"'
    return token[0]


def _requoted(found: re.Match[str]) -> str:
    """What stands in single quotes as it stands in double quotes."""
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
            raise ValueError(f"each key once, but {shown(key)} is there again")
        found[key] = value
    return found
