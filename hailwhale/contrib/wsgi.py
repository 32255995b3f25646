"""Counts the requests of any WSGI application: Flask, Bottle, Pyramid, Django, …

Owns when a request begins and ends under WSGI. What is counted of it is `counting`'s.
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
    """A WSGI application that serves what `app` serves, and counts it.

    `counter` is a `hailwhale.client.Client`, which never keeps a request waiting, or anything with
    such a `count`. `route_of` says of a request's environ what its route is, None for none; without
    it the rules of Flask and Bottle are used. A raw path is never a route: at most `max_routes`
    are told apart.

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
        """Serve a request; it is counted when the server is done with it."""
        began_s = time.perf_counter()
        status, route = 500, ""

        def started(line: str, headers: list[tuple[str, str]], *fault: Any) -> Any:
            nonlocal status, route
            status = int(line[:3])
            # Now, for when it has answered Flask forgets what it was asked.
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
        # Of some servers it is a function, whose files they send as any body.
        if isinstance(wrapper, type) and isinstance(body, wrapper):
            done()  # a file is sent by the server itself, which knows it by its type alone
            return body
        return (_Sized if hasattr(body, "__len__") else _Body)(body, done)


class _Body:
    """A body whose end is noticed."""

    def __init__(self, body: Iterable[bytes], done: Callable[[], None]) -> None:
        self._body = body
        self._done = done

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)

    def close(self) -> None:
        """The server is done, or the client went away."""
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                close()
        finally:
            self._done()


class _Sized(_Body):
    """One whose length servers look at, for a Content-Length."""

    def __len__(self) -> int:
        return len(self._body)  # type: ignore[arg-type]


def framework_route(environ: WSGIEnvironment) -> str | None:
    """The rule that Flask (Werkzeug) or Bottle left in the environ of a request they served."""
    request = environ.get("werkzeug.request")
    found = getattr(request, "url_rule", None) or environ.get("bottle.route")
    return getattr(found, "rule", None)
