"""A program: serves the WSGI environ of each request as JSON, by the server that is named.

    python -m tests.attacks.environ_echo gunicorn

It runs the servers exactly as `hailwhale serve` does, with an app in place of HailWhale's.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from typing import Any

from hailwhale.commands.serve.sockets import listen, netloc
from hailwhale.commands.serve.wsgi_servers import server
from hailwhale.services.container import Services
from hailwhale.settings import Settings
from hailwhale.web.lazy_app import LazyApp, WSGIApp


class EchoApp(LazyApp):
    """Answer with the texts of the environ; needs no store."""

    def __init__(self) -> None:
        super().__init__(_never_made)

    def prepare(self) -> None:
        """Do nothing: there is no store to open."""

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        told = {name: value for name, value in environ.items() if isinstance(value, str)}
        body = json.dumps(told).encode()
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        start_response("200 OK", headers)
        return [body]


def _never_made(_services: Services) -> WSGIApp:
    raise AssertionError("this app has no services")


if __name__ == "__main__":
    settings = Settings.from_env(server=sys.argv[1])
    listener = listen("127.0.0.1", 0)
    where = netloc(*listener.getsockname()[:2])
    server(settings)(
        EchoApp(), settings, listener, lambda: print(f"echo on http://{where}", flush=True)
    )
