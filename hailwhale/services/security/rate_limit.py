"""Rate limits: fixed windows, counted in the store for all processes.

Adapts the library `limits` to the store. While the store is unavailable each process counts for
itself. The library is imported only if there is a limit, because the import is slow.
"""

from __future__ import annotations

import math
import time
from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate
from threading import Lock
from typing import NamedTuple

from limits import RateLimitItem, parse_many
from limits.storage import MemoryStorage
from limits.storage.base import Storage
from limits.strategies import FixedWindowRateLimiter
from limits.util import WindowStats

from hailwhale.errors import StoreUnavailable, TooMany
from hailwhale.store.protocol import RateStore

_AWAY_S = 2.0  # how long a store that did not answer is not asked again
_MOST_BLOCKED = 10_000
_SETTINGS = {"client": "HAILWHALE_RATE_LIMIT", "token": "HAILWHALE_TOKEN_RATE_LIMIT"}


class StoreStorage(Storage):
    """A storage of the library `limits` that counts in the store."""

    STORAGE_SCHEME = None

    def __init__(self, rates: RateStore) -> None:
        super().__init__()
        self._rates = rates

    @property
    def base_exceptions(self) -> type[Exception]:
        return StoreUnavailable

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        return self._rates.add(key, amount, expiry).total

    def get(self, key: str) -> int:
        return self._rates.add(key, 0, 1).total

    def get_expiry(self, key: str) -> float:
        return time.time() + self._rates.add(key, 0, 1).left_ms / 1000

    def check(self) -> bool:
        self._rates.add("check", 0, 1)
        return True

    def reset(self) -> int | None:
        raise NotImplementedError("windows expire by themselves")

    def clear(self, key: str) -> None:
        raise NotImplementedError("windows expire by themselves")


class Charge(NamedTuple):
    """How many of some events fit in a limit, from the first on, and what to say to the others."""

    fitting: int
    fault: TooMany | None


class RateLimiter:
    """Limit the requests of clients and tokens, and what they count; `clock` is monotonic.

    A client or token over its limit is not checked again until its window ends, so a flood costs
    the store nothing.
    """

    def __init__(
        self,
        rates: RateStore,
        client: str,
        token: str,
        clock: Callable[[], float] = time.monotonic,
        *,
        events: str = "",
        cells: str = "",
    ) -> None:
        """Initialize with the texts of the limits: of requests of a client and of a token.

        `events` and `cells` limit what either counts.
        """
        self._client = tuple(parse_many(client)) if client else ()
        self._token = tuple(parse_many(token)) if token else ()
        self._events = tuple(parse_many(events)) if events else ()
        self._cells = tuple(parse_many(cells)) if cells else ()
        self._shared = FixedWindowRateLimiter(StoreStorage(rates))
        self._alone = FixedWindowRateLimiter(MemoryStorage())
        self._away_until_s = -math.inf
        self._blocked: dict[str, float] = {}
        self._clock = clock
        self._lock = Lock()

    def client(self, network: str) -> None:
        """Count a request of a client; raise `TooMany` over the limit."""
        self._take(self._client, "client", network)

    def token(self, id: str) -> None:
        """Count a request with a token; raise `TooMany` over the limit."""
        self._take(self._token, "token", id)

    @property
    def limits_cells(self) -> bool:
        """Return whether the cells of events matter."""
        return bool(self._cells)

    @property
    def limits_counts(self) -> bool:
        """Return whether what is counted is limited, and not only requests."""
        return bool(self._events or self._cells)

    def charge(self, kind: str, whose: str, cells: Sequence[int]) -> Charge:
        """Count events, by their cells, as far as they fit in the limits of a client or token.

        The first event of a window always fits. So what is larger than a limit, or a batch that is,
        gets through in time.
        """
        fitting, fault = len(cells), None
        for limits, costs, setting in (
            (self._events, [1] * len(cells), "HAILWHALE_EVENT_RATE_LIMIT"),
            (self._cells, cells, "HAILWHALE_CELL_RATE_LIMIT"),
        ):
            for limit in limits:
                stats = self._stats(limit, kind, whose)
                least = 1 if stats.remaining == limit.amount else 0
                fit = max(bisect_right(list(accumulate(costs)), stats.remaining), least)
                if fit < fitting:
                    seconds = max(1, math.ceil(stats.reset_time - time.time()))
                    text = f"over the rate limit {setting}: send again in {seconds} s"
                    fitting, fault = fit, TooMany(text, seconds)
        if fitting:
            for limits, costs in ((self._events, [1] * fitting), (self._cells, cells[:fitting])):
                for limit in limits:
                    self._strategy().hit(limit, kind, whose, cost=sum(costs))
        return Charge(fitting, fault)

    def _stats(self, limit: RateLimitItem, kind: str, whose: str) -> WindowStats:
        try:
            return self._strategy().get_window_stats(limit, kind, whose)
        except StoreUnavailable:
            self._away_until_s = self._clock() + _AWAY_S
            return self._alone.get_window_stats(limit, kind, whose)

    def _strategy(self) -> FixedWindowRateLimiter:
        return self._shared if self._clock() >= self._away_until_s else self._alone

    def _take(self, limits: tuple[RateLimitItem, ...], kind: str, whose: str) -> None:
        if not limits:
            return
        name = f"{kind}/{whose}"
        self._refuse_blocked(name)
        for limit in limits:
            left_s = self._over_for_s(limit, kind, whose)
            if left_s > 0:
                self._block(name, left_s)
                self._refuse_blocked(name)

    def _over_for_s(self, limit: RateLimitItem, kind: str, whose: str) -> float:
        """Return for how many seconds this limit blocks further requests; 0 if it does not."""
        strategy = self._alone
        if self._clock() >= self._away_until_s:
            try:
                return _ask(self._shared, limit, kind, whose)
            except StoreUnavailable:
                self._away_until_s = self._clock() + _AWAY_S
        return _ask(strategy, limit, kind, whose)

    def _block(self, name: str, left_s: float) -> None:
        now_s = self._clock()
        with self._lock:
            if len(self._blocked) >= _MOST_BLOCKED:
                self._blocked = {who: s for who, s in self._blocked.items() if s > now_s}
            if len(self._blocked) < _MOST_BLOCKED:
                self._blocked[name] = now_s + left_s
                return
        raise _too_many(name, left_s)

    def _refuse_blocked(self, name: str) -> None:
        until_s = self._blocked.get(name)
        if until_s is None:
            return
        left_s = until_s - self._clock()
        if left_s > 0:
            raise _too_many(name, left_s)
        with self._lock:
            self._blocked.pop(name, None)


def _ask(strategy: FixedWindowRateLimiter, limit: RateLimitItem, kind: str, whose: str) -> float:
    if strategy.hit(limit, kind, whose):
        return 0.0
    reset_s = strategy.get_window_stats(limit, kind, whose).reset_time
    return max(0.001, reset_s - time.time())


def _too_many(name: str, left_s: float) -> TooMany:
    seconds = max(1, math.ceil(left_s))
    setting = _SETTINGS[name.partition("/")[0]]
    return TooMany(f"too many requests: try again in {seconds} s ({setting})", seconds)
