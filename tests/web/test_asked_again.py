"""Whatever an answer names can be sent back as it stands, and answers for the same number."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from tests.web.client import Client

LABELS = [
    *('["a"]', '["a", "b"]', '{"a": 1}', '"x"', "'x'", "[ab]", "[", "{", "{a,b}", "[sic"),
    *("1", "1.0", "1e5", "-5", "007", "null", "None", "true", "NaN", "Infinity", "0x1f"),
    *("a,b", "a.b", "a/b", "a:b", "a|b", "a=b", "&pk=x", "a b", " a", "a ", "%20", "+", "#", ";"),
    *("*", "?", "a*", "(a)", "\\", "\\n", "$x", "é", "🐋", "all", "hits", "pk", "_x", "@a", "~a"),
]
TOP = "Root"


def amount(label: str) -> int:
    """The number of hits of a label, another one for each."""
    return 2 + LABELS.index(label)


@pytest.fixture
def counted(whale: Client) -> Client:
    events = [
        {"pk": pk, "dimensions": [path], "metrics": {"hits": amount(label)}}
        for label in LABELS
        for pk, path in (
            (["Root"], [label, label]),
            (["Root", label], ["d", label]),
            ([label], ["d"]),
        )
    ]
    assert whale.post("/count_now", events).json["rejected"] == []
    return whale


def hits(whale: Client, pk: object, dimension: object = "_") -> Any:
    """The hits of a pk and a dimension that are sent as texts, or as lists in JSON."""
    texts = [each if isinstance(each, str) else json.dumps(each) for each in (pk, dimension)]
    query = {"pk": texts[0], "dimension": texts[1], "period": "all"}
    by_url = whale.get("/totals", query)
    assert by_url.status == 200, (query, by_url.text)
    if isinstance(pk, list) and isinstance(dimension, list):
        by_json = whale.post("/totals", {"pk": pk, "dimension": dimension, "period": "all"})
        assert by_json.json == by_url.json
    [[found]] = [list(values.values()) for values in by_url.json["all"].values()]
    return found


@pytest.mark.parametrize("label", LABELS)
def test_what_is_known_of_a_label_can_be_asked(counted: Client, label: str) -> None:
    pks = counted.get("/pks").json["pks"]
    assert [label] in pks
    assert hits(counted, [label]) == amount(label)
    below = counted.get("/pks", {"pk": TOP}).json["pks"]
    assert [TOP, label] in below
    assert hits(counted, [TOP, label]) == amount(label)


def test_known_dimensions_can_be_asked(counted: Client) -> None:
    known = counted.get("/known", {"pk": TOP}).json
    assert sorted(
        hits(counted, TOP, each) for each in known["dimensions"] if each != "d"
    ) == sorted(map(amount, LABELS))


def test_the_dimensions_below_one_can_be_asked(counted: Client) -> None:
    found = counted.get("/subdimensions", {"pk": TOP, "depth": 2}).json
    for above, below in found.items():
        if above not in ("_", "d"):
            for each in below:
                assert hits(counted, TOP, each) == hits(counted, TOP, above)


@pytest.mark.parametrize("labels", [LABELS[:30], LABELS[30:]], ids=["some", "others"])
@pytest.mark.parametrize("route", ["/totals", "/plotpoints", "/graph.json"])
def test_the_dimensions_of_an_answer_can_be_asked(
    counted: Client, route: str, labels: list[str]
) -> None:
    dimensions = json.dumps([[label] for label in labels])
    period = "1h:1d" if route == "/graph.json" else "all"
    answer = counted.get(route, {"pk": TOP, "dimensions": dimensions, "period": period}).json
    if route == "/graph.json":
        named = [series["dimension"] for series in answer["series"]]
    else:
        named = list(answer["all"] if route == "/totals" else answer)
    assert [hits(counted, TOP, each) for each in named] == [amount(label) for label in labels]


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ({"pk": TOP, "dimension": "d", "limit": 0}, "dimension"),
        ({"pk": TOP, "limit": 0}, "dimension"),
        ({"pk": TOP, "of": "pks", "limit": 0}, "pk"),
    ],
    ids=str,
)
@pytest.mark.parametrize("form", ["json", "csv"])
def test_what_is_ranked_can_be_asked(
    counted: Client, query: dict[str, object], name: str, form: str
) -> None:
    answer = counted.get("/rank", {**query, "period": "all", "format": form})
    rows = answer.json if form == "json" else list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) >= len(LABELS)
    for row in rows:
        if form == "csv" and row[name].startswith("'"):
            continue  # a quote in front keeps spreadsheets from running it
        pk, dimension = (row["pk"], "_") if name == "pk" else (TOP, row["dimension"])
        assert hits(counted, pk, dimension) == int(row["value"])


@pytest.mark.parametrize("label", LABELS)
def test_an_event_that_is_shown_can_be_asked(counted: Client, label: str) -> None:
    [event] = counted.get("/spy", {"pk": json.dumps([label])}).json["events"]
    [dimension] = event["dimensions"]
    assert hits(counted, event["pk"], dimension) == event["metrics"]["hits"] == amount(label)


def test_what_graphite_finds_can_be_drawn(counted: Client) -> None:
    for node in counted.get("/metrics/find", {"query": "*"}).json:
        assert node["id"]
        leaves = counted.get("/metrics/find", {"query": node["id"] + ".hits"}).json
        [leaf] = leaves
        [drawn] = counted.get(
            "/render", {"target": leaf["id"], "format": "json", "from": "-2h"}
        ).json
        assert sum(value or 0 for value, _ in drawn["datapoints"]) > 0


METRICS = [
    *("200", "1e5", "a-b", "a - b", "a.b", "2xx", "-x", "a b", "hours", "days", "null", "true"),
    *("a=b", "é", "$", "%", "a#b", "a|b", "a;b", "[a]", "{a}", '"a"', "'a'", "a\\b", "a?", "NaN"),
    *("_count", "depth", "all", "hits2", "x^y", "decided", "a~b", "<b>", "@", "!", "&a", "inf"),
]


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_that_is_counted_is_known_and_can_be_asked(whale: Client, name: str) -> None:
    answer = whale.post("/count_now", {"pk": "Shop", "metrics": {name: 7}})
    if answer.status == 400:
        assert answer.error["parameter"] == "metrics"
        return
    known = whale.get("/known", {"pk": "Shop"}).json["metrics"]
    named = [each for each in known if each != "hits"]
    if name == "decided":
        assert named == [], "what a decision counts of itself is not listed"
        named = [name]
    for sent in (*named, json.dumps([name])):
        asked = whale.get("/totals", {"pk": "Shop", "metrics": sent, "period": "all"})
        assert asked.json == {"all": {"_": {name: 7}}}
    drawn = whale.get("/graph.json", {"pk": "Shop", "metrics": json.dumps([name, "hits"])})
    assert [(each["metric"], each["total"]) for each in drawn.json["series"]] == [
        (name, 7),
        ("hits", 1),
    ]
