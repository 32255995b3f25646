"""Scripts that pages of any site load: the beacon, and the responses for scripts.

Defines how long browsers may cache one. Knows nothing of what a script contains, or of who runs it.
"""

from __future__ import annotations

import bottle

from hailwhale.web.assets import Bundle, beacon

JAVASCRIPT = "text/javascript; charset=utf-8"
_FOR_EVER = "public, max-age=31536000, immutable"


def add_beacon(app: bottle.Bottle) -> None:
    """Mount /hailwhale.beacon.js."""
    app.route("/hailwhale.beacon.js", "GET", lambda: script_reply(beacon()))


def script_reply(bundle: Bundle) -> bottle.HTTPResponse:
    """Return a script, gzipped if the client accepts it.

    A request for its exact digest may cache it for ever; any other is revalidated each time.
    """
    environ = bottle.request.environ
    tag = f'"{bundle.digest}"'
    asked = f"v={bundle.digest}" == environ.get("QUERY_STRING")
    headers = {
        "Content-Type": JAVASCRIPT,
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Cache-Control": _FOR_EVER if asked else "no-cache",
        "ETag": tag,
        "Vary": "Accept-Encoding",
    }
    if environ.get("HTTP_IF_NONE_MATCH") == tag:
        return bottle.HTTPResponse("", 304, headers)
    if "gzip" in environ.get("HTTP_ACCEPT_ENCODING", ""):
        return bottle.HTTPResponse(bundle.zipped, 200, {**headers, "Content-Encoding": "gzip"})
    return bottle.HTTPResponse(bundle.text, 200, headers)
