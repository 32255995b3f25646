"""The embed line's script, the picture and the numbers; and that nothing breaks out of them."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree

import pytest

from hailwhale.errors import StoreUnavailable
from hailwhale.services.container import Services
from hailwhale.web.apps import whale_app
from hailwhale.web.assets import STYLES, static_folder, vendor_file, widget
from hailwhale.web.js_modules import ordered
from tests.web.client import Client

SHOP = {"pk": "Shop", "metrics": "revenue", "dimension": "country", "depth": 1, "period": "1d:1w"}
EVIL = "</script><img src=x onerror=alert(1)>\u2028'\"`${1}//"

DIGESTS = {
    "uplot.js": "2d27e8ad3d228164525ce213f9dc716f39b4e3aee0cc773fb3491c96cf4921a2",
    "uplot.css": "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
}


def told(script: str) -> Any:
    """What the embed script is called with."""
    call = script[script.rindex("})(") + 3 :]
    assert call.endswith(");\n")
    return json.loads(call[:-3])


def test_the_numbers_of_a_graph_come_with_totals_edges_and_zone(visited: Client) -> None:
    asked = {**SHOP, "metrics": "revenue,revenue/hits", "tz": "UTC", "threshold": 0.2, "other": 1}
    answer = visited.get("/graph.json", asked).json
    assert (answer["interval"], answer["tz"], len(answer["starts_ms"])) == ("1d", "UTC", 7)
    assert answer["end_ms"] - answer["starts_ms"][-1] == 86_400_000
    found = {
        (tuple(one["dimension"]), one["metric"]): (one["total"], one["additive"], one["values"][-1])
        for one in answer["series"]
    }
    assert found[("country",), "revenue"] == (Decimal("45.5"), True, Decimal("40.5"))
    assert found[("country", "US"), "revenue"][:2] == (Decimal("39.5"), True)
    assert found[("country", "_other"), "revenue"][:2] == (6, True)
    # 45.5 of 8 visits: what no sum of the days' ratios would come to.
    assert found[("country",), "revenue/hits"][:2] == (Decimal("5.6875"), False)


def test_a_graph_of_everything_ever_is_one_bucket_without_an_interval(visited: Client) -> None:
    answer = visited.get("/graph.json", {"pk": "Shop", "period": "all"}).json
    assert (answer["interval"], answer["starts_ms"], answer["series"][0]["total"]) == ("", [0], 11)


def test_the_embed_line_is_a_script_that_knows_what_it_was_asked(whale: Client) -> None:
    answer = whale.get("/graph.js", {**SHOP, "title": "Income", "height": 300, "target": "#here"})
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    found = told(answer.text)
    assert found["target"] == "#here"
    assert found["version"] == widget().digest
    assert found["options"] == {
        "pk": "Shop",
        "metrics": "revenue",
        "dimensions": "country",
        "depth": "1",
        "period": "1d:1w",
        "title": "Income",
        "height": "300",
    }


@pytest.mark.parametrize("name", ["pk", "title", "metric", "dimension", "target", "period"])
def test_nothing_breaks_out_of_the_script(whale: Client, name: str) -> None:
    text = whale.get("/graph.js", {name: EVIL.replace("\u2028", "") if name == "pk" else EVIL}).text
    call = text[text.rindex("})(") :]
    assert not re.search(r"[<>&\u2028\u2029]", call)
    told(text)


def test_a_wrong_parameter_is_shown_in_place_of_the_graph(whale: Client) -> None:
    for_a_page = whale.get("/graph.js", "period=5x&target=%23here", sec_fetch_dest="script")
    found = told(for_a_page.text)
    assert for_a_page.status == 200  # a browser runs no script that comes with a 400
    assert found["fault"].startswith("period: got '5x'; expected ")
    assert (found["target"], found["options"]) == ("#here", {})
    assert whale.get("/graph.js", "period=5x", referer="http://a.test/").status == 200
    assert whale.get("/graph.js", "period=5x").status == 400


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("token=x", "modified"),
        (f"token=AQAAAA{'A' * 60}", "key"),
        ("token=x&pk=Shop", "does not accept"),
    ],
)
def test_a_refused_seal_is_shown_in_place_of_the_graph(
    make_services: Callable[..., Services], query: str, word: str
) -> None:
    services = make_services(seal_keys=("A" * 43,), reading="token", rate_limit="3/hour")
    whale = Client(whale_app(services))
    answer = whale.get("/graph.js", f"{query}&target=%23here", sec_fetch_dest="script")
    found = told(answer.text)
    assert (answer.status, found["target"], found["options"]) == (200, "#here", {})
    assert word in found["fault"]
    assert whale.get("/graph.js", query).status == 403
    services.tallies.flush()
    assert sum(services.store.request_stats.refused().values()) == 2


def test_too_many_graphs_are_reported_in_place_of_the_graph(
    make_services: Callable[..., Services],
) -> None:
    services = make_services(seal_keys=("A" * 43,), rate_limit="1/hour")
    whale, query = Client(whale_app(services)), {"token": services.sealing.graph({"pk": "Shop"})}
    assert "fault" not in told(whale.get("/graph.js", query, sec_fetch_dest="script").text)
    again = whale.get("/graph.js", query, sec_fetch_dest="script")
    assert "too many requests" in told(again.text)["fault"]
    assert whale.get("/graph.js", query).status == 429


@pytest.mark.parametrize(
    "query",
    ["view=pie", "height=9", "width=x", "live=maybe", "interval=0", "hwurl=javascript:x", "no=1",
     "theme=pink", "locale=a_b", "title=%0a", "axis2={}"],
)  # fmt: skip
def test_a_wrong_look_is_refused_by_name(whale: Client, query: str) -> None:
    answer = whale.get("/graph.js", query)
    assert answer.status == 400
    assert told(answer.text)["fault"].startswith(query.partition("=")[0])
    assert whale.get("/graph.svg", query).status == 400


def picture(client: Client, **asked: object) -> ElementTree.Element:
    answer = client.get("/graph.svg", {**SHOP, **asked})
    assert answer.status == 200, answer.text
    assert answer.headers["content-type"] == "image/svg+xml; charset=utf-8"
    return ElementTree.fromstring(answer.text)  # noqa: S314 - it is our own


def texts(drawn: ElementTree.Element) -> list[str]:
    return ["".join(found.itertext()) for found in drawn.iter("{http://www.w3.org/2000/svg}text")]


@pytest.mark.parametrize("view", ["line", "area", "stacked", "bar"])
def test_the_picture_shows_every_series_with_its_total(visited: Client, view: str) -> None:
    drawn = picture(visited, view=view, title="Income", threshold=0)
    found = texts(drawn)
    assert {"Income", "country 45.50", "US 39.50", "CA 5", "DE 1"} <= set(found)
    assert "03-15" in found
    paths = [p for p in drawn.iter("{http://www.w3.org/2000/svg}path") if p.get("class") != "line"]
    assert len(paths) >= 3


def test_the_line_of_the_picture_is_the_data(visited: Client) -> None:
    drawn = picture(visited, dimension="_", depth=0, height=260)
    [line] = [
        p for p in drawn.iter("{http://www.w3.org/2000/svg}path") if "stroke" in str(p.get("class"))
    ]
    heights = [float(point.split()[1]) for point in re.split("[ML]", str(line.get("d")))[1:]]
    levels = {
        "".join(t.itertext()): float(str(t.get("y"))) - 4
        for t in drawn.iter("{http://www.w3.org/2000/svg}text")
        if t.get("text-anchor") == "end"
    }
    # Of the week's days only the 12th (5) and the 15th (40.5) have something, of a scale up to 60.
    bottom, top = levels["0"], levels["60"]
    values = [(bottom - height) / (bottom - top) * 60 for height in heights]
    assert values == pytest.approx([0, 0, 0, 5, 0, 0, 40.5], abs=0.05)


def test_labels_are_text_in_the_picture(whale: Client) -> None:
    label = "<img src=x onerror=alert(1)>&]]>"
    whale.post("/count", {"pk": "Evil", "dimensions": ["x", label]})
    drawn = picture(
        whale, pk="Evil", dimension="x", metrics="hits", title="<script>alert(1)</script>"
    )
    assert f"{label} 1" in texts(drawn)
    assert {found.tag.rpartition("}")[2] for found in drawn.iter()} <= {
        "svg", "title", "desc", "style", "rect", "text", "tspan", "path", "g", "circle",
    }  # fmt: skip


def test_a_wrong_picture_is_a_picture_that_says_so(whale: Client) -> None:
    answer = whale.get("/graph.svg", {"period": "<b>:5x"})
    assert answer.status == 400
    assert "period: got '<b>'" in " ".join(texts(ElementTree.fromstring(answer.text)))  # noqa: S314


def test_an_image_says_that_the_store_is_unavailable(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise StoreUnavailable("the store does not answer")

    monkeypatch.setattr(type(services.reporting), "lines", away)
    answer = Client(whale_app(services)).get("/graph.svg", SHOP)
    assert (answer.status, "the store does not answer" in answer.text) == (503, True)


def test_the_widget_comes_as_one_script_within_its_budget(whale: Client) -> None:
    plain = whale.get("/static/jquery.hailwhale.js")
    zipped = whale.get("/static/jquery.hailwhale.js", accept_encoding="gzip, br")
    assert zipped.headers["content-encoding"] == "gzip"
    assert gzip.decompress(zipped.body) == plain.body
    assert len(zipped.body) <= 45 * 1024
    assert plain.headers["cache-control"] == "no-cache"
    tag = plain.headers["etag"]
    assert whale.get("/static/jquery.hailwhale.js", if_none_match=tag).status == 304
    kept = whale.get("/static/jquery.hailwhale.js", {"v": tag.strip('"')})
    assert "immutable" in kept.headers["cache-control"]


def test_every_file_of_the_widget_is_in_it() -> None:
    folder = static_folder() / "hailwhale"
    entry, embed = static_folder() / "jquery.hailwhale.js", folder / "embed.js"
    joined = [module.file for module in ordered(entry, ("uplot", "hailwhale.css"))]
    assert {*folder.glob("*.js"), entry} == {*joined, embed}
    assert {f.stem for f in folder.glob("*.css")} == {*STYLES}


@pytest.mark.parametrize("name", DIGESTS)
def test_the_chart_library_is_the_reviewed_version(name: str) -> None:
    """uPlot 1.6.31 as its authors publish it, to the byte."""
    file = vendor_file(name)
    assert file is not None
    assert hashlib.sha256(file.read_bytes()).hexdigest() == DIGESTS[name]


def test_the_packages_files_are_served_and_no_others(whale: Client) -> None:
    assert b"jQuery v3." in whale.get("/static/vendor/jquery.js").body[:100]
    assert whale.get("/static/vendor/uplot.js").status == 200
    assert whale.get("/static/vendor/passwd").status == 404
    assert whale.get("/static/vendor/..").status == 404


@pytest.mark.parametrize(
    ("origins", "asking", "allowed"),
    [
        ("", "https://a.test", None),
        ("https://a.test", "https://a.test", "https://a.test"),
        ("https://a.test, https://b.test:81/", "https://b.test:81", "https://b.test:81"),
        ("https://a.test", "https://a.test.evil", None),
        ("https://a.test", "null", None),
        ("*", "https://any.test", "https://any.test"),
    ],
)
@pytest.mark.parametrize("path", ["/graph.json", "/totals", "/plotpoints", "/rank"])
def test_only_configured_origins_may_read(
    make_services: Callable[..., Services],
    origins: str,
    asking: str,
    allowed: str | None,
    path: str,
) -> None:
    from hailwhale.settings import Settings

    read = Settings.from_env({"HAILWHALE_CORS_ORIGINS": origins}).cors_origins
    client = Client(whale_app(make_services(cors_origins=read)))
    answer = client.get(path, origin=asking)
    assert answer.headers.get("access-control-allow-origin") == allowed
    wrong = client.get(path, "period=5x", origin=asking)
    assert wrong.status == (400 if allowed else 403)
    assert wrong.headers.get("access-control-allow-origin") == allowed
    preflight = client.request("OPTIONS", path, headers={"origin": asking})
    assert preflight.headers.get("access-control-allow-origin") == allowed


def test_no_page_of_another_site_may_change_things(make_services: Callable[..., Services]) -> None:
    client = Client(whale_app(make_services(cors_origins=("*",))))
    for path in ("/reset", "/flush_hail", "/update_count_to"):
        answer = client.request("OPTIONS", path, headers={"origin": "https://a.test"})
        assert "access-control-allow-origin" not in answer.headers


def test_a_sealed_graph_reveals_only_its_appearance(
    make_services: Callable[..., Services],
) -> None:
    services = make_services(seal_keys=("A" * 43,))
    sealed = {**SHOP, "title": "Income", "view": "area", "compare": "1d:2026-01-01..2026-01-07"}
    token = services.sealing.graph(sealed)
    script = Client(whale_app(services)).get("/graph.js", {"token": token, "target": "#here"})
    assert script.status == 200, script.text
    options = {"period": "1d:1w", "title": "Income", "view": "area", "sealed": token}
    assert told(script.text) == {"options": options, "target": "#here", "version": widget().digest}
