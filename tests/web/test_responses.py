"""How answers look on the wire: CSV that is safe to open, health, the front page, plain errors."""

from __future__ import annotations

import csv
import io
import json

import pytest

from hailwhale.errors import StoreMismatch
from hailwhale.settings import Settings
from hailwhale.store.embedded import EmbeddedValkey
from hailwhale.web.apps import hail_app, whale_app
from hailwhale.web.lazy_app import LazyApp
from tests.web.client import Client

EVERY_ROUTE = [
    "/",
    "/count",
    "/count.gif",
    "/count_decision",
    "/count_decision.gif",
    "/count_now",
    "/count_now.gif",
    "/decide",
    "/demo",
    "/flush_hail",
    "/functions",
    "/graph.js",
    "/graph.json",
    "/graph.svg",
    "/hailwhale.beacon.js",
    "/healthz",
    "/known",
    "/metrics",
    "/metrics/expand",
    "/metrics/find",
    "/metrics/find/",
    "/openapi.json",
    "/pixel/<token>.gif",
    "/pks",
    "/plotpoints",
    "/prometheus",
    "/quantiles",
    "/rank",
    "/readyz",
    "/reasons",
    "/render",
    "/render/",
    "/reset",
    "/spy",
    "/static/<name:path>",
    "/static/jquery.hailwhale.js",
    "/static/vendor/<name>",
    "/subdimensions",
    "/tags",
    "/tags/autoComplete/tags",
    "/tags/autoComplete/values",
    "/totals",
    "/tracker",
    "/update_count_to",
    "/version",
]


# CSV


def test_totals_as_csv(visited: Client) -> None:
    asked = 'pk=Shop&period=1h:1d,all&metrics=hits,revenue&dimension=["country","US"]&format=csv'
    answer = visited.get("/totals", asked)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "no-store" in answer.headers["cache-control"]
    assert answer.text == (
        "period,dimension,metric,value\r\n"
        '1h:1d,"[""country"", ""US""]",hits,5\r\n'
        '1h:1d,"[""country"", ""US""]",revenue,34.5\r\n'
        'all,"[""country"", ""US""]",hits,8\r\n'
        'all,"[""country"", ""US""]",revenue,47.5\r\n'
    )


def test_plotpoints_as_csv(visited: Client) -> None:
    asked = "pk=Shop&period=1h:2h&dimension=country&depth=1&limit=1&other=1&metric=revenue"
    answer = visited.get("/plotpoints", f"{asked}&format=csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.text == (
        "time,dimension,metric,value\r\n"
        "2026-03-15T11:00:00+00:00,country,revenue,1\r\n"
        "2026-03-15T12:00:00+00:00,country,revenue,35.5\r\n"
        '2026-03-15T11:00:00+00:00,"[""country"", ""US""]",revenue,0\r\n'
        '2026-03-15T12:00:00+00:00,"[""country"", ""US""]",revenue,30.5\r\n'
        '2026-03-15T11:00:00+00:00,"[""country"", ""_other""]",revenue,1\r\n'
        '2026-03-15T12:00:00+00:00,"[""country"", ""_other""]",revenue,5\r\n'
    )


@pytest.mark.parametrize(
    ("label", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ('=HYPERLINK("http://x","y")', '\'=HYPERLINK("http://x","y")'),
        ("a,b", "a,b"),
        ('say "hi"', 'say "hi"'),
        ("a=b", "a=b"),
        ("Zürich", "Zürich"),
    ],
)
@pytest.mark.parametrize("path", ["/totals", "/plotpoints"])
def test_a_label_that_a_spreadsheet_would_run_is_defused(
    whale: Client, path: str, label: str, cell: str
) -> None:
    whale.post("/count", {"pk": "Shop", "dimension": label})
    asked = {"pk": "Shop", "dimension": label, "format": "csv", "period": "all"}
    rows = list(csv.DictReader(io.StringIO(whale.get(path, asked).text)))
    assert [(row["dimension"], row["value"]) for row in rows] == [(cell, "1")]


def test_a_metric_that_a_spreadsheet_would_run_is_defused_and_numbers_stay_numbers(
    whale: Client,
) -> None:
    whale.post("/count", {"pk": "Shop", "metrics": {"=cmd": 2}})
    asked = {"pk": "Shop", "metrics": ["=cmd", "-hits"], "format": "csv", "period": "all"}
    rows = list(csv.DictReader(io.StringIO(whale.get("/totals", asked).text)))
    assert [(row["metric"], row["value"]) for row in rows] == [("'=cmd", "2"), ("'-hits", "-1")]


def test_errors_are_json_though_csv_was_asked_for(visited: Client) -> None:
    answer = visited.get("/totals", "pk=Shop&format=csv&period=never")
    assert (answer.status, answer.error["parameter"]) == (400, "period")


# Health


@pytest.mark.parametrize("app", ["hail", "whale"])
def test_healthz_says_what_waits_and_what_was_done(hail: Client, whale: Client, app: str) -> None:
    hail.post("/count", [{"pk": "Shop", "id": "a"}, {"pk": "Shop", "id": "a"}, {"pk": "Blog"}])
    assert {"hail": hail, "whale": whale}[app].get("/healthz").json == {
        "status": "ok",
        "store": "ok",
        "buffered": 2,
        "planned": 0,
        "accepted": 2,
        "duplicate": 1,
        "drained": 0,
        "dead": 0,
        "folded": 0,
    }
    whale.get("/flush_hail")
    health = whale.get("/healthz").json
    assert (health["buffered"], health["drained"]) == (0, 2)


# The front page


def test_the_front_page_of_whale_lists_its_routes(whale: Client) -> None:
    answer = whale.get("/", accept="*/*")
    assert answer.json == {"service": "hailwhale", "routes": EVERY_ROUTE}


def test_a_browser_gets_the_front_page_as_html_with_a_strict_policy(whale: Client) -> None:
    answer = whale.get("/", accept="text/html,application/xhtml+xml,*/*;q=0.8")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    "path",
    [
        "/static/../hailwhale/settings.py",
        "/static/..%2fsetup.py",
        "/static//etc/passwd",
        "/static/nothing.css",
        "/static/\x00",
        "/static/",
        "/static/.",
    ],
)
def test_only_static_files_are_served(whale: Client, path: str) -> None:
    answer = whale.get(path)
    assert answer.status in (403, 404)
    assert answer.error["parameter"] is None
    assert answer.errors == ""


def test_types_are_served_as_text(whale: Client) -> None:
    answer = whale.get("/static/hailwhale.d.ts")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "declare namespace HailWhale" in answer.text


@pytest.mark.parametrize("wanted", ["bytes=0-1", "bytes=99999999-", "bytes=-0", "nonsense"])
def test_a_static_file_is_served_whole_and_closed(whale: Client, wanted: str) -> None:
    whole = whale.get("/static/dashboard.html")
    assert whale.get("/static/dashboard.html", range=wanted).body == whole.body


# Plain errors


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "PUT", "OPTIONS"])
@pytest.mark.parametrize("path", ["/nothing", "/count/", "/Totals", "//", "/nö", "/totals.json"])
def test_an_unknown_path_is_404_in_json(whale: Client, method: str, path: str) -> None:
    answer = whale.request(method, path)
    assert answer.status == 404
    if method != "HEAD":
        assert answer.error["parameter"] is None
        assert answer.error["message"].startswith("not found")


@pytest.mark.parametrize("path", [*EVERY_ROUTE[:9], *EVERY_ROUTE[10:]])
@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_another_method_is_405_in_json(whale: Client, path: str, method: str) -> None:
    answer = whale.request(method, path)
    assert answer.status == 405
    assert "GET" in answer.headers["allow"]
    assert answer.error["parameter"] is None
    assert answer.error["message"].startswith("method not allowed: use ")


@pytest.mark.parametrize("path", ["/totals", "/plotpoints", "/subdimensions", "/healthz", "/"])
def test_head_of_a_question_is_its_answer_without_a_body(whale: Client, path: str) -> None:
    answer = whale.request("HEAD", path)
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    "path", ["/totals", "/plotpoints", "/subdimensions", "/count", "/healthz", "/nothing", "/"]
)
def test_no_other_site_may_read_an_answer(whale: Client, path: str) -> None:
    answer = whale.get(path, origin="https://elsewhere.example")
    assert not [name for name in answer.headers if name.startswith("access-control-")]


@pytest.mark.parametrize("path", ["/totals", "/plotpoints", "/subdimensions"])
def test_labels_come_back_as_data_that_no_browser_takes_for_a_page(
    whale: Client, path: str
) -> None:
    evil = "</script><script>alert(1)</script>"
    whale.post("/count", {"pk": evil, "dimensions": [evil, "L'Aquila"]})
    answer = whale.get(path, {"pk": evil, "dimensions": [evil]}, accept="text/html")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert evil in json.dumps(answer.json)


# An app whose store is opened late


def test_a_late_app_says_503_until_its_store_can_be_opened(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    server = EmbeddedValkey(tmp_path_factory.mktemp("late"), fsync="no")
    url = f"unix://{server.data_dir}/valkey.sock"
    app = LazyApp(whale_app, Settings.from_env({}, redis_url=url))
    late = Client(app)
    answer = late.get("/count", "pk=Shop")
    assert (answer.status, answer.error["parameter"]) == (503, None)
    assert int(answer.headers["retry-after"]) > 0
    with server:
        assert late.get("/count", "pk=Shop").status == 200
        assert late.get("/totals", "pk=Shop&period=all").json == {"all": {"_": {"hits": 1}}}


def test_a_late_app_refuses_a_store_made_with_another_time_zone(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with EmbeddedValkey(tmp_path_factory.mktemp("zone"), fsync="no") as server:
        LazyApp(hail_app, Settings.from_env({}, redis_url=server.url)).open()
        environ = {"HAILWHALE_REDIS_URL": server.url, "HAILWHALE_TIMEZONE": "Europe/Berlin"}
        other = LazyApp(hail_app, Settings.from_env(environ))
        with pytest.raises(StoreMismatch, match="HAILWHALE_TIMEZONE=UTC"):
            other.open()
        answer = Client(other).get("/healthz")
        assert answer.status == 503
        assert "created with the time zone UTC" in answer.error["message"]
