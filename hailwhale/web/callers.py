"""Decides whether a caller that shows no token may use a route that needs none.

Without a token nothing proves that the operator sent a request: any page in the operator's browser
can send one to a service on the same machine. What a caller has to show instead is a Host that the
operator knows, and nothing that only the page of another site would send. `route_classes` defines
what each route is for. Knows nothing of tokens, and nothing of what a route does.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from hailwhale.core.security.hosts import (
    HostPort,
    SiteOrigin,
    is_loopback_host,
    parse_host,
    parse_origin,
)
from hailwhale.errors import shown
from hailwhale.settings import Settings
from hailwhale.web.request import Environ
from hailwhale.web.route_classes import RouteClass

ANY_ORIGIN = "*"
# Headers that programs send. Any other header of a GET is taken for a browser's, so that headers
# which browsers are yet to invent are, too.
PROGRAM_HEADERS = frozenset(
    {
        *("HTTP_HOST", "HTTP_USER_AGENT", "HTTP_ACCEPT", "HTTP_ACCEPT_ENCODING"),
        *("HTTP_CONNECTION", "HTTP_KEEP_ALIVE", "HTTP_TE", "HTTP_TRANSFER_ENCODING"),
        *("HTTP_CACHE_CONTROL", "HTTP_PRAGMA", "HTTP_AUTHORIZATION", "HTTP_EXPECT"),
        *("HTTP_X_REQUEST_ID", "HTTP_TRACEPARENT", "HTTP_TRACESTATE"),
        *("HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH"),
    }
)
_BROWSER_AGENT = "mozilla/"  # how the User-Agent of every browser begins
_OWN_FETCH = ("same-origin", "none")  # none: the operator typed the address or opened a bookmark


class Site(Enum):
    """The site whose page sent a request, as far as the request says."""

    UNNAMED = "unnamed"  # no page, or one that does not say so
    HIDDEN = "hidden"  # another one, unnamed: it shows an answer and cannot read it
    OWN = "own"
    READER = "reader"  # of HAILWHALE_CORS_ORIGINS
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """What a request says about its sender.

    `browser` is whether it names itself a browser, `program` whether it sends only what programs
    send.
    """

    host: str
    host_known: bool
    host_loopback: bool
    site: Site
    upgrade: bool
    browser: bool
    program: bool
    post: bool


class Refusal(NamedTuple):
    """Why a request is refused: one word for the metrics, and what to do instead."""

    reason: str
    message: str


_UPGRADE = Refusal("upgrade", "forbidden with an Upgrade header: this service has no WebSockets")
_SITE = Refusal(
    "site", "forbidden for pages of other sites; HAILWHALE_CORS_ORIGINS names those that may read"
)
_GET = Refusal("get", "a GET changes data only for a program that uses a loopback host: use POST")


def refusal(route_class: RouteClass, caller: Caller) -> Refusal | None:
    """Return why a caller without a token may not use a route of a class; None if it may.

    The route needs no token here. Whether one is needed is decided elsewhere.
    """
    if route_class in (RouteClass.PUBLIC, RouteClass.COUNT):
        return None
    if not caller.host_known:
        return Refusal(
            "host",
            f"the Host {shown(caller.host)} is unknown: add it to HAILWHALE_HOSTS "
            "(or HAILWHALE_PUBLIC_URL), or use a token",
        )
    if caller.upgrade:
        return _UPGRADE
    if caller.site is Site.OTHER:
        return _SITE
    if route_class is not RouteClass.OPERATE:
        return None
    if caller.site in (Site.READER, Site.HIDDEN):
        return _SITE
    if not caller.post:
        return None if caller.host_loopback and caller.program else _GET
    # Every browser names the origin of the page that sends a POST.
    return _SITE if caller.browser and caller.site is not Site.OWN else None


class Callers:
    """Reads callers from requests, by the hosts and origins of the settings."""

    def __init__(self, settings: Settings) -> None:
        home = parse_origin(settings.public_url)
        self._home = home
        self._hosts = frozenset((*settings.hosts, *((home.host,) if home else ())))
        self._any_reads = ANY_ORIGIN in settings.cors_origins
        self._readers = frozenset(map(parse_origin, settings.cors_origins)) - {None}

    def read(self, environ: Environ) -> Caller:
        """Return what a request says about its sender."""
        text: str = environ.get("HTTP_HOST", "")
        place = parse_host(text)
        loopback = place is not None and is_loopback_host(place.host)
        agent: str = environ.get("HTTP_USER_AGENT", "")
        browser = agent.lower().startswith(_BROWSER_AGENT)
        return Caller(
            host=text,
            host_known=loopback or (place is not None and place.host in self._hosts),
            host_loopback=loopback,
            site=self._site(environ, place),
            upgrade="HTTP_UPGRADE" in environ
            or "upgrade" in _tokens(environ.get("HTTP_CONNECTION", "")),
            browser=browser,
            program=not browser and _sends_only(environ, PROGRAM_HEADERS),
            post=environ.get("REQUEST_METHOD") == "POST",
        )

    def _site(self, environ: Environ, place: HostPort | None) -> Site:
        """Return the site that sent a request; each header that names one must name the same."""
        named = [environ[name] for name in ("HTTP_ORIGIN", "HTTP_REFERER") if name in environ]
        fetch = environ.get("HTTP_SEC_FETCH_SITE")
        if all(self._is_own(parse_origin(text), place) for text in named):
            if fetch is not None and fetch not in _OWN_FETCH:
                return Site.OTHER if named else Site.HIDDEN
            return Site.OWN if named or fetch == "same-origin" else Site.UNNAMED
        reads = self._any_reads or all(self._is_reader(text) for text in named)
        return Site.READER if reads else Site.OTHER

    def _is_own(self, origin: SiteOrigin | None, place: HostPort | None) -> bool:
        if origin is None:
            return False
        return origin == self._home or (place is not None and origin.is_at(place))

    def _is_reader(self, text: str) -> bool:
        origin = parse_origin(text)
        return origin is not None and origin in self._readers


def _tokens(text: str) -> Sequence[str]:
    return [part.strip().lower() for part in text.split(",")]


def _sends_only(environ: Environ, headers: Collection[str]) -> bool:
    return all(name in headers for name in environ if name.startswith("HTTP_"))
