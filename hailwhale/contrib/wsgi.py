"""Counts the requests of any WSGI application: Flask, Bottle, Pyramid, Django, …

Determines when a request begins and ends under WSGI. `request_events` defines what is counted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from hailwhale.contrib.request_events import EventCounter, RequestEvents
from hailwhale.types import PathLike

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class CountRequests:
    """A WSGI application that wraps `app` and counts its requests.

    `counter` is a `hailwhale.client.Client`, which never blocks a request, or anything with such a
    `count`. `route_of` returns the route of a request's environ, or None. Without it the rules of
    Flask and Bottle are used. A raw path is never a route. At most `max_routes` routes are
    distinguished.

    >>> class Printer:
    ...     def count(self, pk=None, dimensions=None, metrics=None):
    ...         print(pk, dimensions["status"], metrics["requests"])
    >>> def hello(environ, start_response):
    ...     start_response("200 OK", [])
    ...     return [b"Hello"]
    >>> body = CountRequests(hello, Printer())({"REQUEST_METHOD": "GET"}, lambda *_: None)
    >>> b"".join(body)
    b'Hello'
    >>> body.close()
    Requests {'2xx': '200'} 1
    """

    def __init__(
        self,
        app: WSGIApplication,
        counter: EventCounter,
        *,
        route_of: Callable[[WSGIEnvironment], str | None] | None = None,
        pk: PathLike = "Requests",
        max_routes: int = 200,
    ) -> None:
        self._app = app
        self._route_of = route_of or framework_route
        self._requests = RequestEvents(counter, pk, max_routes)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve a request, and count it when the server has finished."""
        began_s = time.perf_counter()
        status, route = 500, ""

        def started(line: str, headers: list[tuple[str, str]], *fault: Any) -> Any:
            nonlocal status, route
            status = int(line[:3])
            # Read now, because Flask drops the request once it has answered.
            route = self._requests.route(lambda: self._route_of(environ))
            return start_response(line, headers, *fault)

        def done() -> None:
            took_s = time.perf_counter() - began_s
            told = route or self._requests.route(lambda: self._route_of(environ))
            self._requests.count(told, environ.get("REQUEST_METHOD", ""), status, took_s)

        try:
            body = self._app(environ, started)
        except BaseException:
            status = 500
            done()
            raise
        wrapper = environ.get("wsgi.file_wrapper")
        # In some servers it is a function, and they send its files like any other body.
        if isinstance(wrapper, type) and isinstance(body, wrapper):
            done()  # a file is sent by the server itself, which knows it by its type alone
            return body
        return (_Sized if hasattr(body, "__len__") else _Body)(body, done)


class _Body:
    """A response body that reports its end."""

    def __init__(self, body: Iterable[bytes], done: Callable[[], None]) -> None:
        self._body = body
        self._done = done

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)

    def close(self) -> None:
        """Report the end; called when the server has finished or the client disconnected."""
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                close()
        finally:
            self._done()


class _Sized(_Body):
    """A body with a length, which servers use for the Content-Length."""

    def __len__(self) -> int:
        return len(self._body)  # type: ignore[arg-type]


def framework_route(environ: WSGIEnvironment) -> str | None:
    """Return the rule that Flask (Werkzeug) or Bottle stored in the environ of a served request."""
    request = environ.get("werkzeug.request")
    found = getattr(request, "url_rule", None) or environ.get("bottle.route")
    return getattr(found, "rule", None)
