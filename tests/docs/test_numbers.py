"""What a number means: each sentence of that section is quoted here by a test of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from io import StringIO
from typing import Any, TypeVar

import pytest

from hailwhale.core.alerts.rules import parse_rules
from hailwhale.core.events.histogram import bucket_metric
from hailwhale.core.query.parameters import parse_plot
from hailwhale.services.container import Services
from hailwhale.services.notify.alerts import AlertRunner
from hailwhale.services.query.export import head_of, rows_of, write_rows_csv
from tests.conftest import NOW_S, Clock
from tests.docs.blocks import page
from tests.web.client import Client

Test = TypeVar("Test", bound=Callable[..., None])
DAY_S = 86_400
MIDNIGHT_S = NOW_S - NOW_S % DAY_S
QUOTED: set[str] = set()


def says(*sentences: str) -> Callable[[Test], Test]:
    """Mark a test as that of these sentences."""
    QUOTED.update(sentences)
    return lambda test: test


def sentences() -> set[str]:
    """The sentences of the section, each on one line."""
    text = page("http.rst")
    section = text[text.index("What a number means\n---") :]
    section = section[: section.index("These words have a meaning")]
    return {
        " ".join(found.split())
        for found in re.findall(r"^- (.+(?:\n  .+)*)", section, re.MULTILINE)
    }


def test_every_sentence_is_quoted_by_a_test() -> None:
    assert sentences() == QUOTED


def count(whale: Client, **fields: Any) -> None:
    assert whale.post("/count", {"pk": "Shop", **fields}).status == 200


def total(whale: Client, metrics: str, period: str = "1d:1d", **more: Any) -> Any:
    answer = whale.get("/totals", {"pk": "Shop", "metrics": metrics, "period": period, **more})
    assert answer.status == 200, answer.text
    return answer.json[period]["_"][metrics]


def points(whale: Client, metrics: str, period: str, **more: Any) -> list[Any]:
    fields = {"pk": "Shop", "metrics": metrics, "period": period, **more}
    return [value for _, value in whale.get("/plotpoints", fields).json["_"][metrics]]


@says(
    "An unknown pk, dimension or metric is 0, and so is a bucket in which nothing was counted.",
    "A quantile of no values is 0.",
)
def test_nothing_is_0(whale: Client) -> None:
    assert points(whale, "hits", "1d:3d") == [0, 0, 0]
    unknown = {"pk": "None", "dimension": ["country", "XX"], "metric": "dollars", "period": "all"}
    assert whale.get("/totals", unknown).json == {"all": {'["country", "XX"]': {"dollars": 0}}}
    asked = {"pk": "None", "metric": "t", "period": "all", "shares": 0.5}
    assert whale.get("/quantiles", asked).json == {"all": {"_": {"t:p50": 0}}}


@says(
    "In ``/totals``, ``/plotpoints`` and the same methods of the library a quotient by 0 is 0, "
    "also 0 by 0, and the rest of its formula is computed with that 0.",
)
@pytest.mark.parametrize(("formula", "value"), [("a/b", 0), ("b/b", 0), ("a/b + 2*a", 10)])
def test_a_quotient_by_0_is_0_in_sums(whale: Client, formula: str, value: int) -> None:
    count(whale, metrics={"a": 5})
    assert total(whale, formula) == value
    assert points(whale, formula, "1d:1d") == [value]


@says(
    "In ``/rank``, ``/render``, ``/prometheus``, graphs, exported files and alerts a formula with "
    "a quotient by 0 has no value.",
    "What has no value is ``null`` in JSON, an empty cell in CSV, ``NaN`` in ``/prometheus`` and a "
    "gap in graphs, and no alert fires on it.",
)
@pytest.mark.parametrize("formula", ["a/b", "b/b", "a/b + 2*a"])
def test_a_quotient_by_0_has_no_value_elsewhere(
    whale: Client, services: Services, formula: str
) -> None:
    count(whale, metrics={"a": 5}, dimensions="US")
    asked = {"pk": "Shop", "metrics": formula, "period": "1d:2d"}
    [row] = whale.get("/rank", {**asked, "metrics": ["hits", formula]}).json
    assert row["metrics"] == {"hits": 1, formula: None}
    csv = whale.get("/rank", {**asked, "metrics": ["hits", formula], "format": "csv"}).text
    assert csv.splitlines()[1].endswith(",")
    target = formula.replace(" ", "%20").replace("+", "%2B").replace("*", "%2A")
    rendered = whale.get("/render", {"target": f"summarize(Shop.{target},'1d')"}).json
    assert {value for value, _ in rendered[0]["datapoints"]} == {None}
    divided = whale.get("/render", {"target": "divideSeries(Shop.b,Shop.b)"}).json
    assert {value for value, _ in divided[0]["datapoints"]} == {None}
    [series] = whale.get("/graph.json", asked).json["series"]
    assert (series["values"], series["total"]) == ([None, None], None)
    drawn = whale.get("/graph.svg", asked).text
    assert 'class="stroke' not in drawn
    assert "–" in drawn
    assert "} NaN\n" in whale.get("/prometheus", asked).text
    exported, file = services.graphing.graph(parse_plot(asked)), StringIO()
    write_rows_csv(file, head_of("totals"), rows_of(("Shop",), exported, "totals"))
    assert file.getvalue().splitlines()[1].endswith(",")
    for word in ("above = -1", "below = 1", "falls_by = 0"):
        assert not fires(services, formula, word)


def fires(services: Services, formula: str, word: str) -> bool:
    name, _, bound = word.partition(" = ")
    rule = {"name": word + formula, "pk": "Shop", "metric": formula, "period": "1h:1h"}
    url = "http://hooks.example.com"
    rules = parse_rules({"alert": [{**rule, name: int(bound), "webhook": url}]})
    [alert] = rules.alerts
    state = AlertRunner(services, rules, lambda _: None).check(alert)
    return not state.endswith("is fine")


@says("What has no value comes last in a ranking and in a ``sort``, in both directions.")
@pytest.mark.parametrize(("sort", "order"), [("-a/b", ["x", "y", "z"]), ("a/b", ["y", "x", "z"])])
def test_what_has_no_value_comes_last(whale: Client, sort: str, order: list[str]) -> None:
    for label, b in (("x", 1), ("y", -1), ("z", 0)):
        count(whale, dimensions=label, metrics={"a": 1, "b": b})
    asked = {"pk": "Shop", "metrics": "hits", "sort": sort, "period": "1d:1d"}
    assert [row["dimension"] for row in whale.get("/rank", asked).json] == order
    plotted = whale.get("/plotpoints", {**asked, "depth": 1, "threshold": 0}).json
    assert list(plotted) == ["_", *order]


@says(
    "``threshold`` compares what ``share`` tells: of a ratio the share of the denominator, else of "
    "the value.",
    "Below a parent of 0 every child that is not 0 reaches any ``threshold``.",
)
def test_a_threshold_is_of_the_share(whale: Client) -> None:
    count(whale, dimensions="few", metrics={"dollars": 9, "hits": 86, "level": 1})
    count(whale, dimensions="free", metrics={"dollars": 0, "hits": 14, "level": -1})
    count(whale, dimensions="dear", metrics={"dollars": 91, "hits": 0})
    for metrics, kept in (
        ("dollars/hits", {"few", "free"}),
        ("dollars", {"dear"}),
        ("level", {"few", "free"}),
    ):
        asked = {"pk": "Shop", "metrics": metrics, "period": "1d:1d", "threshold": 0.1}
        ranked = whale.get("/rank", asked).json
        assert {row["dimension"] for row in ranked} == kept
        assert all(row["share"] is None or abs(row["share"]) >= 0.1 for row in ranked)
        assert whale.get("/plotpoints", {**asked, "depth": 1}).json.keys() == {"_", *kept}


@says(
    "A bucket that is still running has what was counted up to now, and its length is the part "
    "that has passed.",
    "A bucket that has not begun has the length 0.",
)
def test_a_running_bucket_is_as_long_as_has_passed(whale: Client, clock: Clock) -> None:
    count(whale, metrics={"dollars": 100}, at=MIDNIGHT_S - 60)
    count(whale, metrics={"dollars": 100}, at=MIDNIGHT_S)
    clock.now_s = MIDNIGHT_S + DAY_S // 4 - 1
    assert points(whale, "dollars/:days", "1d:2d") == [100, 400]
    assert total(whale, "dollars/:days", "1d:2d") == 160
    dates = "2026-03-14..2026-03-17"
    assert points(whale, "dollars/:days", f"1d:{dates}") == [100, 400, 0, 0]
    assert total(whale, "dollars/:days", f"1d:{dates}") == 160
    assert points(whale, ":seconds + 0*hits", f"1d:{dates}") == [DAY_S, DAY_S // 4, 0, 0]


@says(
    "The period ``all`` has no known beginning, so a formula with a length of time is a 400 there.",
    "The one point of ``all`` in ``/plotpoints`` has the time 0.",
)
def test_all_has_no_length(whale: Client) -> None:
    count(whale, metrics={"dollars": 100}, dimensions="US")
    for word in ("days", ":hours", "_days_in_month"):
        asked = {"pk": "Shop", "metrics": f"dollars/{word}", "period": "all"}
        for path in ("/totals", "/plotpoints", "/rank", "/graph.json", "/prometheus"):
            answer = whale.get(path, asked)
            assert (answer.status, answer.error["parameter"]) == (400, "metrics")
    asked = {"pk": "Shop", "metrics": "dollars/:count", "period": "all"}
    assert whale.get("/plotpoints", asked).json == {"_": {"dollars/:count": [[0, 100]]}}


@says(
    "Sums are exact, and so is a formula in which nothing is divided, down to the 300th decimal.",
    "A quotient is computed to 34 digits and rounded once, in the answer, to 17.",
    "A formula of 10\\ :sup:`300` or more is a 400.",
)
def test_only_quotients_are_rounded(whale: Client) -> None:
    large = "123456789012345678901234567890"
    count(whale, metrics={"v": large, "n": "0.1"})
    less = "123456789012345678901234567889.9"
    for formula, value in (("v", large), ("-v", f"-{large}"), ("v*1", large), ("v - n", less)):
        expected = Decimal(value)
        assert Decimal(str(total(whale, formula))) == expected
        target = {"target": f"Shop.{formula.replace(' ', '%20').replace('*', '%2A')}"}
        rendered = whale.get("/render", {**target, "from": "-1h"}).json[0]["datapoints"]
        assert Decimal(str(rendered[-1][0])) == expected
    assert total(whale, "n/3") == Decimal("0.033333333333333333")
    assert total(whale, "n/3*3") == Decimal("0.1")
    scaled = whale.get("/render", {"target": "scale(divideSeries(Shop.n,scale(Shop.n,3)),3)"})
    assert scaled.json[0]["datapoints"][-1][0] == 1
    powers = "*".join(["v"] * 11)
    assert whale.get("/totals", {"pk": "Shop", "metrics": powers}).status == 400
    tiny = "*".join(["n"] * 300)
    assert total(whale, tiny) == Decimal("1e-300")
    assert total(whale, f"{tiny}*n") == 0


@says("A quantile has five digits and is within 4.8 % of the true one, for values of any size.")
@pytest.mark.parametrize("value", ["1e-25", "0.0000000003", "1211120", "9.1e28"])
def test_a_quantile_is_within_the_stated_error(whale: Client, value: str) -> None:
    count(whale, metrics={bucket_metric("t", Decimal(value)): 1})
    asked = {"pk": "Shop", "metric": "t", "period": "all", "shares": 0.5}
    found = Decimal(str(whale.get("/quantiles", asked).json["all"]["_"]["t:p50"]))
    assert abs(found - Decimal(value)) <= Decimal("0.048") * Decimal(value)
    assert len(found.normalize().as_tuple().digits) <= 5


@says(
    "``:seconds``, ``:minutes`` and ``:hours`` are elapsed time; each but the seconds is a "
    "quotient.",
    "``:days``, ``:weeks`` and ``:years`` are those of the calendar: a day is 1, whether it has "
    "23, 24 or 25 hours.",
    "Part of a day is its share of that day, and a day is its share of its year.",
    "``:days_in_month`` is of the month in which the bucket begins, and ``:count`` is the number "
    "of buckets added up.",
)
def test_lengths_over_a_change_of_clocks(whale: Client) -> None:
    for day in (7, 8, 9):  # on the 8th New York's clocks skip an hour
        count(whale, metrics={"dollars": 92}, at=f"2026-03-{day:02}T12:00-04:00")
    over = {"period": "1d:2026-03-07..2026-03-09", "tz": "America/New_York"}
    for formula, values, whole in (
        ("dollars/:days", [92, 92, 92], 92),
        ("7*dollars*:weeks", [92, 92, 92], 828),
        ("365*dollars*:years", [92, 92, 92], 828),
        ("dollars/:hours*24", [92, 96, 92], None),
        ("dollars*:seconds", [92 * 86_400, 92 * 82_800, 92 * 86_400], None),
        ("dollars/:days_in_month*31", [92, 92, 92], 276),
        ("dollars/:count", [92, 92, 92], 92),
    ):
        assert points(whale, formula, **over) == values
        if whole is not None:
            assert total(whale, formula, **over) == whole
    by_hour = points(whale, ":days*hits*0 + :days", "1h:2026-03-08..2026-03-08", tz=over["tz"])
    assert len(by_hour) == 23
    assert {Decimal(str(part)) for part in by_hour} == {Decimal("0.043478260869565217")}


@says(
    "A word that begins with a colon is a property of the period, because no metric has a colon "
    "in its name.",
    "In a formula ``seconds``, ``minutes``, ``hours``, ``days``, ``weeks``, ``years``, "
    "``_days_in_month`` and ``_count`` are metrics if counted under the pk, else properties of "
    "the period.",
    "A word that is the whole formula is a metric.",
)
@pytest.mark.parametrize(
    "word", ["seconds", "minutes", "hours", "days", "weeks", "years", "_days_in_month", "_count"]
)
def test_a_counted_metric_wins_over_a_word_of_ours(whale: Client, word: str) -> None:
    count(whale, metrics={"revenue": 100}, dimensions="US", at="2026-03-14T12:00")
    over, formula = "1d:2026-03-14..2026-03-14", f"revenue/{word}"
    ours = f"revenue/:{word.strip('_')}"
    length = total(whale, ours, over)
    assert total(whale, formula, over) == length
    assert total(whale, word, over) == 0
    count(whale, metrics={word: 4}, dimensions="US", at="2026-03-14T12:00")
    assert total(whale, ours, over) == length
    assert total(whale, word, over) == 4
    assert total(whale, formula, over) == 25
    assert points(whale, formula, over) == [25]
    asked = {"pk": "Shop", "metrics": formula, "period": over}
    [row] = whale.get("/rank", {**asked, "sort": f"-{formula}"}).json
    assert (row["value"], row["share"]) == (25, 1)
    assert whale.get("/graph.json", asked).json["series"][0]["total"] == 25
    target = {"target": f"summarize(Shop.{formula},'1d')", "from": "20260314", "until": "20260315"}
    assert 25 in [value for value, _ in whale.get("/render", target).json[0]["datapoints"]]
    other = {"pk": "Other", "metrics": formula, "period": over}
    assert whale.get("/totals", other).json == {over: {"_": {formula: 0}}}


@says(
    "What reads as a number in a formula is a number, and one outside 10\\ :sup:`-60` to 10\\ "
    ":sup:`60` is a 400.",
)
def test_what_reads_as_a_number_is_one(whale: Client) -> None:
    count(whale, metrics={"v": 7, "1e": 3})
    assert total(whale, "1e+2*v") == 700
    assert total(whale, "1e + 2*v") == 17
    for text in ("1e999999*v", "v*1e-61", "1e+60*v"):
        answer = whale.get("/totals", {"pk": "Shop", "metrics": text})
        assert (answer.status, answer.error["parameter"]) == (400, "metrics")


def test_only_what_a_decision_counts_of_itself_is_not_listed(whale: Client) -> None:
    count(whale, metrics={"x^2": 1, "x": 1})
    assert whale.get("/known", {"pk": "Shop"}).json == {
        "metrics": ["hits", "x", "x^2"],
        "dimensions": [],
        "decision": False,
    }


@pytest.mark.parametrize("word", ["hours", "_count"])
def test_a_counted_metric_wins_in_alerts_and_decisions(
    whale: Client, services: Services, word: str
) -> None:
    formula = f"revenue/{word}"
    asked = {"pk": "Shop", "options": ["a", "b"], "by_metric": formula}
    count(whale, pk=["Shop", "a"], metrics={"revenue": 100}, at=NOW_S - 3_600)
    assert whale.get("/reasons", asked).error["parameter"] == "by_metric"
    assert fires(services, formula, "above = 30")
    count(whale, pk=["Shop", "a"], metrics={word: 4}, at=NOW_S - 3_600)
    assert whale.get("/reasons", asked).status == 200
    assert not fires(services, formula, "above = 26")
    assert fires(services, formula, "above = 24")


def test_reasons_have_all_digits_of_hits(whale: Client) -> None:
    count(whale, pk=["Page", "a"], metrics={"hits": 1_234_567})
    asked = {"pk": "Page", "options": ["a", "b"], "by_metric": "sales"}
    assert whale.get("/reasons", asked).json["options"]["a"]["hits"] == 1_234_567
