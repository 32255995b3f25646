"""The dashboard, the demo and the files of ``static/``, wherever the package is installed."""

from __future__ import annotations

from collections.abc import Sequence

import bottle

from hailwhale.web.assets import static_folder
from hailwhale.web.responses import first_wanted, json_reply

_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors "
)


def add_pages(app: bottle.Bottle, frame_origins: Sequence[str] = ()) -> None:
    """Mount /, /demo and /static/. Pages of `frame_origins` may show ours in a frame."""
    headers = {
        "Content-Security-Policy": _POLICY + (" ".join(frame_origins) or "'none'"),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-cache",  # revalidated: pages and scripts are of one release
    }

    def file(name: str) -> bottle.HTTPResponse:
        # Files are small, so send them whole: for a range past the end Bottle leaves them open.
        bottle.request.environ.pop("HTTP_RANGE", None)
        # The MIME table maps .ts to a video.
        kind = "text/plain" if name.endswith(".d.ts") else True
        return bottle.static_file(name, root=str(static_folder()), mimetype=kind, headers=headers)

    def front() -> bottle.HTTPResponse:
        """Return the dashboard to a browser, and to any other client the list of routes."""
        if first_wanted(bottle.request.environ.get("HTTP_ACCEPT", "")) == "text/html":
            return file("dashboard.html")
        paths = sorted({route.rule for route in app.routes})
        return json_reply({"service": "hailwhale", "routes": paths})

    app.route("/", "GET", front)
    app.route("/demo", "GET", lambda: file("demo.html"))
    app.route("/static/<name:path>", "GET", file)
