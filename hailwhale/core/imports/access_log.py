r"""Parses access-log lines into named fields: nginx, Apache, Amazon S3 and CloudFront.

Defines the grammar of each format, its escapes and its field names. A line is a sequence of words
separated by single spaces, including quoted texts and bracketed times::

    203.0.113.9 - - [01/Mar/2026:10:00:00 +0100] "GET /a?b=c HTTP/1.1" 200 512 "http://x/" "curl"

CloudFront separates fields by tabs and names them in a header line. Knows nothing of how fields are
counted. All values are texts, empty where the log has a `-`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote, urlsplit

from hailwhale.errors import BadInput

_COMMON = ("host", "ident", "user", "time", "request", "status", "bytes")
_S3 = (
    *("bucket_owner", "bucket", "time", "host", "user", "request_id", "operation", "key"),
    *("request", "status", "error_code", "bytes", "object_size", "total_time"),
    *("turn_around_time", "referer", "user_agent"),
)
_CLOUDFRONT = {
    "host": "c-ip",
    "method": "cs-method",
    "path": "cs-uri-stem",
    "query": "cs-uri-query",
    "protocol": "cs-protocol-version",
    "status": "sc-status",
    "bytes": "sc-bytes",
    "referer": "cs(Referer)",
    "user_agent": "cs(User-Agent)",
}
_MADE = ("method", "path", "query", "protocol")  # of the request
_DERIVED = ("status_class", "referer_host", "visitor")
_FIELDS_LINE = "#Fields:"
_MOST_FIELDS = 200

_WORD = re.compile(r'\[([^\]]*+)\]|"((?:[^"\\]|\\.)*+)"|([^\s"\[]\S*+)')
_ESCAPE = re.compile(r"((?:\\x[0-9A-Fa-f]{2})+)|\\(.)")
_NAMED = {"n": " ", "t": " ", "r": " ", "v": " "}  # a label holds no control characters
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_AUTHORITY = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]{0,31}:)?//([^/?#]{1,512})(?=[/?#]|\Z)")
_TIME = re.compile(r"(\d\d)/(\w{3})/(\d{4}):(\d\d:\d\d:\d\d) ([+-]\d\d)(\d\d)")
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_LABEL_BYTES = 250  # longer texts are cut: a long URL is a visit, too


@dataclass(frozen=True, slots=True)
class LogFormat:
    """A format: the names of the fields of its lines, in their order.

    Without `names` each file names its own, as CloudFront's do.
    """

    names: tuple[str, ...]


COMBINED = LogFormat((*_COMMON, "referer", "user_agent"))
FORMATS = {
    "nginx": COMBINED,
    "combined": COMBINED,
    "clf": LogFormat(_COMMON),
    "s3": LogFormat(_S3),
    "cloudfront": LogFormat(()),
}


class LogReader:
    """Read lines of one format, starting with the first line of a file.

    >>> reader = LogReader(FORMATS["clf"])
    >>> cells = reader.read('::1 - - [01/Mar/2026:10:00:00 +0100] "GET /a?b HTTP/1.1" 200 5')
    >>> cells["path"], cells["query"], cells["time"], cells["status_class"], cells["user"]
    ('/a', 'b', '2026-03-01T10:00:00+01:00', '2xx', '')
    """

    def __init__(self, form: LogFormat) -> None:
        self._form = form
        self._names = form.names

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of a line's fields, as far as they are known."""
        if self._form.names:
            return (*self._names, *_MADE, *_DERIVED)
        return tuple(dict.fromkeys((*_CLOUDFRONT, "time", *_DERIVED, *self._names)))

    def read(self, line: str) -> dict[str, str] | None:
        """Return the fields of a line by name; None for a comment. Raises `BadInput`."""
        if line.startswith("#"):
            if line.startswith(_FIELDS_LINE) and not self._form.names:
                self._names = tuple(line.removeprefix(_FIELDS_LINE).split()[:_MOST_FIELDS])
            return None
        fields = self._of_words(line) if self._form.names else self._of_tabs(line)
        return _derived(fields)

    def _of_words(self, line: str) -> dict[str, str]:
        names = self._form.names
        words = _words(line, len(names))
        if len(words) < len(names):
            raise BadInput("line", line, f"{len(names)} words: {', '.join(names)}")
        fields = dict(zip(names, words, strict=True))
        fields["time"] = _instant(fields["time"])
        request = fields["request"].split(" ")
        if len(request) == 3:
            fields["method"], target, fields["protocol"] = request
            path, _, fields["query"] = target.partition("?")
            fields["path"] = path
        else:  # not HTTP, such as the probes of scanners
            fields |= dict.fromkeys(_MADE, "")
        return fields

    def _of_tabs(self, line: str) -> dict[str, str]:
        if not self._names:
            raise BadInput("line", line, f"an earlier line that begins with {_FIELDS_LINE}")
        cells = line.rstrip("\r\n").split("\t")
        if len(cells) != len(self._names):
            raise BadInput("line", line, f"{len(self._names)} fields separated by tabs")
        told = {
            name: "" if cell == "-" else unquote(cell, errors="replace")
            for name, cell in zip(self._names, cells, strict=True)
        }
        common = {name: told.get(theirs, "") for name, theirs in _CLOUDFRONT.items()}
        instant = {"time": f"{told.get('date', '')}T{told.get('time', '')}Z"}
        return told | common | instant


def _words(line: str, most: int) -> list[str]:
    """Split a line into at most `most` unescaped words; ignore the rest."""
    found: list[str] = []
    at, end = 0, len(line.rstrip())
    while at < end and len(found) < most:
        word = _WORD.match(line, at)
        if word is None or (word.end() < end and line[word.end()] != " "):
            raise BadInput("line", line, f"a word, quotes or brackets at character {at + 1}")
        text = next(part for part in word.groups() if part is not None)
        found.append("" if text == "-" else _unescaped(text))
        at = word.end() + 1
    return found


def _unescaped(text: str) -> str:
    r"""Undo the escapes of nginx (``\x22``) and Apache (``\"``).

    >>> _unescaped(r'\x22\xC3\xA5\x22 \"x\\'), _unescaped("plain")
    ('"å" "x\\', 'plain')
    """
    return _ESCAPE.sub(_plain, text) if "\\" in text else text


def _plain(escape: re.Match[str]) -> str:
    if escape[1]:
        return bytes.fromhex(escape[1].replace("\\x", "")).decode("utf-8", "replace")
    return _NAMED.get(escape[2], escape[2])


@lru_cache(1_024)
def _instant(text: str) -> str:
    """Return the time of a line as ISO 8601; cached, because many lines share a second."""
    found = _TIME.fullmatch(text)
    if found is None or found[2] not in _MONTHS:
        raise BadInput("line", text, "a time such as [01/Mar/2026:10:00:00 +0000]")
    month = _MONTHS.index(found[2]) + 1
    return f"{found[3]}-{month:02}-{found[1]}T{found[4]}{found[5]}:{found[6]}"


def _derived(fields: dict[str, str]) -> dict[str, str]:
    status = fields["status"]
    fields["status_class"] = f"{status[0]}xx" if len(status) == 3 else ""
    authority = _AUTHORITY.match(fields.get("referer", "").lstrip())
    fields["referer_host"] = _host(authority[1]) if authority else ""
    fields["visitor"] = " ".join(filter(None, (fields["host"], fields.get("user_agent", ""))))
    return fields


@lru_cache(1_024)
def _host(authority: str) -> str:
    """Return the host of an authority, which is short: Unicode is normalised in quadratic time."""
    try:
        return urlsplit(f"//{authority}").hostname or ""
    except ValueError:
        return ""


def label(text: str) -> str:
    """Turn a log's text into a valid label: printable and not too long.

    >>> label("/a" + chr(0)), label("x" * 300)[-3:]
    ('/a�', 'xx…')
    """
    if len(text) <= _LABEL_BYTES and text.isascii() and text.isprintable():
        return text  # as most are
    text = _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)
    if len(text.encode()) <= _LABEL_BYTES:
        return text
    return text.encode()[: _LABEL_BYTES - 3].decode(errors="ignore") + "…"


def cells(fields: Mapping[str, str], names: Sequence[str]) -> list[str]:
    """Return the named fields as labels, in the order of `names`; empty where missing."""
    return [label(fields.get(name, "")) for name in names]
