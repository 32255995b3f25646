"""The decimal sums in Lua against Python's own, digit for digit."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Context, Decimal
from importlib.resources import files

import redis
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from hailwhale.core.numbers import decimal_text

EXACT = Context(prec=200)
SUM = (
    (files("hailwhale.store.redis") / "scripts" / "decimal.lua").read_text()
    + """
local total = false
for _, amount in ipairs(ARGV) do total = add(total, amount) end
return total
"""
)


def amounts() -> SearchStrategy[Decimal]:
    """Numbers as metrics may be, often near the places where a sum gains or loses a digit."""
    digits = st.one_of(
        st.integers(0, 10**30 - 1),
        st.integers(0, 10**6),
        st.sampled_from([9_999_999, 10**7, 10**14 - 1, 10**15, 2**53 - 1, 2**53, 2**53 + 1]),
    )
    exponents = st.one_of(st.just(0), st.just(-2), st.integers(-30, 0))
    parts = st.tuples(st.booleans(), digits, exponents)
    return parts.map(lambda p: Decimal((int(p[0]), tuple(map(int, str(p[1]))), p[2])))


def test_lua_adds_as_python_does(client: redis.Redis) -> None:
    script: Callable[..., bytes] = client.register_script(SUM)

    @settings(max_examples=500, deadline=None)
    @given(st.lists(amounts(), min_size=1, max_size=6))
    @example([Decimal("0.1"), Decimal("-0.1")])
    @example([Decimal(2**52), Decimal(2**52)])
    def adds_alike(numbers: list[Decimal]) -> None:
        total = Decimal(0)
        for number in numbers:
            total = EXACT.add(total, number)
        found = script(args=[decimal_text(number) for number in numbers])
        assert found.decode() == decimal_text(total)

    adds_alike()
