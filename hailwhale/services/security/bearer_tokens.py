"""Bearer tokens: what they permit and for which root pks; created, looked up, revoked.

Defines their format. The store has only a hash of each token. Knows nothing of HTTP.

A token is ``hw_<id>_<secret>``. The secret has 256 random bits, so a plain hash of it reveals
nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from threading import Lock
from typing import NamedTuple

from hailwhale.core.events.limits import Limits
from hailwhale.core.events.literals import parse_cached
from hailwhale.core.events.paths import parse_label, parse_pk
from hailwhale.errors import BadInput, NotYours, StoreUnavailable
from hailwhale.store.protocol import TokenStore

FRESH_S = 5.0  # lifetime of cached tokens: a revoked one may stay valid for as long
RETRY_S = 1.0  # an unknown token is looked up again after that
_FORM = re.compile(r"hw_([0-9a-f]{8})_([A-Za-z0-9_-]{43})", re.ASCII)
_NOBODY = hashlib.sha256(b"").hexdigest()


class Scope(Enum):
    """The permissions that a token can have."""

    COUNT = "count"
    READ = "read"
    ADMIN = "admin"  # everything


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token; without `roots` it is valid for all root pks."""

    id: str
    name: str
    scopes: frozenset[Scope]
    roots: frozenset[str]
    made_s: int
    digest: str

    def may(self, needs: Collection[Scope]) -> bool:
        """Return whether it permits all of these scopes."""
        return Scope.ADMIN in self.scopes or self.scopes.issuperset(needs)


@dataclass(frozen=True, slots=True)
class RootBinding:
    """Limit queries and events to some root pks."""

    roots: frozenset[str]
    limits: Limits

    def check(self, fields: Mapping[str, object]) -> None:
        """Raise `NotYours` if the fields name another root pk."""
        pk = parse_cached(fields.get("pk"), parse_pk, self.limits)
        if pk[0] not in self.roots:
            raise NotYours("pk", pk[0], f"a pk under {' or '.join(sorted(self.roots))}")


class NewToken(NamedTuple):
    """A new token and its text, which is stored nowhere."""

    token: Token
    text: str


class Tokens:
    """The tokens of a store, cached for a few seconds; `clock` is monotonic."""

    def __init__(self, records: TokenStore, clock: Callable[[], float]) -> None:
        self._records = records
        self._clock = clock
        self._known: Mapping[str, Token] | None = None
        self._asked_s = float("-inf")
        self._lock = Lock()

    def known(self, fresh_s: float = FRESH_S) -> Mapping[str, Token]:
        """Return all tokens by id, as read from the store in the last `fresh_s` seconds.

        While the store is unavailable the last known tokens are returned. Raises `StoreUnavailable`
        if there are none yet.
        """
        with self._lock:
            if self._known is None or self._clock() - self._asked_s >= fresh_s:
                try:
                    self._known = {id: _read(id, text) for id, text in self._records.all().items()}
                except StoreUnavailable:
                    if self._known is None:
                        raise
                self._asked_s = self._clock()
            return self._known

    def find(self, text: str) -> Token | None:
        """Return the token with this text; None if there is none."""
        form = _FORM.fullmatch(text)
        if form is None:
            return None
        token = self.known().get(form[1]) or self.known(RETRY_S).get(form[1])
        same = hmac.compare_digest(_digest(form[2]), token.digest if token else _NOBODY)
        return token if same else None

    def add(
        self, name: str, scopes: Collection[Scope], roots: Sequence[str], limits: Limits, now_s: int
    ) -> NewToken:
        """Create a token; raise `BadInput` if its name is taken or it has no scope."""
        parse_label(name, limits, "name")
        if any(token.name == name for token in self.known(0).values()):
            raise BadInput("name", name, "another name: a token with this name exists")
        if not scopes:
            raise BadInput("scope", None, f"one of {' '.join(each.value for each in Scope)}")
        bound = frozenset(parse_label(root, limits, "root") for root in roots)
        id, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
        token = Token(id, name, frozenset(scopes), bound, now_s, _digest(secret))
        self._records.put(id, _written(token))
        self._known = None
        return NewToken(token, f"hw_{id}_{secret}")

    def revoke(self, which: str) -> Token:
        """Revoke a token by its name or id; raise `BadInput` if there is none."""
        for token in self.known(0).values():
            if which in (token.id, token.name) and self._records.drop(token.id):
                self._known = None
                return token
        raise BadInput("token", which, "the name or id of a token: see `hailwhale tokens list`")


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _written(token: Token) -> bytes:
    return json.dumps(
        {
            "name": token.name,
            "scopes": sorted(scope.value for scope in token.scopes),
            "roots": sorted(token.roots),
            "made_s": token.made_s,
            "sha256": token.digest,
        }
    ).encode()


def _read(id: str, record: bytes) -> Token:
    found = json.loads(record)
    return Token(
        id,
        found["name"],
        frozenset(map(Scope, found["scopes"])),
        frozenset(found["roots"]),
        found["made_s"],
        found["sha256"],
    )
