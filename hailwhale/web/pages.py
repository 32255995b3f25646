"""The front page and the files of ``static/``, wherever the package was installed."""

from __future__ import annotations

from pathlib import Path

import bottle

import hailwhale
from hailwhale.web.replies import first_wanted, json_reply

_PACKAGE = Path(hailwhale.__file__).parent
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def add_pages(app: bottle.Bottle) -> None:
    """Mount / and /static/."""

    def front() -> bottle.HTTPResponse:
        """The front page for a browser; for anything else the routes there are."""
        if first_wanted(bottle.request.environ.get("HTTP_ACCEPT", "")) == "text/html":
            return _file("index.html")
        paths = sorted({route.rule for route in app.routes})
        return json_reply({"service": "hailwhale", "routes": paths})

    app.route("/", "GET", front)
    app.route("/static/<name:path>", "GET", _file)


def static_folder() -> Path:
    """Where the static files are: inside the package when installed, beside it in a checkout."""
    installed = _PACKAGE / "static"
    return installed if installed.is_dir() else _PACKAGE.parent / "static"


def _file(name: str) -> bottle.HTTPResponse:
    # They are small, so always whole: of a range past the end, Bottle leaves the file open.
    bottle.request.environ.pop("HTTP_RANGE", None)
    return bottle.static_file(name, root=str(static_folder()), headers=_HEADERS)
