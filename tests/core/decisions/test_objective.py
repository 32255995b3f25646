"""What formulas come down to: rewards and the weight they came with."""

from __future__ import annotations

import numpy as np
import pytest

from hailwhale.core.decisions import DecisionSums, Objective
from hailwhale.core.query.formula import Formula
from hailwhale.errors import BadInput

HITS = {"hits": 1.0}


@pytest.mark.parametrize(
    ("formula", "numerator", "denominator"),
    [
        ("earned", {"earned": 1.0}, HITS),
        ("earned/hits", {"earned": 1.0}, HITS),
        ("earned/spent", {"earned": 1.0}, {"spent": 1.0}),
        ("-spent/earned", {"spent": -1.0}, {"earned": 1.0}),
        ("(earned - spent)/hits", {"earned": 1.0, "spent": -1.0}, HITS),
        ("100 * earned/spent", {"earned": 100.0}, {"spent": 1.0}),
        ("earned/2 + tips", {"earned": 0.5, "tips": 1.0}, HITS),
        ("earned/(spent + fees)", {"earned": 1.0}, {"spent": 1.0, "fees": 1.0}),
        ("earned - earned", None, None),
        ("earned * spent", None, None),
        ("earned/spent + tips/hits", None, None),
        ("(earned + 1)/hits", None, None),
    ],
)
def test_a_formula_is_a_quotient_of_sums_or_a_tangent(
    formula: str, numerator: dict[str, float] | None, denominator: dict[str, float] | None
) -> None:
    found = Objective.of(Formula.parse(formula))

    assert (found.numerator, found.denominator) == (numerator, denominator)


@pytest.mark.parametrize("formula", ["earned/days", "earned:sum", "price:last/hits"])
def test_what_sums_alone_cannot_say_is_refused(formula: str) -> None:
    with pytest.raises(BadInput, match="by_metric"):
        Objective.of(Formula.parse(formula))


def tally() -> DecisionSums:
    sums = {
        "hits": np.array([[[10.0], [20.0]]]),
        "earned": np.array([[[30.0], [20.0]]]),
        "spent": np.array([[[5.0], [40.0]]]),
    }
    products = {
        pair: np.ones((1, 2)) for pair in Objective.of(Formula.parse("earned/spent")).products
    }
    return DecisionSums(
        options=("a", "b"),
        ages_s=np.zeros(1),
        widths_s=np.ones(1),
        nodes=((),),
        pairs=np.zeros((0, 2), dtype=np.intp),
        sums=sums,
        products=products,
    )


def test_rewards_and_weights_are_those_of_the_quotient() -> None:
    found = Objective.of(Formula.parse("earned/spent")).weigh(tally())

    assert found.rewards.ravel().tolist() == [30, 20]
    assert found.weights.ravel().tolist() == [5, 40]
    assert found.hits.ravel().tolist() == [10, 20]


def test_less_is_better_turns_the_sign_of_rewards_alone() -> None:
    found = Objective.of(Formula.parse("spent/earned"), "min").weigh(tally())

    assert found.rewards.ravel().tolist() == [-5, -40]
    assert found.weights.ravel().tolist() == [30, 20]


def test_a_tangent_has_the_formulas_value_overall_and_orders_options_alike() -> None:
    formula = Formula.parse("earned/spent + spent/hits")

    found = Objective.of(formula).weigh(tally())

    overall = found.rewards.sum() / found.weights.sum()
    assert overall == pytest.approx(50 / 45 + 45 / 30, rel=1e-6)
    by_option = (found.rewards / found.weights).ravel()
    assert by_option[0] > by_option[1]  # 6.5 and 2.5 by the formula itself


def test_metrics_and_products_say_what_must_be_read() -> None:
    found = Objective.of(Formula.parse("earned/spent"))

    assert set(found.metrics) == {"earned", "spent", "hits"}
    assert ("earned", "spent") in found.products
    assert ("earned", "hits") in found.products
