"""What is made of the code is whole: routes in the reference, pictures; and how answers compare."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable

import pytest

from hailwhale.services.container import Services
from hailwhale.web.apps import hail_app, whale_app
from tests.docs.blocks import DOCS, as_shown, page


def test_every_route_has_its_place_in_the_reference_once(services: Services) -> None:
    told = re.findall(r"^\.\. openapi:: (.+)$", page("http.rst"), re.MULTILINE)
    rules = {
        re.sub(r"<([a-z]+)(:[a-z]+)?>", r"{\1}", route.rule)
        for app in (whale_app(services), hail_app(services))
        for route in app.routes
        if route.method in ("GET", "POST")
    }
    assert sorted(" ".join(told).split()) == sorted(rules)


@pytest.mark.parametrize(
    "name",
    [
        "event.svg",
        "pk.svg",
        "prefixes.svg",
        "metric.svg",
        "rollups.svg",
        "bucket.svg",
        "flow.svg",
        "decisions.svg",
    ],
)
def test_the_pictures_are_as_their_script_draws_them(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.syspath_prepend(str(DOCS / "pictures"))
    drawn: Callable[[str], str] = __import__("draw").drawn
    assert (DOCS / "pictures" / name).read_text(encoding="utf-8") == drawn(name)
    assert f"pictures/{name}" in page("concepts.rst")
    sys.modules.pop("draw")


@pytest.mark.parametrize(
    ("shown", "answer", "same"),
    [
        ('{"a": 1,\n "b": 2}', '{"a":1,"b":2}\n', True),
        ('{"a": …, "b": 2}', '{"a":[1,{}],"b":2}', True),
        ("OK", "OK but", False),
        ('{"a": …}', '{"b":1}', False),
        ("", "an answer that the page does not show", False),
    ],
)
def test_an_answer_is_what_the_page_shows(shown: str, answer: str, same: bool) -> None:
    assert as_shown(shown, answer) is same
