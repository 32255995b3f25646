"""What the 2011 project's own tests said of decisions holds, with counts in bulk as they had them.

Each event stands for many visitors: what they earned is one number, their count another.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from hailwhale.core.decisions.parameters import parse_reasons
from hailwhale.services.container import Services

Counted = Sequence[
    tuple[str, dict[str, str], float, float]
]  # option, dimensions, dollars, visitors

FIRST: Counted = [
    ("a", {}, 5000, 1000),
    ("b", {}, 0, 2000),
    ("c", {}, 0, 2000),
    ("d", {}, 50, 10),
]
SECOND: Counted = [
    ("a", {}, 50_000, 10_000),
    ("b", {}, 0, 2000),
    ("b", {"country": "uk"}, 10_000, 2000),
    ("c", {}, 0, 7500),
    ("d", {}, 5, 1),
]
LANGUAGES: Counted = [
    (language, {"country": country}, dollars, visitors)
    for country, counted in {
        "us": {"en": (1_500_000, 300_000), "sp": (1000, 10_000), "pt": (300, 5000)},
        "mx": {"en": (100_000, 100_000), "sp": (200_000, 100_000), "pt": (200, 10_000)},
        "br": {"en": (300_000, 100_000), "sp": (150_000, 50_000), "pt": (500_000, 50_000)},
    }.items()
    for language, (dollars, visitors) in counted.items()
]


def count(services: Services, counted: Counted) -> None:
    for option, dimensions, dollars, visitors in counted:
        services.exposing_now.count(
            {
                "pk": "Layout",
                "option": option,
                "dimensions": dimensions,
                "metrics": {"dollars": dollars, "visitors": visitors},
            }
        )


def known(services: Services, **asked: object) -> dict[str, tuple[float, str]]:
    """For each option its share of visitors and its verdict."""
    fields = {"pk": "Layout", "by_metric": "dollars/visitors", **asked}
    options = services.deciding.reasons(parse_reasons(fields)).report.options
    return {each.option: (each.weight, each.verdict) for each in options}


def test_options_are_good_bad_or_test(
    services: Services,
) -> None:
    count(services, FIRST)

    verdicts = {option: verdict for option, (_, verdict) in known(services).items()}
    assert verdicts == {"a": "good", "b": "bad", "c": "bad", "d": "test"}


def test_without_exploring_the_option_that_is_known_to_earn_is_given(services: Services) -> None:
    count(services, FIRST)

    assert {option: share for option, (share, _) in known(services, explore=False).items()} == {
        "a": 1,
        "b": 0,
        "c": 0,
        "d": 0,
    }


def test_an_unknown_visitor_gets_what_earns_overall_and_one_of_the_uk_what_earns_there(
    services: Services,
) -> None:
    count(services, SECOND)

    anybody, in_the_uk = known(services), known(services, dimensions={"country": "uk"})

    assert max(anybody, key=lambda option: anybody[option][0]) == "a"
    assert in_the_uk["b"][0] > 0.7


@pytest.mark.parametrize(
    ("country", "languages"), [("us", {"en"}), ("mx", {"sp", "en"}), ("br", {"pt"})]
)
def test_each_country_gets_the_language_that_earns_there(
    services: Services, country: str, languages: set[str]
) -> None:
    count(services, LANGUAGES)

    shares = known(services, dimensions={"country": country})

    assert max(shares, key=lambda option: shares[option][0]) in languages
    assert sum(share for option, (share, _) in shares.items() if option in languages) > 0.7
