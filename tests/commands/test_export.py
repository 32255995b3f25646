"""`hailwhale export`: a file holds what /plotpoints and /totals say. It is 2026-03-15 12:10."""

from __future__ import annotations

import csv
import io
import json
import stat
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
import simplejson

from tests.commands.conftest import Run

TODAY_S = 1_773_532_800
YESTERDAY_S = TODAY_S - 86_400
ASKED = ("Shop", "--metrics", "revenue,revenue/hits", "--dimensions", "country", "--depth", "1")


@pytest.fixture
def shop(run: Run) -> Run:
    """A shop with a label that a spreadsheet would run."""
    for at, country, revenue in (
        ("2026-03-14T09:00Z", "US", "12345678901234567.89"),
        ("2026-03-15T09:00Z", "US", "0.1"),
        ("2026-03-15T09:00Z", "US", "-0.2"),
        ("2026-03-15T09:00Z", "=1+1", "-3"),
    ):
        event = ("--dimensions", json.dumps({"country": country}), "--at", at)
        run("count", "Shop", *event, "--metrics", json.dumps({"revenue": revenue}))
    return run


def test_csv_goes_to_stdout_and_runs_in_no_spreadsheet(shop: Run) -> None:
    rows = list(csv.reader(io.StringIO(shop("export", *ASKED, "--of", "totals"))))
    assert rows == [
        ["period", "pk", "dimension", "metric", "value"],
        ["1d:1mo", "Shop", "country", "revenue", "12345678901234564.79"],
        ["1d:1mo", "Shop", '["country", "US"]', "revenue", "12345678901234567.79"],
        ["1d:1mo", "Shop", '["country", "=1+1"]', "revenue", "-3"],
        ["1d:1mo", "Shop", "country", "revenue/hits", "3086419725308641.2"],
        ["1d:1mo", "Shop", '["country", "US"]', "revenue/hits", "4115226300411522.6"],
        ["1d:1mo", "Shop", '["country", "=1+1"]', "revenue/hits", "-3"],
    ]
    shop("count", "=2+2")
    assert "\r\ntoday,'=2+2,_,hits,1\r\n" in shop(
        "export", "=2+2", "--of", "totals", "--period", "today"
    )


def test_ndjson_holds_every_digit(shop: Run, tmp_path: Path) -> None:
    target = tmp_path / "sales.ndjson"
    assert shop("export", *ASKED, "--period", "1d:2d", "--output", str(target)) == ""
    rows = [simplejson.loads(line, use_decimal=True) for line in target.read_text().splitlines()]
    assert rows[0] == {
        "time": "2026-03-14T00:00:00+00:00",
        "pk": ["Shop"],
        "dimension": ["country"],
        "metric": "revenue",
        "value": Decimal("12345678901234567.89"),
    }
    assert [row["value"] for row in rows if row["dimension"] == ["country", "US"]][:2] == [
        Decimal("12345678901234567.89"),
        Decimal("-0.1"),
    ]


def test_parquet_has_times_lists_and_numbers(shop: Run, tmp_path: Path) -> None:
    target = tmp_path / "it's sales.parquet"
    shop("export", *ASKED, "--period", "1d:2d", "--output", str(target))
    with duckdb.connect() as database:
        relation = database.read_parquet(str(target))
        kinds = dict(zip(relation.columns, map(str, relation.types), strict=True))
        found = relation.filter("metric = 'revenue' and len(dimension) = 2").order(
            "dimension, time"
        )
        numbers = "epoch(time), pk, dimension, value"
        rows: list[tuple[Any, ...]] = found.project(numbers).fetchall()
    assert kinds == {
        "time": "TIMESTAMP WITH TIME ZONE",
        "pk": "VARCHAR[]",
        "dimension": "VARCHAR[]",
        "metric": "VARCHAR",
        "value": "DOUBLE",
    }
    assert rows == [
        (YESTERDAY_S, ["Shop"], ["country", "=1+1"], 0.0),
        (TODAY_S, ["Shop"], ["country", "=1+1"], -3.0),
        (YESTERDAY_S, ["Shop"], ["country", "US"], 12345678901234567.89),
        (TODAY_S, ["Shop"], ["country", "US"], -0.1),
    ]


def test_all_that_is_below_is_written_unless_a_limit_says_less(shop: Run) -> None:
    for number in range(20):
        shop("count", "Many", "--dimensions", json.dumps({"n": number}))
    asked = (
        "export",
        "Many",
        "--dimensions",
        "n",
        "--depth",
        "1",
        "--of",
        "totals",
        "--period",
        "all",
    )
    assert len(shop(*asked).splitlines()) == 1 + 1 + 20
    assert len(shop(*asked, "--limit", "3").splitlines()) == 1 + 1 + 3


def test_a_file_is_there_whole_or_as_it_was(shop: Run, tmp_path: Path) -> None:
    target = tmp_path / "sales.csv"
    target.write_text("before")
    shop("export", *ASKED, "--period", "5x:1h", "--output", str(target), code=2)
    assert target.read_text() == "before"
    shop("export", *ASKED, "--output", str(target))
    assert target.read_bytes().startswith(b"time,pk,dimension,metric,value\r\n")
    assert [path.name for path in tmp_path.iterdir()] == ["sales.csv"]
    assert stat.S_IMODE(target.stat().st_mode) & 0o400


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--format", "parquet"), "output: got '-'; expected a file"),
        (("--output", "/nowhere/at/all.csv"), "output: got '/nowhere/at/all.csv'"),
        (("--depth", "99"), "depth: got '99'"),
        (("--metrics", "a/"), "metrics: got"),
    ],
)
def test_invalid_input_is_reported_in_one_line(
    run: Run, arguments: tuple[str, ...], says: str
) -> None:
    told = run("export", "Shop", *arguments, code=2)
    assert told.startswith(f"hailwhale: {says}")
    assert len(told.splitlines()) == 1


def test_without_duckdb_parquet_says_what_to_install(
    shop: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    told = shop("export", *ASKED, "--output", str(tmp_path / "x.parquet"), code=2)
    assert "pip install 'hailwhale[parquet]'" in told
    assert list(tmp_path.iterdir()) == []
