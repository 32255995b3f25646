"""A store whose schema is declared at its first use, not when it is opened.

So a process can start, and accept hits into its spool, while its store is unavailable. Nothing is
asked of the store before it has agreed to the time zone and the rollups.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import cast

from hailwhale.store.protocol import SchemaStore, Store


class DeclaredRollups(Mapping[str, int]):
    """Since when each rollup that was added later is filled: what the store says to a declaration.

    It is made by `declare` or by the first look in here, and once it was agreed to never again.
    """

    def __init__(
        self, schema: SchemaStore, zone: str, rollups: Sequence[str], clock: Callable[[], float]
    ) -> None:
        self._schema = schema
        self._made_of = (zone, rollups)
        self._clock = clock
        self._since: Mapping[str, int] | None = None

    def declare(self) -> Mapping[str, int]:
        """Raises `StoreMismatch` when the store is made of something else."""
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
    """Return a store that makes a declaration before every call of a method or of a part's."""
    return cast(Store, _Declared(store, declaration))


class _Declared:
    """A store, a part of one, or a method: what it is called for waits for the declaration."""

    def __init__(self, target: object, declaration: DeclaredRollups) -> None:
        self._target = target
        self._declaration = declaration

    def __getattr__(self, name: str) -> _Declared:
        return _Declared(getattr(self._target, name), self._declaration)

    def __call__(self, *args: object, **kwargs: object) -> object:
        self._declaration.declare()
        return cast(Callable[..., object], self._target)(*args, **kwargs)
