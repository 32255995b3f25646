"""Encodes events and queries as JSON that the service parses to the values the library takes.

Defines the encoding of values without a JSON form: decimals, dates, and mappings other than dicts.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from hailwhale.errors import BadInput


def text_of(fields: Mapping[str, object]) -> str:
    """Encode parameters as a JSON object, without those that are None.

    Raises `BadInput` naming the parameter for a value that has no JSON form.

    >>> text_of({"pk": ("Shop", 7), "metrics": {"dollars": Decimal("19.990")}, "uid": None})
    '{"pk":["Shop",7],"metrics":{"dollars":"19.990"}}'
    """
    given = {name: value for name, value in fields.items() if value is not None}
    try:
        return _encode(given)
    except (TypeError, ValueError, RecursionError) as error:
        name, reason = _unwritable(given) or ("event", error)
        raise BadInput(
            name, given.get(name), f"a value that JSON can represent ({reason})"
        ) from error


def event_text(fields: Mapping[str, object], now_s: float) -> str:
    """Encode an event with its time and an id, so that every retry sends the same text.

    >>> event_text({"pk": "Shop", "at": None, "id": "order-17"}, now_s=1_767_225_600.9)
    '{"pk":"Shop","at":1767225600,"id":"order-17"}'
    """
    at, id = fields.get("at"), fields.get("id")
    fixed = {
        "at": int(now_s) if at is None else at,
        "id": secrets.token_hex(12) if id is None else id,
    }
    return text_of({**fields, **fixed})


def _unwritable(fields: Mapping[str, object]) -> tuple[str, Exception] | None:
    """Return the name and the error of the first field that cannot be encoded, or None."""
    for name, value in fields.items():
        try:
            _encode(value)
        except (TypeError, ValueError, RecursionError) as error:
            return name, error
    return None


def _written(value: object) -> object:
    if isinstance(value, Decimal):
        return str(value)  # numeric text is as exact
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a {type(value).__name__} is not a JSON value")


_encode = json.JSONEncoder(default=_written, allow_nan=False, separators=(",", ":")).encode
