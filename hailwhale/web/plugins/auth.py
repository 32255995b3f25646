"""Authorization: bearer tokens, sealed graphs, open access, and rate limits.

Defines the plugin that checks every request before its route runs. A route needs a token of the
scopes of its class. Where none is needed, `callers` decides who else may use it. Knows nothing of
what a route does.

Leaves its results in the environ for `web.request`: a token's root pks, a sealed query.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Any

import bottle

from hailwhale.core.graph.options import GRAPH_PARAMETERS
from hailwhale.core.query.parameters import PLOT_PARAMETERS, TOTALS_PARAMETERS
from hailwhale.errors import BadSeal, NotAllowed, StoreUnavailable
from hailwhale.services.container import Services
from hailwhale.services.ingest.bots import is_bot
from hailwhale.services.security.bearer_tokens import RootBinding, Scope, Token
from hailwhale.services.security.bind_check import is_loopback
from hailwhale.web.callers import Callers, refusal
from hailwhale.web.client_address import network_of
from hailwhale.web.plugins.request_log import note_refused
from hailwhale.web.request import BOUND, CALLER, SEALED, Environ, SizeLimits, query_fields
from hailwhale.web.responses import left_out_reply
from hailwhale.web.route_classes import PIXEL, RouteClass, class_of

Needs = frozenset[Scope]

READ: Needs = RouteClass.READ.value
COUNT: Needs = RouteClass.COUNT.value
ADMIN: Needs = RouteClass.OPERATE.value

# Sealed parameters that each of these routes uses; the rest is about display.
SEALABLE = {
    "/totals": TOTALS_PARAMETERS,
    "/plotpoints": PLOT_PARAMETERS,
    "/graph.json": PLOT_PARAMETERS,
    "/graph.svg": GRAPH_PARAMETERS,
    "/graph.js": GRAPH_PARAMETERS,
}
_HEALTH = ("/healthz", "/readyz")
_OF_ALL_ROOTS = ("/metrics", "/flush_hail")
_NOT_IN_URL = (
    "; token= in a URL is for sealed graphs, other tokens belong in the header "
    "'Authorization: Bearer <token>'"
)
_BESIDE = ("token", "format", "target", "hwurl")  # allowed in a URL next to a sealed graph
_DETAILS = "hailwhale.details"
_BOT = "hailwhale.bot"


def sees_details(environ: Environ) -> bool:
    """Return whether the caller of a public route may see more than that the service is alive."""
    return bool(environ.get(_DETAILS, True))


def says_bot(environ: Environ) -> bool:
    """Return whether the events of this caller are to be left out of the counts."""
    return _BOT in environ


class Auth:
    """A Bottle plugin that lets requests through to their routes, or raises why it refuses them.

    Installed after the plugin that turns exceptions into responses. Counting that is open to all
    does not read the store.
    """

    name = "access"
    api = 2

    def __init__(self, services: Services, sizes: SizeLimits) -> None:
        self._settings = services.settings
        self._tokens = services.tokens
        self._sealing = services.sealing
        self._limiter = services.limiter
        self._sizes = sizes
        self._admin = services.settings.admin_token.encode()
        self._callers = Callers(services.settings)

    def apply(self, callback: Callable[..., Any], route: bottle.Route) -> Callable[..., Any]:
        rule = route.rule
        needs = class_of(rule).value
        if route.method == "OPTIONS" or (not needs and rule not in (*SEALABLE, *_HEALTH)):
            return self._limited(callback)
        settings = self._settings
        free = needs == COUNT and self._limiter is None and not settings.skip_bots
        free = free and (settings.counting == "open" or (rule, settings.counting) == _SEALED_PIXEL)

        def admitted(*args: Any, **kwargs: Any) -> Any:
            environ = bottle.request.environ
            if free and "HTTP_AUTHORIZATION" not in environ:
                return callback(*args, **kwargs)
            if rule in _HEALTH:
                self.limit_stranger(environ)
                environ[_DETAILS] = self._may_see_details(environ)
            elif self._admit(environ, rule, needs) is None and self._leaves_out(environ, needs):
                note_refused(environ, "bot")
                environ[_BOT] = True
                if needs == COUNT:
                    return left_out_reply(environ, rule.endswith(".gif"))
            return callback(*args, **kwargs)

        return admitted

    def limit_stranger(self, environ: dict[str, Any]) -> None:
        """Count a request that needs no token; raise `TooMany` if its client is over the limit.

        A valid token has its own limit here, too.
        """
        if self._limiter is None:
            return
        shown = _bearer(environ)
        try:
            token = self._find(shown, READ) if shown else None
        except (NotAllowed, StoreUnavailable):
            token = None
        self._limit(environ, token)

    def _limited(self, callback: Callable[..., Any]) -> Callable[..., Any]:
        if self._limiter is None:
            return callback

        def limited(*args: Any, **kwargs: Any) -> Any:
            self.limit_stranger(bottle.request.environ)
            return callback(*args, **kwargs)

        return limited

    def _admit(self, environ: dict[str, Any], rule: str, needs: Needs) -> Token | None:
        """Return the token of an authorized caller; None if the caller needs none."""
        shown = _bearer(environ)
        try:
            token = self._find(shown, needs) if shown else None
        except NotAllowed:
            self._limit(environ, None)  # invalid tokens are rate-limited, too
            raise
        self._limit(environ, token)
        if self._unsealed(environ, rule):
            return None
        if token is None:
            if not self._is_open(rule, needs):
                raise self._closed(shown, needs)
            self._refuse_other_sites(environ, class_of(rule))
        elif not token.may(needs):
            raise NotAllowed(f"this requires a token with {scopes_text(needs)}", token_shown=True)
        elif token.roots and rule in _OF_ALL_ROOTS:
            raise NotAllowed(
                "this requires a token that is not limited to root pks", token_shown=True
            )
        elif token.roots:
            environ[BOUND] = RootBinding(token.roots, self._settings.limits)
        return token

    def _find(self, shown: str, needs: Needs) -> Token | None:
        if self._admin and hmac.compare_digest(shown.encode("latin-1", "replace"), self._admin):
            return _ADMIN
        try:
            token = self._tokens.find(shown)
            strange = token is None and self._is_closed(needs=ADMIN)
        except StoreUnavailable:
            if needs == COUNT and self._settings.counting == "open":
                return None  # no token is needed for this, and hits still go to the spool
            raise
        if strange:
            raise NotAllowed("this token is unknown or was revoked", token_shown=True)
        return token

    def _limit(self, environ: dict[str, Any], token: Token | None) -> None:
        if self._limiter is None:
            return
        if token is None:
            network = network_of(environ, self._settings.trusted_proxies)
            environ[CALLER] = ("client", network)
            self._limiter.client(network)
        else:
            environ[CALLER] = ("token", token.id)
            self._limiter.token(token.id)

    def _refuse_other_sites(self, environ: Environ, route_class: RouteClass) -> None:
        """Raise `NotAllowed` unless a caller without a token is the operator's, not a page's."""
        refused = refusal(route_class, self._callers.read(environ))
        if refused is None or self._is_published(route_class.value):
            return
        raise NotAllowed(refused.message, token_shown=True, reason=refused.reason)

    def _is_published(self, needs: Needs) -> bool:
        """Return whether the operator opened this to everybody and guards the rest by tokens."""
        return Scope.ADMIN not in needs and (
            self._settings.reading == "open" and self._is_closed(ADMIN)
        )

    def _is_open(self, rule: str, needs: Needs) -> bool:
        """Return whether a caller needs no token."""
        settings = self._settings
        if Scope.COUNT in needs and settings.counting != "open":
            return (rule, settings.counting) == _SEALED_PIXEL
        if Scope.READ in needs and settings.reading != "open":
            return not self._is_closed(needs)
        return Scope.ADMIN not in needs or not self._is_closed(needs)

    def _is_closed(self, needs: Needs) -> bool:
        """Return whether a token for this exists.

        On loopback an admin token closes admin routes only.
        """
        settings = self._settings
        admin = settings.admin_token and (Scope.ADMIN in needs or not is_loopback(settings.host))
        return bool(admin or settings.reading == "token" or self._tokens.known())

    def _may_see_details(self, environ: dict[str, Any]) -> bool:
        try:
            shown = _bearer(environ)
            token = self._find(shown, READ) if shown else None
            if token is None:
                if self._is_open("/healthz", READ):
                    self._refuse_other_sites(environ, RouteClass.READ)
                    return True
                return False
        except StoreUnavailable:  # tokens were never loaded: details on loopback only
            here = is_loopback(self._settings.host) and self._settings.reading != "token"
            return here and refusal(RouteClass.READ, self._callers.read(environ)) is None
        except NotAllowed:
            return False
        return token.may(READ) and not token.roots

    def _unsealed(self, environ: dict[str, Any], rule: str) -> bool:
        """Replace the request's query by that of a sealed graph; return whether it has one."""
        if rule not in SEALABLE or "token=" not in environ.get("QUERY_STRING", ""):
            return False
        given = query_fields(environ, self._sizes)
        if "token" not in given:
            return False
        more = [name for name in given if name not in _BESIDE and not name.startswith("_")]
        if more:
            raise BadSeal(
                f"a sealed graph does not accept the parameter {more[0][:64]}{_NOT_IN_URL}",
                "seal-slot",
            )
        sealed = self._sealing.question(str(given["token"]))
        beside = {name: given[name] for name in _BESIDE[1:] if name in given}
        environ[SEALED] = {
            name: value for name, value in sealed.items() if name in SEALABLE[rule]
        } | beside
        return True

    def _closed(self, shown: str, needs: Needs) -> NotAllowed:
        message = "this requires the header 'Authorization: Bearer <token>' with a token that has "
        message += scopes_text(needs)
        if needs == COUNT:
            counting = self._settings.counting
            message += ", or a sealed pixel" * (counting == "sealed")
            return NotAllowed(f"{message} (HAILWHALE_COUNTING={counting})", token_shown=bool(shown))
        return NotAllowed(message, token_shown=bool(shown))

    def _leaves_out(self, environ: dict[str, Any], needs: Needs) -> bool:
        return (
            self._settings.skip_bots
            and Scope.COUNT in needs
            and is_bot(environ.get("HTTP_USER_AGENT", ""))
        )


_SEALED_PIXEL = (PIXEL, "sealed")
_ADMIN = Token("admin", "HAILWHALE_ADMIN_TOKEN", frozenset({Scope.ADMIN}), frozenset(), 0, "")


def scopes_text(needs: Needs) -> str:
    """Name scopes as an error does.

    >>> scopes_text(COUNT | READ)
    'the scopes count and read'
    """
    names = sorted(scope.value for scope in needs)
    return f"the scope{'s' * (len(names) > 1)} {' and '.join(names)}"


def _bearer(environ: Environ) -> str:
    """Return the bearer token in the header (its bytes as Latin-1); "" if there is none."""
    scheme, _, shown = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    return shown.strip() if scheme.lower() == "bearer" else ""
