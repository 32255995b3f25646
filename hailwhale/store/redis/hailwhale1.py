"""Reads the Redis in which a HailWhale of 2011 stored its numbers; writes nothing there.

Manages the connection. `core.imports.hailwhale1` interprets keys and fields.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any, Self

from hailwhale.core.imports.hailwhale1 import KEY_PATTERN
from hailwhale.errors import BadInput, BadSetting, StoreUnavailable
from hailwhale.store.redis.client import ask, close_client, connect, faults_named
from hailwhale.store.redis.cluster import RedisCommand
from hailwhale.store.redis.url import masked, parse_address

_TIMEOUT_S = 30.0
_SCANNED = 1_000


class HailWhale1Store:
    """A store to import from, by its URL; the end of a `with` closes it.

    `name` is its address without passwords, `shown` its URL with passwords masked. Raises
    `BadInput` for a URL of another kind, and `StoreUnavailable` if it does not answer.
    """

    def __init__(self, url: str) -> None:
        self.shown = masked(url)
        try:
            options = parse_address(url).options
            self._client = connect(url, _TIMEOUT_S)
        except BadSetting as fault:
            raise BadInput(
                "file", self.shown, "the URL of a Redis, such as redis://host:6379/0"
            ) from fault
        host, port = options.get("host", "localhost"), options.get("port", 6379)
        self.name = f"{options.get('path') or f'{host}:{port}'}/{options.get('db', 0)}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        close_client(self._client)

    def keys(self) -> Iterator[str]:
        """Yield the names of hashes that may be of its format, in any order.

        Some may be repeated.
        """
        cursor = 0
        while True:
            scan = ("SCAN", cursor, "MATCH", KEY_PATTERN, "COUNT", _SCANNED)
            [(cursor, keys)] = self._ask([scan])
            kinds = self._ask([("TYPE", key) for key in keys]) if keys else []
            for key, kind in zip(keys, kinds, strict=True):
                if kind in (b"hash", "hash"):
                    yield key.decode("utf-8", "surrogateescape")
            if not cursor:
                return

    def hashes(self, keys: Sequence[str]) -> list[dict[str, str]]:
        """Return the fields and values of some hashes."""
        names = [key.encode("utf-8", "surrogateescape") for key in keys]
        found = self._ask([("HGETALL", name) for name in names])
        return [{_text(field): _text(value) for field, value in fields.items()} for fields in found]

    def _ask(self, commands: Sequence[RedisCommand]) -> list[Any]:
        try:
            with faults_named():
                return ask(self._client, commands)
        except StoreUnavailable as fault:
            raise StoreUnavailable(f"cannot import from {self.shown}: {fault}") from fault


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")
