"""/tracker: counts a visit and distinguishes visitors by a cookie only this service can create.

Defines the cookie and when none is set. The cookie contains a random uid and nothing of the
visitor; the counts contain it as a hash only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from itertools import islice
from typing import Any

import bottle

from hailwhale.core.events.param_names import Fields
from hailwhale.errors import StoreUnavailable
from hailwhale.services.container import Services
from hailwhale.services.security.signed_cookie import CookieSigner
from hailwhale.settings import Settings
from hailwhale.store.types import AcceptStatus
from hailwhale.web.client_address import is_encrypted
from hailwhale.web.request import SizeLimits, query_fields
from hailwhale.web.responses import head_refused, text_reply

COOKIE = "hwuid"
_COOKIE_FORM = re.compile(r"([A-Za-z0-9_-]{16})\.[A-Za-z0-9_-]{16}")

_MOST_SENT = 4  # cookies of this name that are looked at

# The one cookie that counts, as `cookie` sets it; some proxies add quotes. The standard library's
# parser reads all of a header, in quadratic time.
_SENT = re.compile(rf"(?:^|;) ?{COOKIE}=\"?([A-Za-z0-9._~-]{{1,512}})\"?(?=;|$)", re.ASCII)


def add_tracker(
    app: bottle.Bottle,
    services: Services,
    sizes: SizeLimits,
    count: Callable[[Fields], AcceptStatus],
) -> None:
    """Mount /tracker, which answers with the uid, or with an empty text if there is none."""
    settings, visitors, cookies = services.settings, services.visitors, services.cookies

    def tracker() -> bottle.HTTPResponse:
        environ = bottle.request.environ
        fields = query_fields(environ, sizes)
        given = fields.pop("uid", "")
        if settings.honour_dnt and _does_not_want(environ):
            count(fields)
            return text_reply("")
        try:
            uid = str(given) or known_uid(environ, cookies) or visitors.new_uid()
            signed = "" if given else cookies.sign(uid)
        except StoreUnavailable:  # the key of cookies was never read: no cookie can be made
            uid, signed = _claimed(environ), ""
        count({**fields, "uid": uid})
        reply = text_reply(uid)
        if signed:
            reply.add_header("Set-Cookie", cookie(signed, settings, environ))
        return reply

    app.route("/tracker", "GET", tracker)
    app.route("/tracker", "HEAD", head_refused)


def cookie(value: str, settings: Settings, environ: Mapping[str, Any]) -> str:
    """Return the header that sets the cookie: not readable by scripts, Secure if HTTPS is used."""
    parts = [
        f"{COOKIE}={value}",
        f"Max-Age={int(timedelta(days=settings.cookie_days).total_seconds())}",
        "Path=/",
        "HttpOnly",
        f"SameSite={settings.cookie_samesite.capitalize()}",
    ]
    encrypted = is_encrypted(environ, settings.trusted_proxies)
    encrypted = encrypted or settings.home.startswith("https:")
    if encrypted or settings.cookie_samesite == "none":
        parts.append("Secure")
    return "; ".join(parts)


def _does_not_want(environ: Mapping[str, Any]) -> bool:
    return environ.get("HTTP_DNT") == "1" or environ.get("HTTP_SEC_GPC") == "1"


def known_uid(environ: Mapping[str, Any], cookies: CookieSigner) -> str | None:
    """Return the uid of a valid cookie; None if there is none."""
    return next(filter(None, map(cookies.verify, _values(environ))), None)


def _claimed(environ: Mapping[str, Any]) -> str:
    """Return the uid of a cookie that cannot be verified now; "" if none of ours has its form.

    A caller may send any uid as a parameter, so believing one counts no more than that would.
    """
    found = (_COOKIE_FORM.fullmatch(value) for value in _values(environ))
    return next((each[1] for each in found if each), "")


def _values(environ: Mapping[str, Any]) -> Iterator[str]:
    """Yield the values of the first cookies of our name."""
    sent = _SENT.finditer(environ.get("HTTP_COOKIE", ""))
    return (each[1] for each in islice(sent, _MOST_SENT))
