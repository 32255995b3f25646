"""Decisions hold on any sums: finite answers, probabilities that sum to 1, and no warnings.

Sums of ordinary traffic look nothing like these. A stranger may count what it likes, formulas have
numbers of their own, and late results meet few exposures that are due.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.decisions.contestants import Ours, play
from benchmarks.decisions.environments import World
from hailwhale.core.decisions import (
    DecisionLog,
    DecisionSums,
    Objective,
    Policy,
    Posterior,
    evaluate,
    fit,
    sample_ratio,
    unfitted,
)
from hailwhale.core.decisions.evidence import Floats, NodePath
from hailwhale.core.query.formula import Formula
from hailwhale.errors import BadInput
from tests.core.decisions.tallies import DAY_S

NODES: tuple[NodePath, ...] = (
    (),
    ("country", "UK"),
    ("country", "US"),
    ("country", "US", "NY"),
    ("device", "mobile"),
    ("vip",),
)
PAIRS = [
    (low, high)
    for low, high in combinations(range(1, len(NODES)), 2)
    if NODES[low][0] != NODES[high][0]
]
VISITORS: tuple[tuple[NodePath, ...], ...] = (
    (),
    (("country", "US"), ("country", "US", "NY"), ("device", "mobile")),
    (("country", "UK"), ("vip",)),
    (("country", "never seen"), ("shoe", "42")),
)
FORMULAS = ("earned", "earned/spent", "earned/(hits + 1)", "earned - spent", "earned*earned/hits")
AMOUNTS: tuple[float, ...] = (
    0.0,
    1.0,
    2.0,
    100.0,
    12_345.0,
    1e6,
    1e12,
    1e17,
    1e30,
    1e36,
    1e-12,
    1e-30,
    5e-324,
)
AMOUNTS += (-1.0, -100.0, -1e30, 1e154, 1e300, 1.7e308, math.inf, -math.inf, math.nan)
FINITE = tuple(amount for amount in AMOUNTS if 0 <= amount < 1e40)
POLICIES = (
    Policy(),
    Policy(half_life_days=1e-5),
    Policy(delay_s=86_400),
    Policy(delay_s=40 * 86_400, explore=False),
    Policy(holdout=1e-30, minimum={"o0": 1.0}, weights={"o0": 0.0}),
    Policy(maximum={"o0": 1e-30}, weights={"o0": 1e-300, "o1": 5e-324}),
)


@pytest.fixture(autouse=True)
def no_warnings() -> Iterator[None]:
    """Let numpy raise where it would warn."""
    with np.errstate(divide="raise", over="raise", invalid="raise"):
        yield


def hold(posterior: Posterior, options: Sequence[str]) -> None:
    """Assert that all answers of a posterior are finite, and probabilities sum to 1."""
    for visitor in VISITORS:
        shares = posterior.shares(visitor, options)
        assert np.isfinite(shares).all()
        assert (shares >= 0).all()
        assert shares.sum() == pytest.approx(1)
        slots = min(3, len(options))
        chosen = posterior.choose(visitor, options, random.Random(7), slots)
        assert len({each.option for each in chosen}) == slots
        assert all(0 <= each.propensity <= 1 + 1e-12 for each in chosen)
        found = posterior.report(visitor, options).options
        assert sum(each.best for each in found) == pytest.approx(1)
        for each in found:
            numbers = (each.estimate, each.low, each.high, each.loss, each.hits, each.weight)
            assert all(map(math.isfinite, numbers))
            assert each.low <= each.estimate <= each.high
            assert "nan" not in each.reason
            assert "inf" not in each.reason


def sums_of(
    hits: Floats, earned: Floats, spent: Floats, squares: Floats, pairs: Sequence[tuple[int, int]]
) -> DecisionSums:
    """Return the sums of a decision, [B, K, N + P] each."""
    buckets, options = hits.shape[:2]
    metrics = {"hits": hits, "earned": earned, "spent": spent}
    products = {
        (low, high): squares if "hits" not in (low, high) else metrics[low][:, :, 0]
        for low in metrics
        for high in metrics
        if low <= high
    }
    return DecisionSums(
        options=tuple(f"o{place}" for place in range(options)),
        ages_s=np.arange(buckets, dtype=np.float64)[::-1] * DAY_S,
        widths_s=np.full(buckets, DAY_S),
        nodes=NODES,
        pairs=np.array(pairs, dtype=np.intp).reshape(-1, 2),
        sums=metrics,
        products=products,
    )


@st.composite
def any_sums(draw: st.DrawFn, amounts: Sequence[float] = AMOUNTS) -> DecisionSums:
    """Draw sums in which anything may occur: also nodes with more than the root has."""
    options = draw(st.sampled_from((1, 2, 3, 8)))
    pairs = draw(st.sampled_from(([], PAIRS[:1], PAIRS)))
    shape = (draw(st.sampled_from((1, 4, 9))), options, len(NODES) + len(pairs))
    chance = np.random.default_rng(draw(st.integers(0, 2**32)))
    some = draw(st.lists(st.sampled_from(amounts), min_size=1, max_size=4))

    def drawn(size: tuple[int, ...]) -> Floats:
        return np.array(some, dtype=np.float64)[chance.integers(len(some), size=size)]

    squares = drawn(shape[:2])
    return sums_of(drawn(shape), drawn(shape), drawn(shape), squares, pairs)


@st.composite
def collinear_sums(draw: st.DrawFn) -> DecisionSums:
    """Draw sums of visitors who are all at the same nodes, with results of any variance."""
    options = draw(st.sampled_from((1, 2, 100)))
    pairs = draw(st.sampled_from(([], PAIRS)))
    buckets = draw(st.sampled_from((1, 4, 9)))
    columns = len(NODES) + len(pairs)
    hits = draw(st.sampled_from(FINITE)) * np.ones((buckets, options, columns))
    rate = draw(st.sampled_from((-1e6, -1.0, 0.0, 1e-12, 0.04, 1.0, 50.0, 1e9)))
    last = draw(st.sampled_from((-1.0, 0.0, 1.0, 1 + 1e-12, 3.0)))
    earned = rate * hits
    earned[-1, -1] *= last
    counted = draw(st.sampled_from((0.0, 0.5, 1 - 1e-15, 1.0, 1 + 1e-15, 2.0, 1e9)))
    squares = counted * earned[:, :, 0] * rate
    return sums_of(hits, earned, hits / 2, np.abs(squares), pairs)


def fitted(sums: DecisionSums, formula: str, policy: Policy, goal: str = "max") -> Posterior:
    return fit(sums, Objective.of(Formula.parse(formula), goal), policy)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    any_sums() | any_sums(FINITE) | collinear_sums(),
    st.sampled_from(FORMULAS),
    st.sampled_from(POLICIES),
    st.sampled_from(("max", "min")),
)
def test_any_sums_give_finite_answers(
    sums: DecisionSums, formula: str, policy: Policy, goal: str
) -> None:
    posterior = None
    with suppress(BadInput):  # the value of a product may be too large at some sums
        posterior = fitted(sums, formula, policy, goal)
    if posterior is None:
        assert formula == "earned*earned/hits"
        return
    hold(posterior, sums.options)
    hold(posterior, [*sums.options, "never seen"])


@pytest.mark.parametrize("amount", FINITE)
@pytest.mark.parametrize("options", [1, 2, 100])
def test_equal_sums_make_equal_options(amount: float, options: int) -> None:
    """Also where every column is the same as every other, so that no system has one solution."""
    shape = (9, options, len(NODES) + len(PAIRS))
    hits = np.full(shape, amount)
    posterior = fitted(
        sums_of(hits, hits, hits, hits[:, :, 0], PAIRS), "earned", Policy(optimism=0, caution=0)
    )
    names = [f"o{place}" for place in range(options)]
    hold(posterior, names)
    estimates = [each.estimate for each in posterior.report(VISITORS[1], names).options]
    assert estimates == pytest.approx([estimates[0]] * options)


def test_a_solution_of_collinear_sums_still_says_what_was_earned() -> None:
    """A billion visitors a bucket, all at the same nodes, who all earn about the same."""
    hits = np.full((9, 2, len(NODES)), 1e9)
    rates = np.array([1.0, 1.001])[None, :, None]
    squares = hits[:, :, 0] * rates[:, :, 0] ** 2
    posterior = fitted(sums_of(hits, hits * rates, hits, squares, []), "earned", Policy())
    hold(posterior, ["o0", "o1"])
    for visitor in VISITORS[:2]:
        a, b = posterior.report(visitor, ["o0", "o1"]).options
        assert a.estimate == pytest.approx(1.0, rel=1e-3)
        assert b.estimate > a.estimate


def test_options_of_which_nothing_is_known_are_given_evenly() -> None:
    objective = Objective.of(Formula.parse("earned"))
    posterior = unfitted(("o0", "o1"), objective, Policy())
    hold(posterior, ["o0", "o1"])
    assert posterior.shares((), ["o0", "o1"]).tolist() == [0.5, 0.5]
    hold(unfitted((), objective, Policy()), ["o0", "o1", "o2"])


def revenue_with_refunds(seed: int, visitors: int, bought: float, delay: int) -> World:
    """Return a world in which one purchase in ten is refunded, which is known much later."""
    chance = np.random.default_rng(seed)
    kinds = [
        (("country", country), ("device", device)) for country in "abc" for device in ("m", "d")
    ]
    values = 20 * chance.lognormal(0, 0.5, (visitors, 3))
    values *= np.where(chance.random((visitors, 3)) < 0.1, -1.0, 1.0)
    values *= chance.random((visitors, 3)) < bought * np.array([0.8, 1.0, 1.2])
    stages = np.zeros(visitors, dtype=np.intp)
    means = np.tile(np.array([0.8, 1.0, 1.2]), (1, len(kinds), 1))
    return World(
        "refunds", kinds, chance.integers(len(kinds), size=visitors), stages, means, values, delay
    )


@pytest.mark.parametrize("delay_s", [None, 2 * 86_400])
@pytest.mark.parametrize("bought", [0.3, 1.0])
def test_late_revenue_with_refunds_can_be_fitted(bought: float, delay_s: int | None) -> None:
    """Results that come 1,000 decisions late, a day, meet few exposures that are due.

    Then the squares of results seem smaller than the square of their mean, which is no variance.
    All visitors have a country and a device, whose columns add up to the root's.
    """
    world = revenue_with_refunds(0, 2_600, bought, delay=1_000)
    ours = Ours(world, 0, Policy(delay_s=delay_s))
    play(world, ours)
    assert ours.posterior is not None
    hold(ours.posterior, ours.options)


@pytest.mark.parametrize("factors", [2, 9, 150])
def test_numbers_of_a_formula_that_are_too_large_are_refused(factors: int) -> None:
    formula = Formula.parse("earned*" + "*".join(["1e59"] * factors), "by_metric")
    with pytest.raises(BadInput, match=r"by_metric: .* below 10\^100"):
        Objective.of(formula)


def test_small_numbers_of_a_formula_are_fine() -> None:
    hits = np.full((4, 2, len(NODES)), 100.0)
    sums = sums_of(hits, hits, hits, hits[:, :, 0], [])
    hold(fitted(sums, "earned" + "/1e59" * 7, Policy()), ["o0", "o1"])


AMOUNT = st.sampled_from(tuple(each for each in AMOUNTS if math.isfinite(each))) | st.floats(
    -1e3, 1e3
)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.integers(1, 6), st.data())
def test_any_log_has_a_finite_evaluation(size: int, data: st.DataObject) -> None:
    def drawn(among: st.SearchStrategy[float], *shape: int) -> Floats:
        count = math.prod(shape)
        numbers = data.draw(st.lists(among, min_size=count, max_size=count))
        return np.array(numbers, dtype=np.float64).reshape(shape)

    chance = st.sampled_from((5e-324, 1e-300, 1e-30, 1e-6, 0.5, 1.0))
    log = DecisionLog(
        np.array(data.draw(st.lists(st.integers(0, 2), min_size=size, max_size=size))),
        drawn(chance, size, 3),
        drawn(AMOUNT, size),
        drawn(AMOUNT, size),
        drawn(AMOUNT, size, 3),
    )
    target = drawn(st.sampled_from((0.0, 5e-324, 1e-30, 0.5, 1.0)), size, 3)
    found = evaluate(log, target)
    assert math.isfinite(found.size)
    for each in (found.logged, found.ips, found.snips, found.dr):
        assert all(map(math.isfinite, (each.value, each.low, each.high)))
        assert each.low <= each.value <= each.high


COUNTS = st.sampled_from((0, 1, 2, 100, 10**16, 10**20, 10**30, 10**36)) | st.integers(0, 10**40)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(st.tuples(COUNTS, st.integers(0, 3)), max_size=8))
def test_any_counts_have_a_sample_ratio(counts: list[tuple[int, int]]) -> None:
    """Also where all but one of 10^20 are exposed, which rounds to all of them."""
    allocated = [given for given, _ in counts]
    exposed = [max(given - missed, 0) for given, missed in counts]
    assert 0 <= sample_ratio(exposed, allocated) <= 1
