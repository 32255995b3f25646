"""Servers for a browser: the service, and other sites' pages that embed its graphs.

Owns sockets and threads. It knows neither what is served nor what is looked at.
"""

from __future__ import annotations

import socketserver
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

WSGIApp = Callable[..., Any]


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    """A thread a request: a browser asks for several things at once."""

    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore a browser that disconnects in the middle of an answer."""


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: what matters is asserted."""


@contextmanager
def serving(app: WSGIApp, host: str = "127.0.0.1") -> Iterator[str]:
    """Serve an application on a free port for a while; the origin it is at."""
    server = _Server((host, 0), _Quiet)
    server.set_app(app)
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


def site(files: Mapping[str, tuple[str, str | bytes]]) -> WSGIApp:
    """A site of fixed files: path to content type and content. The mapping may change under it."""

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        found = files.get(environ["PATH_INFO"])
        if found is None:
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return [b"no such file"]
        kind, content = found
        start_response("200 OK", [("Content-Type", kind)])
        return [content.encode() if isinstance(content, str) else content]

    return app
