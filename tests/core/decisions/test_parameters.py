"""Questions to a decision: their parameters, defaults and what is refused."""

from __future__ import annotations

import pytest

from hailwhale.core.decisions.parameters import parse_decide, parse_reasons
from hailwhale.core.decisions.policy import Policy
from hailwhale.errors import BadInput

ASKED: dict[str, object] = {"pk": "Page", "options": ["a", "b"], "by_metric": "earned/spent"}


def test_the_readmes_question_has_these_parts() -> None:
    choice = parse_decide(
        {**ASKED, "dimensions": {"country": "US"}, "uid": "ann", "goal": "min", "slots": "2"}
    )

    assert choice.pk == ("Page",)
    assert choice.options == ("a", "b")
    assert choice.dimensions == (("country", "US"),)
    assert choice.formula.text == "earned/spent"
    assert (choice.goal, choice.uid, choice.slots) == ("min", "ann", 2)
    assert (choice.reasons, choice.log) == (True, False)
    assert choice.policy == Policy()


@pytest.mark.parametrize(
    ("given", "options"),
    [
        (["a", "b"], ("a", "b")),
        ("a, b,c", ("a", "b", "c")),
        ("a", ("a",)),
        ([1, True], ("1", "true")),
        (7, ("7",)),
        (None, ()),
        ("", ()),
    ],
)
def test_options_are_a_list_or_have_commas_between(given: object, options: tuple[str, ...]) -> None:
    assert parse_decide({**ASKED, "options": given}).options == options
    assert parse_decide({"by_metric": "x", "option": given}).options == options


def test_known_data_is_another_word_for_dimensions() -> None:
    choice = parse_decide({**ASKED, "known_data": {"country": "US"}})

    assert choice.dimensions == (("country", "US"),)


@pytest.mark.parametrize(
    ("given", "policy"),
    [
        ({"weights": {"a": 3}}, Policy(weights={"a": 3.0})),
        ({"holdout": "0.1"}, Policy(holdout=0.1)),
        ({"minimum": 0.05}, Policy(minimum={"a": 0.05, "b": 0.05})),
        ({"maximum": {"b": "0.5"}}, Policy(maximum={"b": 0.5})),
        ({"half_life": "14d"}, Policy(half_life_days=14.0)),
        ({"half_life": "12h"}, Policy(half_life_days=0.5)),
        ({"delay": "2h"}, Policy(delay_s=7200)),
        ({"explore": "0"}, Policy(explore=False)),
    ],
)
def test_rules_say_how_visitors_are_divided(given: dict[str, object], policy: Policy) -> None:
    assert parse_decide({**ASKED, **given}).policy == policy
    assert parse_reasons({**ASKED, **given}).policy == policy


@pytest.mark.parametrize(
    ("given", "parameter", "expected"),
    [
        ({"by_metric": None}, "by_metric", "the metric or formula to decide by"),
        ({"by_metric": "a/"}, "by_metric", ""),
        ({"by_metric": ["a"]}, "by_metric", "the metric or formula to decide by"),
        ({"goal": "best"}, "goal", "max, or min"),
        ({"options": []}, "options", "a list of options"),
        ({"options": ["a", "a"]}, "options", "each option only once"),
        ({"options": ["a", ["b"]]}, "options", "a string, a number"),
        ({"options": list(range(501))}, "options", "at most 500"),
        ({"dimensions": "x", "known_data": "y"}, "known_data", "not both"),
        ({"slots": 3}, "slots", "from 1 to 2"),
        ({"slots": 0}, "slots", "from 1 to 2"),
        ({"holdout": 1.5}, "holdout", "from 0 to 1"),
        ({"holdout": "much"}, "holdout", "from 0 to 1"),
        ({"weights": {"c": 1}}, "weights", "one of the options a, b"),
        ({"weights": {"a": -1}}, "weights", "from 0 to"),
        ({"weights": {"a": 0, "b": 0}}, "weights", "at least one option"),
        ({"minimum": {"a": 0.6, "b": 0.5}}, "minimum", "at most 1"),
        ({"maximum": 0.4}, "maximum", "at least 1"),
        ({"options": None, "minimum": 0.1}, "minimum", "because options is not given"),
        ({"options": None, "minimum": {"a": 0.6, "b": 0.5}}, "minimum", "at most 1"),
        (
            {"minimum": {"a": 0.5}, "maximum": {"a": 0.4}},
            "minimum",
            "at most the maximum of option a",
        ),
        ({"half_life": 3}, "half_life", "a length of time"),
        ({"half_life": "soon"}, "half_life", ""),
        ({"delay": "-1h"}, "delay", ""),
        ({"explore": "maybe"}, "explore", "1 or 0"),
        ({"uid": ["x"]}, "uid", "a string, a number"),
        ({"by_metrik": "x"}, "by_metrik", "did you mean by_metric"),
    ],
)
def test_an_invalid_question_is_refused_by_name(
    given: dict[str, object], parameter: str, expected: str
) -> None:
    with pytest.raises(BadInput) as fault:
        parse_decide({**ASKED, **given})

    assert fault.value.parameter == parameter
    assert expected in fault.value.message
