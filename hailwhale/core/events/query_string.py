"""Parses and formats the parameters of a query string or form.

Knows nothing of what the parameters mean.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import unquote_plus

from hailwhale.core.events.literals import LazyLiteral
from hailwhale.errors import BadInput

_MAX_FIELDS = 100
_VERBATIM = ("id", "uid", "at", "token")  # never a literal: an id may begin with a bracket

ReadPair = Callable[[str], tuple[str, object]]


def query_pair(pair: str) -> tuple[str, object]:
    """Parse `name=value` as written in a form or a URL.

    >>> query_pair("dimension=%5B'country'%2C+'US'%5D")
    ('dimension', ['country', 'US'])
    """
    name, _, value = pair.partition("=")
    name = unquote_plus(name, errors="strict")
    value = unquote_plus(value, errors="strict")
    return name, value if name in _VERBATIM else LazyLiteral(value, name or "query")


def query_text(value: object) -> str:
    """Format a value for a query string: text unchanged, anything else as JSON.

    >>> query_text("Shop"), query_text(["country", "US"]), query_text(True)
    ('Shop', '["country", "US"]', '1')
    """
    if isinstance(value, bool):
        return str(int(value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def query_fields_of(text: str, where: str, read: ReadPair = query_pair) -> dict[str, object]:
    """Parse a query string into parameters; `BadInput` names `where`. Values are lazy.

    >>> query_fields_of("pk=Shop&metric=sales&_=17", "query")
    {'pk': 'Shop', 'metric': 'sales', '_': '17'}
    """
    if text.count("&") >= _MAX_FIELDS:
        raise BadInput(where, "too many", f"at most {_MAX_FIELDS} parameters")
    fields: dict[str, object] = {}
    for pair in filter(None, text.split("&")):
        try:
            name, value = read(pair)
        except UnicodeDecodeError as fault:
            raise BadInput(where, text, "percent-encoded UTF-8") from fault
        if name in fields and not name.startswith("_"):
            raise BadInput(
                name, value, "this parameter only once; write several values as a JSON list"
            )
        fields[name] = value
    return fields
