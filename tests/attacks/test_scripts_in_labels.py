"""Labels, metrics and titles that are meant to run: in JSON, scripts, pictures, tags and CSV.

tests/browser tests what browsers do with them. Here the answers must contain them only as data.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import pytest

from hailwhale.settings import Settings
from hailwhale.web.assets import static_folder
from hailwhale.whale import Whale
from tests.attacks.hostile import FORMULAS, KEY, SCRIPTS
from tests.web.client import JSON, Client

IN_A_PICTURE = {"svg", "title", "desc", "style", "rect", "text", "tspan", "path", "g", "circle"}
RUNS = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|srcdoc|\beval\(|new Function|\.html\(|"
    r"setTimeout\(['\"`]|javascript:"
)


def metric_of(label: str) -> str:
    return re.sub(r"[/:()*+,]", "", label).strip("- ") or "m"


def texts(value: object) -> Iterator[str]:
    """Every text in a JSON value, its keys included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, below in value.items():
            yield from (key, *texts(below))
    elif isinstance(value, list):
        for below in value:
            yield from texts(below)


@pytest.fixture
def counted(whale: Client) -> Client:
    """Whale with every script as pk, dimension, label, metric and option."""
    for script in SCRIPTS:
        metrics = {"hits": 1, metric_of(script): 2}
        event = {"pk": [script, script], "dimensions": {script: script}, "metrics": metrics}
        assert whale.post("/count", event).status == 200
        exposure = {"pk": f"{script}?", "option": script, "dimensions": {script: script}}
        assert whale.post("/count_decision", exposure).status == 200
    return whale


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_answer_returns_a_script_as_data(counted: Client, script: str) -> None:
    """None is HTML, each says what it is, and JSON reads back as what was counted."""
    asked = {"pk": [script], "dimension": [script], "metrics": [metric_of(script)]}
    written = json.dumps(script, ensure_ascii=False)[1:-1]
    decision = {"pk": [f"{script}?"], "options": [script, "b"], "by_metric": "x"}
    asks: list[tuple[str, dict[str, Any]]] = [
        ("/totals", asked),
        ("/plotpoints", {**asked, "depth": 1}),
        ("/graph.json", {**asked, "depth": 1}),
        ("/rank", asked),
        ("/subdimensions", {"pk": [script]}),
        ("/pks", {"pk": [script]}),
        ("/known", {"pk": [script]}),
        ("/spy", {"pk": [script]}),
        ("/decide", decision),
        ("/reasons", decision),
    ]
    for path, query in asks:
        answer = counted.get(path, query, accept="text/html")
        assert answer.status == 200, (path, answer.text)
        assert answer.headers["content-type"] == JSON
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert any(script in text or written in text for text in texts(json.loads(answer.body)))


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_refusal_returns_a_script_as_data(whale: Client, script: str) -> None:
    for path in ("/totals", "/count", "/rank", "/decide", "/spy", "/reset", "/nothing"):
        answer = whale.get(path, {script: script, "period": script}, accept="text/html")
        assert answer.status in (400, 404)
        assert answer.headers["content-type"] == JSON
    assert script not in whale.get(f"/{script}").text


@pytest.mark.parametrize("script", SCRIPTS)
def test_no_text_ends_the_script_of_a_graph(whale: Client, script: str) -> None:
    for name in ("pk", "title", "metric", "dimension", "target", "period", "axis2", "compare", "x"):
        answer = whale.get("/graph.js", {name: script}, sec_fetch_dest="script")
        call = answer.text[answer.text.rindex("})(") + 3 :]
        assert (answer.status, call[-3:]) == (200, ");\n")
        assert isinstance(json.loads(call[:-3]), dict)
        assert not re.search(r"[<>&\u2028\u2029]", call)


@pytest.mark.parametrize("script", SCRIPTS)
def test_in_a_picture_a_script_is_text(counted: Client, script: str) -> None:
    asked = {"pk": [script], "dimension": [script], "depth": 1, "metrics": [metric_of(script)]}
    for query in ({**asked, "title": script}, asked, {"period": script}, {script: "1"}):
        answer = counted.get("/graph.svg", query)
        assert answer.headers["content-type"] == "image/svg+xml; charset=utf-8"
        assert answer.headers["content-security-policy"].startswith("default-src 'none';")
        drawn = list(ElementTree.fromstring(answer.text).iter())  # noqa: S314 - it is our own
        assert {found.tag.rpartition("}")[2] for found in drawn} <= IN_A_PICTURE
        attributes = {name for found in drawn for name in found.attrib}
        assert not [name for name in attributes if name.startswith("on") or "href" in name]


class Tags(HTMLParser):
    """The tags that a browser finds in a text, each with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, list[str]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, [name for name, _ in attrs]))


@pytest.mark.parametrize("script", SCRIPTS)
def test_in_a_tag_a_script_stays_in_its_attribute(script: str) -> None:
    whale = Whale(settings=Settings.from_env({"HAILWHALE_SEAL_KEYS": KEY}))
    asked: Any = {"metrics": metric_of(script), "dimension": script, "title": script}
    assert Tags(whale.graph_tag(script, **asked)).found == [("script", ["async", "src"])]
    assert Tags(whale.sealed_graph_tag(script, **asked)).found == [("script", ["async", "src"])]
    [(tag, names)] = Tags(whale.pixel_tag([script], {"a": script})).found
    assert tag == "img"
    assert not [name for name in names if name.startswith("on")]


def test_our_pages_have_no_script_in_them_and_their_policy_allows_none(whale: Client) -> None:
    for page in static_folder().glob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert not re.search(r"<script(?![^>]* src=\"/static/)|\son\w+=|javascript:", text)
    for path in ("/", "/demo", "/static/dashboard.html", "/static/whale.svg"):
        policy = whale.get(path, accept="text/html").headers["content-security-policy"]
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy


@pytest.mark.parametrize(
    "file", sorted(static_folder().rglob("*.js")), ids=lambda file: str(file.name)
)
def test_no_script_of_ours_makes_code_or_markup_of_a_text(file: Any) -> None:
    assert RUNS.findall(file.read_text(encoding="utf-8")) == []


# Spreadsheets

PARTED = [f"a;{formula}" for formula in FORMULAS] + ['a";=1+1', "a; =1+1"]


@pytest.mark.parametrize("label", [*FORMULAS, " =1+1", *PARTED])
def test_no_cell_of_any_csv_begins_as_a_formula(whale: Client, label: str) -> None:
    """However a spreadsheet parts the cells: at commas, semicolons or tabs."""
    event = {"pk": ["Shop", label], "dimensions": ["a", label], "metrics": {"hits": 1}}
    assert whale.post("/count", event).status == 200
    assert whale.post("/count", {"pk": "Shop", "dimension": label}).status == 200
    asked = {"pk": "Shop", "format": "csv", "period": "all", "dimension": label}
    texts = [
        whale.get("/totals", asked).text,
        whale.get("/plotpoints", asked).text,
        whale.get("/rank", {**asked, "dimension": "_"}).text,
        whale.get("/rank", {**asked, "dimension": "a"}).text,
        whale.get("/rank", {**asked, "dimension": "_", "of": "pks"}).text,
    ]
    for text in texts:
        assert len(text.splitlines()) >= 2
        for delimiter in ",;\t":
            for row in csv.reader(io.StringIO(text), delimiter=delimiter):
                for cell in row:
                    assert not re.match(r'[ "]*[=+\-@＝＋－＠](?!\d+(\.\d+)?$)', cell), (cell, text)


@pytest.mark.parametrize("label", ["\t=1+1", "\r=1+1", "a\n=1+1", "\x1b[31m", "\x9b31m", "\x07"])
def test_nothing_that_a_terminal_or_a_table_obeys_is_a_label(whale: Client, label: str) -> None:
    for event in ({"pk": label}, {"dimension": label}, {"metrics": label}, {"uid": label}):
        assert whale.post("/count", {"pk": "Shop", **event}).status == 400
