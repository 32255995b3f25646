"""What docs/grafana.rst tells people to paste works on the real answers."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from hailwhale.core.graphite.functions import FUNCTIONS
from hailwhale.services.container import Services
from hailwhale.web.apps import whale_app
from tests.web.client import Client

PAGE = (Path(__file__).parents[2] / "docs" / "grafana.rst").read_text()
PANELS: list[dict[str, Any]] = [
    json.loads(text)
    for text in re.findall(r"^    (\{\n.*?\n    \})$", PAGE, re.MULTILINE | re.DOTALL)
]
PATHS = re.findall(r"^``([^`]+\.[^`]+)`` {2,}", PAGE.split("In a label")[0], re.MULTILINE)
PARSED: dict[str, Callable[[str], Any]] = {
    "timestamp": datetime.fromisoformat,
    "number": Decimal,
    "string": str,
}


@pytest.fixture
def shop(services: Services) -> Client:
    for country, revenue in (("US", "9.5"), ("CA", "3"), ("New York", "1.25")):
        event = {"pk": "Shop", "dimensions": {"country": country}, "metrics": {"revenue": revenue}}
        services.counting.count_now(event)
    return Client(whale_app(services))


def rows_of(shop: Client, panel: dict[str, Any]) -> list[dict[str, Any]]:
    """What Infinity makes of an answer: a row of the columns, each read as its type."""
    path = panel["url"].removeprefix("http://localhost:8085")
    params = {each["key"]: each["value"] for each in panel["url_options"]["params"]}
    answer = shop.get(path, params)
    assert answer.status == 200, answer.text
    assert answer.headers["content-type"].startswith("text/csv")
    return [
        {
            column["text"]: PARSED[column["type"]](row[column["selector"]])
            for column in panel["columns"]
        }
        for row in csv.DictReader(io.StringIO(answer.text))
    ]


def test_the_panel_of_series_has_a_time_and_a_number_for_each_country(shop: Client) -> None:
    rows = rows_of(shop, PANELS[0])
    last = max(row["time"] for row in rows)
    assert {row["dimension"]: row["revenue"] for row in rows if row["time"] == last} == {
        "country": Decimal("13.75"),
        '["country", "US"]': Decimal("9.5"),
        '["country", "CA"]': Decimal(3),
    }


def test_the_panel_of_totals_has_a_row_for_each_metric(shop: Client) -> None:
    rows = rows_of(shop, PANELS[1])
    assert [row["metric"] for row in rows] == ["revenue", "hits", "revenue/hits"]
    assert [row["today"] for row in rows][:2] == [Decimal("13.75"), 3]


def test_every_function_is_documented_and_no_other(shop: Client) -> None:
    table = PAGE[PAGE.index("``alias(series") : PAGE.index("Any other function is")]
    assert set(re.findall(r"``([a-zA-Z]+)\(", table)) == set(FUNCTIONS)


@pytest.mark.parametrize("path", PATHS)
def test_every_path_of_the_page_is_rendered(shop: Client, path: str) -> None:
    answer = shop.get("/render", {"target": path, "from": "-6h"})
    assert answer.status == 200
    assert answer.json


def test_the_target_of_the_page_names_countries(shop: Client) -> None:
    [target] = re.findall(r"^    (aliasByNode.*)$", PAGE, re.MULTILINE)
    curves = shop.get("/render", {"target": target, "from": "-1h"}).json
    assert [curve["target"] for curve in curves] == ["US", "CA", "New York"]
