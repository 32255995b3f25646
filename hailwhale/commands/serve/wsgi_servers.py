"""Selects the WSGI server: gunicorn, which is always installed, or Granian, which is faster.

Imports a server only if it is to serve.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from importlib.util import find_spec
from typing import Protocol

from hailwhale.errors import BadSetting
from hailwhale.settings import Settings
from hailwhale.web.lazy_app import LazyApp


class RunServer(Protocol):
    """Serves an app on a listener until SIGTERM.

    It takes ownership of the listener. It answers the requests in flight and returns, or ends by
    SystemExit. It calls `ready` once it listens.
    """

    def __call__(
        self,
        app: LazyApp,
        settings: Settings,
        listener: socket.socket,
        ready: Callable[[], None] = ...,
    ) -> None: ...


def server_name(settings: Settings) -> str:
    """Return `gunicorn` or `granian`, from the settings; `auto` is the fastest installed.

    Raises `BadSetting` when the one they name is not installed.
    """
    has_granian = find_spec("granian") is not None
    if settings.server == "granian" and not has_granian:
        raise BadSetting(
            "HAILWHALE_SERVER: granian is not installed: pip install 'hailwhale[fast]', or serve "
            "with gunicorn (--server gunicorn)"
        )
    if settings.server == "auto":
        return "granian" if has_granian else "gunicorn"
    return settings.server


def server(settings: Settings) -> RunServer:
    """Return the server of that name; raise `BadSetting` as `server_name` does."""
    if server_name(settings) == "granian":
        from hailwhale.commands.serve.granian import run as run_granian

        return run_granian
    from hailwhale.commands.serve.gunicorn import run as run_gunicorn

    return run_gunicorn
