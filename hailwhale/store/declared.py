"""A store whose schema is declared at its first use rather than when it is opened.

So a process can start, and accept hits into its spool, while its store is unavailable. No call
reaches the store before it has accepted the time zone and the rollups.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import cast

from hailwhale.store.protocol import SchemaStore, Store


class DeclaredRollups(Mapping[str, int]):
    """Since when each rollup added later is filled: the store's answer to a declaration.

    `declare` or the first lookup makes the declaration; once accepted it is not repeated.
    """

    def __init__(
        self, schema: SchemaStore, zone: str, rollups: Sequence[str], clock: Callable[[], float]
    ) -> None:
        self._schema = schema
        self._made_of = (zone, rollups)
        self._clock = clock
        self._since: Mapping[str, int] | None = None

    def declare(self) -> Mapping[str, int]:
        """Declare the schema once; return the epoch seconds by rollup.

        Raises `StoreMismatch` if the store was created with another schema.
        """
        if self._since is None:
            self._since = self._schema.declare(*self._made_of, int(self._clock()))
        return self._since

    def __getitem__(self, rollup: str) -> int:
        return self.declare()[rollup]

    def __iter__(self) -> Iterator[str]:
        return iter(self.declare())

    def __len__(self) -> int:
        return len(self.declare())


def declared(store: Store, declaration: DeclaredRollups) -> Store:
    """Return a store that makes a declaration before any call of its or its parts' methods."""
    return cast(Store, _Declared(store, declaration))


class _Declared:
    """A store, a part of one, or a method: a call first makes the declaration."""

    def __init__(self, target: object, declaration: DeclaredRollups) -> None:
        self._target = target
        self._declaration = declaration

    def __getattr__(self, name: str) -> _Declared:
        return _Declared(getattr(self._target, name), self._declaration)

    def __call__(self, *args: object, **kwargs: object) -> object:
        self._declaration.declare()
        return cast(Callable[..., object], self._target)(*args, **kwargs)
