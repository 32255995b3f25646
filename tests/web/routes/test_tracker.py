"""/tracker: counts visits, tells visitors apart by a signed cookie, and leaves those be who ask."""

from __future__ import annotations

from collections.abc import Callable
from http.cookies import SimpleCookie
from ipaddress import ip_network
from typing import Any

import pytest

from hailwhale.core.query.parameters import parse_totals
from hailwhale.services.container import Services
from hailwhale.services.json_shapes import totals_json
from hailwhale.web.apps import hail_app, whale_app
from tests.web.client import Answer, Client
from tests.web.queries import total


def cookie_of(answer: Answer) -> str:
    return answer.headers["set-cookie"].partition(";")[0]


def visitors(services: Services) -> object:
    asked = {"pk": "Page", "metric": "uniques", "period": "all"}
    return totals_json(services.reporting.totals(parse_totals(asked)))["all"]["_"]["uniques"]


def test_a_visit_is_counted_and_its_visitor_known_again(whale: Client, services: Services) -> None:
    first = whale.get("/tracker", 'pk=Page&dimensions={"country":"US"}')
    again = whale.get("/tracker", "pk=Page", cookie=cookie_of(first))
    other = whale.get("/tracker", "pk=Page")
    assert first.text == again.text != other.text
    assert len(first.text) == 16
    assert first.headers["content-type"].startswith("text/plain")
    assert first.headers["cache-control"].startswith("no-store")
    assert total(whale, "Page") == 3
    assert visitors(services) == 2
    assert len(whale.get("/spy", {"pk": "Page", "uid": first.text}).json["events"]) == 2


def test_hail_buffers_visits(hail: Client, services: Services) -> None:
    hail.get("/tracker", "pk=Page")
    assert services.drain.flush() == 1
    assert visitors(services) == 1


def test_the_cookie_is_kept_from_scripts_and_other_sites(whale: Client) -> None:
    found = SimpleCookie(whale.get("/tracker").headers["set-cookie"])["hwuid"]
    assert found["httponly"] is True
    assert (found["samesite"], found["path"]) == ("Lax", "/")
    assert found["max-age"] == str(390 * 86_400)
    assert (found["domain"], found["secure"]) == ("", "")


BEHIND_TLS = {"HTTP_X_FORWARDED_PROTO": "https", "REMOTE_ADDR": "10.0.0.1"}


def test_a_stranger_cannot_say_that_https_is_used(
    make_services: Callable[..., Services],
) -> None:
    client = Client(whale_app(make_services(trusted_proxies=(ip_network("10.9.0.0/16"),))))
    answer = client.request("GET", "/tracker", environ=BEHIND_TLS)
    assert not SimpleCookie(answer.headers["set-cookie"])["hwuid"]["secure"]


@pytest.mark.parametrize(
    ("settings", "environ"),
    [
        ({}, {"wsgi.url_scheme": "https"}),
        ({"trusted_proxies": (ip_network("10.0.0.1"),)}, BEHIND_TLS),
        ({"public_url": "https://hw.example.com"}, {}),
        ({"cookie_samesite": "none"}, {}),
    ],
)
def test_over_https_the_cookie_stays_there(
    make_services: Callable[..., Services], settings: dict[str, Any], environ: dict[str, str]
) -> None:
    client = Client(whale_app(make_services(**settings)))
    answer = client.request("GET", "/tracker", environ=environ)
    found = SimpleCookie(answer.headers["set-cookie"])["hwuid"]
    assert found["secure"] is True
    assert found["samesite"] == settings.get("cookie_samesite", "lax").capitalize()


@pytest.mark.parametrize(
    "cookie",
    [
        "hwuid=ann",
        "hwuid=ann.AAAAAAAAAAAAAAAA",
        "hwuid=",
        "hwuid",
        "a=b",
        "\x00",
        "hwuid=é.x",
        ";;",
    ],
)
def test_a_foreign_cookie_is_ignored(whale: Client, cookie: str) -> None:
    environ = {"HTTP_COOKIE": cookie}
    answer = whale.request("GET", "/tracker", environ=environ)
    assert answer.status == 200
    assert len(answer.text) == 16
    assert "set-cookie" in answer.headers


@pytest.mark.parametrize(
    "sent",
    ["%s", "a=b; %s", "%s;a=b", "a=b;%s; c=d", "hwuid=x; %s", 'a="\\"; %s', "hwuid=é.x; %s; \x00"],
)
@pytest.mark.parametrize("quoted", [False, True])
def test_our_cookie_is_found_among_others(whale: Client, sent: str, quoted: bool) -> None:
    first = whale.get("/tracker")
    ours = cookie_of(first)
    if quoted:
        ours = f'hwuid="{ours.removeprefix("hwuid=")}"'
    again = whale.request("GET", "/tracker", environ={"HTTP_COOKIE": sent % ours})
    assert again.text == first.text


def test_a_cookie_that_only_ends_as_ours_does_is_not_ours(whale: Client) -> None:
    first = whale.get("/tracker")
    for sent in (f"x{cookie_of(first)}", f"a=x {cookie_of(first)}", f"{cookie_of(first)}!"):
        again = whale.request("GET", "/tracker", environ={"HTTP_COOKIE": sent})
        assert again.text != first.text


def test_a_cookie_of_another_service_is_ignored(
    whale: Client, make_services: Callable[..., Services]
) -> None:
    other = Client(hail_app(make_services(namespace="elsewhere")))
    theirs = other.get("/tracker")
    assert whale.get("/tracker", cookie=cookie_of(theirs)).text != theirs.text


def test_a_uid_that_is_given_is_used_and_needs_no_cookie(whale: Client) -> None:
    answer = whale.get("/tracker", {"pk": "Page", "uid": "<b>ann</b>"})
    assert answer.text == "<b>ann</b>"
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in answer.headers
    assert len(whale.get("/spy", {"pk": "Page", "uid": "<b>ann</b>"}).json["events"]) == 1


@pytest.mark.parametrize("header", ["dnt", "sec_gpc"])
def test_do_not_track_is_counted_without_a_visitor(
    whale: Client, services: Services, header: str
) -> None:
    cookie = cookie_of(whale.get("/tracker", "pk=Page"))
    for headers in ({}, {"cookie": cookie}):
        answer = whale.get("/tracker", "pk=Page&uid=ann", **{header: "1"}, **headers)
        assert (answer.status, answer.text) == (200, "")
        assert "set-cookie" not in answer.headers
    assert total(whale, "Page") == 3
    assert visitors(services) == 1


def test_an_operator_may_have_to_follow_all_the_same(
    make_services: Callable[..., Services],
) -> None:
    client = Client(whale_app(make_services(honour_dnt=False)))
    assert client.get("/tracker", dnt="1").text


def test_an_invalid_event_sets_no_cookie(whale: Client) -> None:
    answer = whale.get("/tracker", "metrcis=1")
    assert (answer.status, answer.error["parameter"]) == (400, "metrcis")
    assert "set-cookie" not in answer.headers
    assert whale.request("HEAD", "/tracker", "pk=Page").status == 405
    assert total(whale, "Page") == 0
