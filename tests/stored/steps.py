"""Perform steps against the HailWhale of the environment: requests, commands, a flush.

Run as a program it reads steps from stdin, performs them with the clock standing still and writes
the answers to stdout. It uses only public interfaces: the WSGI applications, the command line,
HAILWHALE_* variables. So the same file runs under the commit that writes a store and under every
later one that reads it. It knows neither stores nor what an answer should be.

    {"get": "/totals", "query": {"pk": "Shop"}}       -> {"status": 200, "json": {…}}
    {"post": "/count", "body": [{"pk": "Shop"}]}      -> likewise; a text body is sent as NDJSON
    {"run": ["tokens", "list"]}                       -> {"code": 0, "out": "…", "err": "…"}
    {"append": "access.log", "text": "…"}             -> {}; into the working directory
    {"unspool": "/data/spool"}                        -> {}; returns when no spool file is left

A request has "app": "hail" if it goes to hail instead of whale. It has "token" if the bearer token
is not that of the admin. "hooks" of the whole are the webhooks that were sent meanwhile.
"""

from __future__ import annotations

import io
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlencode

import simplejson

Step = Mapping[str, Any]

ADMIN = "admin-of-the-stored-stores"
PATIENCE_S = 60.0
_POLL_S = 0.02


def perform(step: Step) -> dict[str, Any]:
    """Perform one step and return its answer."""
    if "run" in step:
        return _run(step["run"])
    if "append" in step:
        with Path(step["append"]).open("a", encoding="utf-8") as file:
            file.write(step["text"])
        return {}
    if "unspool" in step:
        return _unspool(Path(step["unspool"]))
    return _request(step)


def _run(arguments: Sequence[str]) -> dict[str, Any]:
    from hailwhale.cli import main

    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            code: object = main(arguments)
        except SystemExit as end:  # what argparse does with a command that it does not know
            code = end.code
    return {"code": code, "out": out.getvalue(), "err": err.getvalue()}


def _unspool(folder: Path) -> dict[str, Any]:
    """Open hail, which hands on what its machine's spool holds, and wait until it has."""
    _request({"get": "/healthz", "app": "hail"})
    deadline_s = time.monotonic() + PATIENCE_S
    while any(folder.glob("*.spool")):
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"{folder} still holds hits")
        time.sleep(_POLL_S)
    return {}


def _request(step: Step) -> dict[str, Any]:
    from hailwhale import wsgi

    app: Callable[..., Any] = wsgi.application
    if step.get("app") == "hail":
        app = wsgi.hail_application
    body, query = step.get("body", ""), dict(step.get("query", {}))
    kind = "application/x-ndjson" if isinstance(body, str) else "application/json"
    sent = _text(body).encode()
    environ = {
        "REQUEST_METHOD": "POST" if "post" in step else "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": step.get("post") or step["get"],
        "QUERY_STRING": urlencode({name: _text(value) for name, value in query.items()}),
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8085",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "127.0.0.1:8085",
        "HTTP_AUTHORIZATION": f"Bearer {step.get('token', ADMIN)}",
        "CONTENT_TYPE": kind if "post" in step else "",
        "CONTENT_LENGTH": str(len(sent)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(sent),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    return _answer(app, environ)


def _answer(app: Callable[..., Any], environ: dict[str, Any]) -> dict[str, Any]:
    status, kind = 0, ""

    def start_response(line: str, headers: Sequence[tuple[str, str]], *_: object) -> None:
        nonlocal status, kind
        status = int(line[:3])
        kind = {name.lower(): value for name, value in headers}.get("content-type", "")

    body = b"".join(app(environ, start_response))
    if kind.startswith("application/json"):
        return {"status": status, "json": simplejson.loads(body, use_decimal=True)}
    return {"status": status, "text": body.decode() if kind.startswith("text/") else kind}


def _text(value: object) -> str:
    return value if isinstance(value, str) else simplejson.dumps(value)


@contextmanager
def hooks_received() -> Iterator[list[dict[str, Any]]]:
    """Be the proxy of all plain HTTP of this process, and take whatever webhook comes.

    So a rules file may name a host that there is not, the same on every machine.
    """
    received: list[dict[str, Any]] = []

    class Taker(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = simplejson.loads(self.rfile.read(int(self.headers["Content-Length"])))
            received.append({"url": self.path, "kind": body["kind"]})
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Taker) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": _POLL_S})
        thread.start()
        os.environ["http_proxy"] = f"http://127.0.0.1:{server.server_port}"
        try:
            yield received
        finally:
            server.shutdown()
            thread.join()


def stand_still(clock_s: float) -> None:
    """Stop the clock of this process, before any module has looked at it."""
    assert not any(name.partition(".")[0] == "hailwhale" for name in sys.modules)
    time.time = lambda: clock_s


def dumped(value: object) -> str:
    """JSON of one line with exact decimals: what is stored and compared."""
    text: str = simplejson.dumps(value, use_decimal=True, ensure_ascii=False)
    return text


def main() -> int:
    """Perform the steps on stdin; see the head of this file."""
    order = simplejson.loads(sys.stdin.read(), use_decimal=True)
    stand_still(float(order["clock_s"]))
    with hooks_received() as hooks:
        answers = [perform(step) for step in order["steps"]]
    sys.stdout.write(dumped({"answers": answers, "hooks": hooks}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
