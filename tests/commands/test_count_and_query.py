"""What `count`, `totals`, `plotpoints`, `rank`, `subdimensions` print. It is 2026-03-15 12:10."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from hailwhale.cli import main
from hailwhale.services.container import Services
from hailwhale.services.security.bearer_tokens import Scope
from hailwhale.web.apps import whale_app
from tests.browser.serving import serving
from tests.commands.conftest import Run
from tests.conftest import NOW_S


@pytest.fixture
def shop(run: Run) -> Run:
    """A shop with four days of sales."""
    for at, country, metrics in (
        ("2026-03-12T09:00Z", "US", "{'revenue': 1000.5, 'sales': 2}"),
        ("2026-03-13T09:00Z", "CA", '{"revenue": -20}'),
        ("2026-03-14T09:00Z", "US", '{"revenue": 250, "sales": 1}'),
        ("2026-03-15T09:00Z", "US", '{"revenue": 500, "sales": 1}'),
    ):
        where = f'{{"country": "{country}"}}'
        event = ("--dimensions", where, "--metrics", metrics, "--at", at)
        assert run("count", "Shop", *event) == "counted\n"
    return run


def test_an_id_counts_once(run: Run) -> None:
    assert run("count", '["Shop", 7]', "--id", "order-1") == "counted\n"
    again = run("count", "['Shop', 7]", "--id", "order-1")
    assert again == "already counted: an event with this id was counted before\n"
    assert run("totals", '["Shop", 7]', "--period", "today").split()[-1] == "1"


@pytest.mark.parametrize("command", ["totals", "rank", "export", "quantiles"])
def test_querying_in_a_folder_without_data_is_explained(
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    command: str,
) -> None:
    rest = ["t"] if command == "quantiles" else []
    run(command, "Shop", *rest)
    monkeypatch.setenv("HAILWHALE_DATA_DIR", str(tmp_path / "other"))
    assert main([command, "Shop", *rest]) == 0
    assert f"no data in {tmp_path / 'other'} yet" in capsys.readouterr().err


def test_totals_are_a_table(shop: Run) -> None:
    asked = ("--metrics", "revenue,sales,revenue/sales", "--periods", "1d:1mo,today")
    assert shop("totals", "Shop", *asked, "--dimensions", '[["_"], ["country", "US"]]') == (
        "period  dimension          revenue  sales  revenue/sales\n"
        "1d:1mo  _                  1,730.5      4        432.625\n"
        '1d:1mo  ["country", "US"]  1,750.5      4        437.625\n'
        "today   _                      500      1            500\n"
        'today   ["country", "US"]      500      1            500\n'
    )


def test_totals_are_json_and_csv_as_over_http(shop: Run) -> None:
    asked = ("totals", "Shop", "--metric", "revenue", "--period", "1d:1mo")
    assert shop(*asked, "--json") == '{"1d:1mo": {"_": {"revenue": 1730.5}}}\n'
    assert shop(*asked, "--csv") == ("period,dimension,metric,value\r\n1d:1mo,_,revenue,1730.5\r\n")


def test_totals_without_a_period_are_the_five_common_ones(shop: Run) -> None:
    lines = shop("totals", "Shop").splitlines()
    assert [line.split()[0] for line in lines] == [
        *("period", "1d:1y", "1d:1mo", "1d:1w", "1h:1d", "1m:1h"),
    ]


def test_plotpoints_are_a_table_with_the_course_of_each_series(shop: Run) -> None:
    asked = ("--metrics", "revenue,revenue/hits", "--period", "1d:4d")
    shown = shop("plotpoints", "Shop", *asked, "--dimensions", "country", "--depth", "1")
    assert shown == (
        "1d:4d: 2026-03-12 00:00 to 2026-03-15 00:00 (UTC)\n"
        "\n"
        "dimension          metric        min      max    total\n"
        "country            revenue       -20  1,000.5  1,730.5  █▁▃▅\n"
        "country            revenue/hits  -20  1,000.5  432.625  █▁▃▅\n"
        '["country", "US"]  revenue         0  1,000.5  1,750.5  █▁▃▄\n'
        '["country", "US"]  revenue/hits  250  1,000.5    583.5  █ ▃▄\n'
    )


def test_what_is_not_shown_is_one_series_with_other(shop: Run) -> None:
    asked = ("--metrics", "revenue", "--period", "1d:4d", "--dimensions", "country")
    shown = shop("plotpoints", "Shop", *asked, "--depth", "1", "--other")
    assert shown.splitlines()[-1] == '["country", "_other"]  revenue  -20        0      -20  █▁██'


def test_plotpoints_are_in_the_time_zone_asked_for(shop: Run) -> None:
    asked = ("--period", "1h:2h", "--tz", "America/New_York")
    assert shop("plotpoints", "Shop", *asked).splitlines()[0] == (
        "1h:2h: 2026-03-15 07:00 to 2026-03-15 08:00 (America/New_York)"
    )


def test_plotpoints_are_json_and_csv_as_over_http(shop: Run) -> None:
    asked = ("plotpoints", "Shop", "--metrics", "revenue", "--period", "1d:2d")
    assert shop(*asked, "--json") == (
        '{"_": {"revenue": [[1773446400000, 250], [1773532800000, 500]]}}\n'
    )
    assert shop(*asked, "--csv") == (
        "time,dimension,metric,value\r\n"
        "2026-03-14T00:00:00+00:00,_,revenue,250\r\n"
        "2026-03-15T00:00:00+00:00,_,revenue,500\r\n"
    )


def test_a_ranking_is_a_table_with_quotients_to_four_digits(shop: Run) -> None:
    asked = ("--dimensions", "country", "--metrics", "revenue/hits,hits", "--period", "1d:1mo")
    assert shop("rank", "Shop", *asked) == (
        "dimension          revenue/hits  share   parent  difference  relative  importance  hits\n"
        '["country", "US"]         583.5   0.75  432.625     150.875    0.3487      0.2616     3\n'
        '["country", "CA"]           -20   0.25  432.625    -452.625    -1.046     -0.2616     1\n'
    )


def test_a_ranking_takes_the_options_of_the_question(shop: Run) -> None:
    asked = ("--metric", "hits", "--depth", "all", "--limit", "2", "--threshold", ".3")
    lines = shop("rank", "Shop", *asked, "--sort", "hits", "--by", "share").splitlines()
    assert [line.split("  ")[0] for line in lines] == ["dimension", '["country", "US"]', "country"]
    assert shop("rank", "Shop", "--of", "pks") == (
        "dimension  value  share  parent  difference  relative  importance\n"
    )


def test_a_ranking_is_json_and_csv_as_over_http(shop: Run) -> None:
    asked = ("rank", "Shop", "--metric", "sales", "--period", "1d:1mo")
    assert shop(*asked, "--json") == (
        '[{"dimension": "country", "value": 4, "share": 1, "parent_value": 4, "difference": 0, '
        '"relative": 0, "importance": 1, "metrics": {"sales": 4}}]\n'
    )
    assert shop(*asked, "--csv") == (
        "dimension,value,share,parent_value,difference,relative,importance\r\n"
        "country,4,1,4,0,0,1\r\n"
    )


LARGE = "1234567890123456789012345.67"  # 25 digits before the point: no float tells them


@pytest.fixture
def treasury(run: Run) -> Run:
    """Two amounts that are equal as floats."""
    for country, amount in (("US", LARGE), ("CA", "1234567890123456789012345.66")):
        metrics = f'{{"revenue": "{amount}"}}'
        run("count", "Bank", "--dimensions", f'{{"country": "{country}"}}', "--metrics", metrics)
    return run


@pytest.mark.parametrize("form", ["", "--csv", "--json"])
def test_large_sums_have_all_their_digits(treasury: Run, form: str) -> None:
    asked = ("Bank", "--metric", "revenue", "--period", "1d:1d", "--dimensions", "country")
    shown = [f"{Decimal(LARGE):,}", "1,234,567,890,123,456,789,012,345.66"]
    both = "2,469,135,780,246,913,578,024,691.33"
    below = ("--depth", "1", "--threshold", "0")
    for command, amounts in (
        (("totals", *asked), [both]),
        (("plotpoints", *asked, *below), [both, *shown]),
        (("rank", *asked), [*shown, both, "0.01"][:3]),
    ):
        said = treasury(*command, *filter(None, [form]))
        for amount in amounts:
            assert (amount.replace(",", "") if form else amount) in said, command


def test_the_total_of_visitors_is_not_the_sum_of_the_days(run: Run) -> None:
    for at in ("2026-03-14T09:00Z", "2026-03-15T09:00Z"):
        run("count", "Shop", "--uid", "ann", "--at", at)
    shown = run("plotpoints", "Shop", "--metric", "uniques", "--period", "1d:2d").splitlines()
    assert shown[2:] == [
        "dimension  metric   min  max  total",
        "_          uniques    1    1      1  ██",
    ]


def test_the_total_of_a_formula_is_that_of_what_is_not_shown(shop: Run) -> None:
    asked = ("--metrics", "revenue,revenue/hits", "--period", "1d:4d", "--dimensions", "country")
    shown = shop("plotpoints", "Shop", *asked, "--depth", "1", "--other").splitlines()
    assert shown[-1].split()[-5:-1] == ["revenue/hits", "-20", "-20", "-20"]


def test_subdimensions_are_listed_below_what_was_asked(shop: Run) -> None:
    assert shop("subdimensions", "Shop", "--depth", "2") == (
        'parent  dimension\n_       country\n_       ["country", "CA"]\n_       ["country", "US"]\n'
    )
    asked = ("subdimensions", "Shop", "--dimensions", "country", "--json")
    assert shop(*asked) == (
        r'{"country": ["[\"country\", \"CA\"]", "[\"country\", \"US\"]"]}' + "\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["count", "Shop", "--metrics", '{"a": "much"}'], "metrics: got 'much'; expected a number"),
        (["count", "[", "--metrics", "a"], "pk: got '['; expected valid JSON"),
        (["totals", "Shop", "--period", "5x:1h"], "period: got '5x'; expected"),
        (["plotpoints", "Shop", "--tz", "Mars"], "tz: got 'Mars'; expected"),
        (["plotpoints", "Shop", "--depth", "many"], "depth: got 'many'; expected a whole number"),
        (["rank", "Shop", "--by", "hits"], "by: got 'hits'; expected one of value share"),
        (["count", "Shop", "--url", "file:///etc/passwd"], "url: got 'file:///etc/passwd'"),
        (["count", "Shop", "--url", "http://127.0.0.1:1"], "http://127.0.0.1:1 does not answer"),
    ],
)
def test_a_wrong_value_is_one_line_that_names_it(
    run: Run, arguments: list[str], message: str
) -> None:
    said = run(*arguments, code=2)
    assert said.startswith(f"hailwhale: {message}")
    assert len(said.splitlines()) == 1


def test_over_http_a_token_counts_and_without_one_is_said_how_to_give_it(
    run: Run, make_services: Callable[..., Services]
) -> None:
    closed = make_services(counting="off", reading="token")
    limits = closed.settings.limits
    _, counts = closed.tokens.add("counts", [Scope.COUNT], (), limits, NOW_S)
    _, reads = closed.tokens.add("reads", [Scope.READ], (), limits, NOW_S)
    with serving(whale_app(closed)) as origin:
        asked = ("count", "Shop", "--url", origin)
        assert run(*asked, "--token", counts) == "accepted\n"
        assert "with --token" in run(*asked, code=2)
        refused = run(*asked, "--token", reads, code=2)
        assert "answered 403: this requires a token with the scope count" in refused
        assert reads not in refused
    assert run("totals", "Shop", "--period", "today").split()[-1] == "1"
