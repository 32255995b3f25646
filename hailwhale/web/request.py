"""Parses requests into plain values: the query, a form, a JSON event, an array or lines of events.

Defines the formats of values in a request, and caches parsed texts that recur. The parsers of the
core interpret names and values. Knows nothing of what the parameters mean.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

from hailwhale.core.events.json_array import array_items
from hailwhale.core.events.literals import parse_relaxed_json, unwrap
from hailwhale.core.events.query_string import query_fields_of, query_pair
from hailwhale.errors import BadInput, TooLarge
from hailwhale.services.security.bearer_tokens import RootBinding

Environ = Mapping[str, Any]

# What `auth` leaves in an environ: the root pks the caller is limited to, a `RootBinding`; the
# query of a sealed graph, which replaces the URL's; and whose rate limits hold.
BOUND = "hailwhale.bound"
SEALED = "hailwhale.sealed"
CALLER = "hailwhale.caller"  # of rate limits: "client" and its network, or "token" and its id

_MAX_FIELDS = 100
_REMEMBERED = 4_096  # parameters, each of at most so many characters as written:
_REMEMBERED_CHARS = 512
_LENGTH = re.compile(r"[0-9]{1,18}")
_FORM = "application/x-www-form-urlencoded"
_LINES = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonl")
_JOINED_OBJECTS = re.compile(r"\}\s*\{")  # what remains of lines without their line breaks
_LINE_BREAKS = "one object on each line; curl -d removes line breaks, --data-binary keeps them"
_JSON_OR_TEXT = ("application/json", "text/json", "text/plain", "")


@dataclass(frozen=True, slots=True)
class SizeLimits:
    """The maximum bytes of one event and of a POST, and the maximum events of a POST."""

    event_bytes: int
    batch_bytes: int
    batch_events: int


@dataclass(frozen=True, slots=True)
class PostedEvents:
    """The events of a POST.

    `batch` distinguishes many events from one; an item that could not be parsed is the `BadInput`
    with the reason.
    """

    events: list[dict[str, object] | BadInput]
    batch: bool


def media_type(environ: Environ) -> str:
    """Return the media type of a body, in lower case and without parameters; "" if missing."""
    return str(environ.get("CONTENT_TYPE", "")).split(";")[0].strip().lower()


def query_fields(environ: Environ, sizes: SizeLimits) -> dict[str, object]:
    """Return the parameters of the URL; their values are lazy literals."""
    fields = _query(environ, sizes)
    if BOUND in environ:
        environ[BOUND].check(fields)
    return fields


def _query(environ: Environ, sizes: SizeLimits) -> dict[str, object]:
    query: str = environ.get("QUERY_STRING", "")
    if len(query) > sizes.event_bytes:
        raise TooLarge("query", f"{len(query)} bytes", f"at most {sizes.event_bytes} bytes")
    if not query.isascii():
        # WSGI decodes bytes as Latin-1; a client may have sent UTF-8 without percent-encoding.
        query = _text(query.encode("latin-1", "replace"), "query")
    return _form_fields(query, "query")


def one_event(environ: Environ, sizes: SizeLimits) -> dict[str, object]:
    """Return the fields of a request for one thing, from its URL or its body, as plain values."""
    if SEALED in environ:
        return _plain(environ[SEALED])
    if environ.get("REQUEST_METHOD") != "POST":
        return _plain(query_fields(environ, sizes))
    posted = posted_events(environ, sizes)
    if posted.batch:
        raise BadInput("body", "several events", "one JSON object or a form")
    event = posted.events[0]
    if isinstance(event, BadInput):
        raise event
    return _plain(event)


def listed_fields(environ: Environ, sizes: SizeLimits) -> dict[str, list[str]]:
    """Return the parameters of the URL and of a POST's form or JSON object, as texts.

    Each name has all the values that were given for it, in their order.
    """
    query = _text(environ.get("QUERY_STRING", "").encode("latin-1", "replace"), "query")
    body = b""
    if environ.get("REQUEST_METHOD") == "POST":
        body = _body(environ, sizes.event_bytes)
    text = _text(body, "body")
    pairs = _pairs(query, "query")
    if text.lstrip().startswith("{"):
        pairs += _pairs_of(_fields(parse_relaxed_json(text, "body")))
    elif text.strip():
        if media_type(environ) not in (_FORM, ""):
            raise BadInput("Content-Type", media_type(environ), f"{_FORM} or application/json")
        pairs += _pairs(text, "body")
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


def _pairs(text: str, where: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MAX_FIELDS)
    except UnicodeDecodeError as fault:
        raise BadInput(where, text, "percent-encoded UTF-8") from fault
    except ValueError as fault:
        raise BadInput(where, "too many", f"at most {_MAX_FIELDS} parameters") from fault


def _pairs_of(fields: dict[str, object]) -> list[tuple[str, str]]:
    """Return a JSON object as pairs: an array gives several texts, numbers are kept as written."""
    pairs = [
        (name, each)
        for name, value in fields.items()
        for each in (value if isinstance(value, list) else [value])
    ]
    for name, value in pairs:
        if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
            raise BadInput(name[:64], value, "a string, a number, or a list of them")
    return [(name, str(value)) for name, value in pairs]


def _plain(fields: dict[str, object]) -> dict[str, object]:
    return {name: unwrap(value) for name, value in fields.items()}


def posted_events(environ: Environ, sizes: SizeLimits) -> PostedEvents:
    """Parse the events of a POST: a form, a JSON object or array, or one JSON object per line."""
    posted = _posted(environ, sizes)
    if BOUND not in environ:
        return posted
    return PostedEvents([_bounded(environ[BOUND], event) for event in posted.events], posted.batch)


def _bounded(
    bound: RootBinding, event: dict[str, object] | BadInput
) -> dict[str, object] | BadInput:
    try:
        if isinstance(event, dict):
            bound.check(event)
    except BadInput as fault:
        return fault
    return event


def _posted(environ: Environ, sizes: SizeLimits) -> PostedEvents:
    kind = media_type(environ)
    body = _body(environ, sizes.batch_bytes)
    in_url = _query(environ, sizes)
    if not body.strip():
        return PostedEvents([in_url], batch=False)
    if not all(name.startswith("_") for name in in_url):  # cache busters may stay there
        raise BadInput("body", "parameters in both", "parameters in the URL or in the body")
    text = body.decode("utf-8-sig", "surrogateescape")  # see _clean
    if kind in _LINES:
        return _lines(text, sizes)
    if kind == _FORM and text.lstrip()[:1] not in ("{", "["):
        _refuse_large(text, sizes)
        return PostedEvents([_form_fields(_clean(text, "body"), "body")], batch=False)
    if kind in _JSON_OR_TEXT or kind == _FORM:
        return _json_events(text, sizes)
    raise BadInput("Content-Type", kind, f"application/json, {_LINES[0]} or {_FORM}")


def _json_events(text: str, sizes: SizeLimits) -> PostedEvents:
    """Parse one JSON value; if it is not one but has several lines, one JSON object per line."""
    # A malformed array is not parsed as lines, though some of its lines may look like events.
    if text.lstrip().startswith("["):
        return PostedEvents(list(_items(text, sizes)), batch=True)
    try:
        value = parse_relaxed_json(_clean(text, "body"), "body")
    except BadInput:
        if "\n" in text.strip() and text.lstrip().startswith("{"):
            return _lines(text, sizes)
        raise
    _refuse_large(text, sizes)
    return PostedEvents([_fields(value)], batch=False)


def _items(text: str, sizes: SizeLimits) -> Iterator[dict[str, object] | BadInput]:
    """Yield the items of an array; those past the limit are not parsed before it is refused."""
    for number, item in enumerate(array_items(text, "body"), 1):
        _refuse_many(number, sizes)
        try:
            if isinstance(item.value, BadInput):
                raise item.value
            written = text[item.begin : item.end]
            _refuse_large(written, sizes)
            _clean(written, "event")
            yield _fields(item.value)
        except BadInput as fault:
            yield fault


def _lines(text: str, sizes: SizeLimits) -> PostedEvents:
    # Only newlines separate events: JSON strings may contain other separators of str.splitlines.
    lines = [line for line in text.split("\n") if line.strip()]
    _refuse_many(len(lines), sizes)
    return PostedEvents([_line(line, sizes) for line in lines], batch=True)


def _line(line: str, sizes: SizeLimits) -> dict[str, object] | BadInput:
    try:
        _refuse_large(line, sizes)
        return _fields(parse_relaxed_json(_clean(line, "event"), "event"))
    except BadInput as fault:
        if _JOINED_OBJECTS.search(line):
            return BadInput("event", line, f"{fault.expected} ({_LINE_BREAKS})")
        return fault


def _fields(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise BadInput("event", value, 'a JSON object such as {"pk": "Shop", "metrics": {…}}')
    return value


def _form_fields(text: str, where: str) -> dict[str, object]:
    return query_fields_of(text, where, _read)


def _read(pair: str) -> tuple[str, object]:
    return _remembered(pair) if len(pair) <= _REMEMBERED_CHARS else query_pair(pair)


_remembered = lru_cache(_REMEMBERED)(query_pair)


def _body(environ: Environ, most: int) -> bytes:
    announced = environ.get("CONTENT_LENGTH", "")
    if announced and not _LENGTH.fullmatch(announced):
        raise BadInput("Content-Length", announced, "a number of bytes")
    length = int(announced or -1)
    if length > most:
        raise TooLarge("body", f"{length} bytes", f"at most {most} bytes")
    if length < 0 and environ.get("HTTP_TRANSFER_ENCODING", "").lower() != "chunked":
        return b""
    try:
        body: bytes = environ["wsgi.input"].read(length if length >= 0 else most + 1)
    except Exception as fault:  # each server has its own exception for an incomplete body
        raise BadInput("body", "an incomplete body", "the whole body") from fault
    if len(body) > most:
        raise TooLarge("body", f"more than {most} bytes", f"at most {most} bytes")
    if 0 <= len(body) < length:
        raise BadInput("body", f"{len(body)} bytes", f"the {length} bytes of the Content-Length")
    return body


def _clean(text: str, parameter: str) -> str:
    """Return a decoded text, or raise `BadInput` if it was not UTF-8.

    A batch is decoded with its errors, so that only the events that have one are refused.
    """
    try:
        text.encode()
    except UnicodeEncodeError as fault:
        raise BadInput(parameter, text[:40], "UTF-8 text") from fault
    return text


def _text(body: bytes, parameter: str) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        raise BadInput(parameter, body[:40], "UTF-8 text") from fault


def _refuse_large(text: str, sizes: SizeLimits) -> None:
    if 4 * len(text) <= sizes.event_bytes:  # no character has more bytes
        return
    if len(text) > sizes.event_bytes or len(text.encode(errors="replace")) > sizes.event_bytes:
        raise TooLarge("event", f"{len(text)} characters", f"at most {sizes.event_bytes} bytes")


def _refuse_many(events: int, sizes: SizeLimits) -> None:
    if events > sizes.batch_events:
        most = sizes.batch_events
        raise TooLarge("body", f"more than {most} events", f"at most {most} events")
