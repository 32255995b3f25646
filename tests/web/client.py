"""A client for the tests: calls a WSGI application directly, and checks both against WSGI.

Converts requests to an environ and answers to values. Knows nothing of the routes or of what their
answers mean.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from wsgiref.validate import validator

import simplejson

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
LINES = "application/x-ndjson"

Query = str | bytes | Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. Header names are in lower case; `errors` is what the server's log got."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    errors: str

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        """The body's value, numbers with a fraction as exact decimals."""
        assert self.headers["content-type"] == JSON
        return simplejson.loads(self.body, use_decimal=True)

    @property
    def error(self) -> Any:
        """What an answer in the shape of every error says, checked to have that shape."""
        error = self.json["error"]
        assert set(error) == {"parameter", "message"}
        assert isinstance(error["message"], str)
        return error


@dataclass(frozen=True, slots=True)
class Client:
    """Asks an application."""

    app: Callable[..., Any]

    def get(self, path: str, query: Query = "", **headers: str) -> Answer:
        return self.request("GET", path, query, headers=headers)

    def post(
        self,
        path: str,
        body: object = b"",
        kind: str = JSON,
        query: Query = "",
        *,
        chunked: bool = False,
        **headers: str,
    ) -> Answer:
        """POST bytes as they are, text as UTF-8, and any other value as its JSON."""
        sent = body if isinstance(body, bytes) else _text_of(body).encode()
        return self.request("POST", path, query, sent, kind, chunked=chunked, headers=headers)

    def request(
        self,
        method: str,
        path: str,
        query: Query = "",
        body: bytes | None = None,
        kind: str = "",
        *,
        chunked: bool = False,
        headers: Mapping[str, str] | None = None,
        environ: Mapping[str, object] | None = None,
    ) -> Answer:
        """Any request. Header names are written in Python's way, `sec_fetch_site`.

        What is given in `environ` goes in as it is, after the WSGI rules were looked at: a server
        may hand over what they forbid.
        """
        errors = io.StringIO()
        settled = _environ(method, path, query, body, kind, chunked) | {"wsgi.errors": errors}
        settled |= {f"HTTP_{name.upper()}": text for name, text in (headers or {}).items()}
        status, answered = "", [("", "")]
        chunks: list[bytes] = []

        def start_response(line: str, found: list[tuple[str, str]], *_: object) -> Any:
            nonlocal status, answered
            status, answered = line, found
            return chunks.append

        def application(rules_kept: dict[str, Any], start: Any) -> Any:
            return self.app(rules_kept | dict(environ or {}), start)

        iterator: Any = validator(application)(settled, start_response)
        try:
            chunks += list(iterator)
        finally:
            iterator.close()
        lowered = {name.lower(): text for name, text in answered}
        return Answer(int(status[:3]), lowered, b"".join(chunks), errors.getvalue())


def _text_of(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _query_text(query: Query) -> str:
    """The query as a WSGI server hands it over: its bytes as Latin-1."""
    if isinstance(query, Mapping):
        query = urlencode({name: _text_of(value) for name, value in query.items()})
    return (query if isinstance(query, bytes) else query.encode()).decode("latin-1")


def _environ(
    method: str, path: str, query: Query, body: bytes | None, kind: str, chunked: bool
) -> dict[str, Any]:
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path.encode().decode("latin-1"),
        "QUERY_STRING": _query_text(query),
        "HTTP_HOST": "127.0.0.1:8085",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8085",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body or b""),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    if kind:
        environ["CONTENT_TYPE"] = kind
    if chunked:
        environ["HTTP_TRANSFER_ENCODING"] = "chunked"
    elif body is not None:
        environ["CONTENT_LENGTH"] = str(len(body))
    return environ
