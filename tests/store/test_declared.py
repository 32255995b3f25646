"""A store whose schema is declared late: nothing is asked of it before it has agreed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast, get_type_hints

import pytest

from hailwhale.errors import StoreMismatch
from hailwhale.store.declared import DeclaredRollups, declared
from hailwhale.store.protocol import Store

PARTS = get_type_hints(Store)
METHODS = [
    (part, name)
    for part, protocol in PARTS.items()
    for name in vars(protocol)
    if not name.startswith("_")
]


class Schema:
    """A schema that is refused until it is agreed to."""

    def __init__(self) -> None:
        self.agreed = False
        self.asked = 0

    def declare(self, zone: str, rollups: Sequence[str], now_s: int) -> Mapping[str, int]:
        self.asked += 1
        if not self.agreed:
            raise StoreMismatch(f"made with another zone than {zone}")
        return {}

    def confirm(self) -> None:
        raise NotImplementedError


class Asked:
    """A store, and each of its parts, that keeps what it is asked."""

    def __init__(self, calls: list[str]) -> None:
        self._calls = calls

    def __getattr__(self, name: str) -> Any:
        if name in PARTS:
            return Asked(self._calls)

        def method(*args: object, **named: object) -> object:
            self._calls.append(name)
            return args, named

        return method


@pytest.fixture
def schema() -> Schema:
    return Schema()


@pytest.fixture
def calls() -> list[str]:
    return []


@pytest.fixture
def late(schema: Schema, calls: list[str]) -> Store:
    declaration = DeclaredRollups(schema, "UTC", ["all"], lambda: 0.0)
    return declared(cast(Store, Asked(calls)), declaration)


def test_a_part_has_methods_alone_so_that_nothing_is_read_past_the_declaration() -> None:
    assert len(METHODS) >= 45
    assert all(callable(vars(PARTS[part])[name]) for part, name in METHODS)
    assert not [part for part, protocol in PARTS.items() if get_type_hints(protocol)]


@pytest.mark.parametrize(("part", "name"), [*METHODS, (None, "ping"), (None, "close")])
def test_nothing_is_asked_of_a_store_before_it_has_agreed(
    late: Store, schema: Schema, calls: list[str], part: str | None, name: str
) -> None:
    # Services take a part, and some a method of it, while the store may still be unavailable.
    method: Callable[..., object] = getattr(getattr(late, part) if part else late, name)
    with pytest.raises(StoreMismatch):
        method(1, two=2)
    assert calls == []
    schema.agreed = True
    assert method(1, two=2) == method(1, two=2) == ((1,), {"two": 2})
    assert calls == [name, name]
    assert schema.asked == 2  # refused once, and once agreed to
