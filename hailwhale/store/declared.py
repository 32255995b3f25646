"""A store that is told what it is made of when it is first needed, not when it is opened.

So a process can start, and take hits into its spool, while its store is away. Nothing is asked of
the store before it has agreed to the time zone and the rollups.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from hailwhale.store.protocol import Store


class DeclaredRollups(Mapping[str, int]):
    """Since when each rollup that was added later is filled: what the store says to a declaration.

    It is made by `declare` or by the first look in here, and once it was agreed to never again.
    """

    def __init__(
        self, store: Store, zone: str, rollups: Sequence[str], clock: Callable[[], float]
    ) -> None:
        self._store = store
        self._made_of = (zone, rollups)
        self._clock = clock
        self._since: Mapping[str, int] | None = None

    def declare(self) -> Mapping[str, int]:
        """Raises `StoreMismatch` when the store is made of something else."""
        if self._since is None:
            self._since = self._store.declare(*self._made_of, int(self._clock()))
        return self._since

    def __getitem__(self, rollup: str) -> int:
        return self.declare()[rollup]

    def __iter__(self) -> Iterator[str]:
        return iter(self.declare())

    def __len__(self) -> int:
        return len(self.declare())


class DeclaredStore:
    """A `Store` whose every method first makes a declaration."""

    def __init__(self, store: Store, declaration: DeclaredRollups) -> None:
        self._store = store
        self._declaration = declaration

    def __getattr__(self, name: str) -> Callable[..., object]:
        method = getattr(self._store, name)

        def declared(*args: object, **kwargs: object) -> object:
            self._declaration.declare()
            return method(*args, **kwargs)

        return declared
