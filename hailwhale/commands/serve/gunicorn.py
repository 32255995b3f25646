"""Runs a WSGI app under gunicorn; ignores configuration files and GUNICORN_CMD_ARGS.

gunicorn trusts no peer here: no header changes the path, the scheme or the client's address. Its
own default trusts every client of 127.0.0.1, which includes whatever a local proxy passes on. The
app reads X-Forwarded-For and X-Forwarded-Proto itself, from HAILWHALE_TRUSTED_PROXIES alone.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from hailwhale.commands.serve.signals import GRACE_S, end_with_parent
from hailwhale.commands.serve.sockets import BACKLOG
from hailwhale.settings import Settings
from hailwhale.web.lazy_app import LazyApp

_KEEPALIVE_S = 15
_LONGEST_REQUEST_LINE = 8190  # the most gunicorn allows; longer events go into a POST
_SHARED_MEMORY = "/dev/shm"  # noqa: S108 - a file there is never written to disk
# A Unix socket's peer is always trusted by gunicorn, so the lists of headers are empty, too.
_TRUST_NOBODY: dict[str, Any] = {
    "forwarded_allow_ips": "",  # the default is the variable FORWARDED_ALLOW_IPS
    "forwarder_headers": "",
    "secure_scheme_headers": {},
    "header_map": "drop",  # a header with an underscore could pass for one with a hyphen
    "proxy_protocol": False,
    "proxy_allow_ips": "",
}


class _Log(Logger):  # type: ignore[misc]
    def setup(self, cfg: object) -> None:
        super().setup(cfg)
        for ours in logging.getLogger().handlers:
            for handler in self.error_log.handlers:
                handler.setFormatter(ours.formatter)


class _GunicornServer(BaseApplication):  # type: ignore[misc]
    def __init__(self, app: LazyApp, options: dict[str, Any]) -> None:
        self._app = app
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            if name in self.cfg.settings:  # gunicorn 23 has not all of 27's
                self.cfg.set(name, value)

    def load(self) -> LazyApp:
        """Return the app; called in each worker after the fork."""
        self._app.prepare()
        return self._app


def run(
    app: LazyApp,
    settings: Settings,
    listener: socket.socket,
    ready: Callable[[], None] = lambda: None,
) -> None:
    """Serve until SIGTERM, then answer the requests in flight; end by SystemExit.

    Takes ownership of the listener. Calls `ready` once the server listens on it.
    """

    def after_fork(_arbiter: object, worker: Any) -> None:
        end_with_parent(worker.ppid)

    _GunicornServer(
        app,
        {
            "bind": [f"fd://{listener.detach()}"],
            "backlog": BACKLOG,
            "worker_class": "gthread",
            "workers": settings.workers,
            "threads": settings.threads,
            "worker_tmp_dir": _SHARED_MEMORY if os.access(_SHARED_MEMORY, os.W_OK) else None,
            "keepalive": _KEEPALIVE_S,
            "graceful_timeout": GRACE_S,
            "limit_request_line": _LONGEST_REQUEST_LINE,
            "accesslog": None,
            "errorlog": "-",
            "loglevel": "warning",
            "logger_class": _Log,
            "control_socket_disable": True,
            "proc_name": "hailwhale",
            "when_ready": lambda _arbiter: ready(),
            "post_fork": after_fork,
            **_TRUST_NOBODY,
        },
    ).run()
