"""/openapi.json says what the service does: every route, every parameter, and nothing else."""

from __future__ import annotations

import re
from typing import Any

import bottle
import pytest
from openapi_spec_validator import validate

from hailwhale.core.events.param_names import singular_of
from hailwhale.core.graph.options import LOOKING_PARAMETERS, parse_graph
from hailwhale.errors import BadInput
from hailwhale.services.container import Services
from hailwhale.web.apps import hail_app, whale_app
from hailwhale.web.routes.openapi import OPERATIONS
from tests.web.client import Client

# These look at no parameters, or say what is wrong in a script or a picture.
DEAF = {
    *("/", "/demo", "/healthz", "/readyz", "/metrics", "/openapi.json", "/graph.js", "/graph.svg"),
    "/hailwhale.beacon.js",
    *("/functions", "/version", "/tags", "/tags/autoComplete/tags", "/tags/autoComplete/values"),
}
ASKED = [
    rule for rule in OPERATIONS if rule not in DEAF and "<" not in rule and "/static" not in rule
]


@pytest.fixture
def described(whale: Client) -> Any:
    return whale.get("/openapi.json").json


def path_of(rule: str) -> str:
    return re.sub(r"<(\w+)(:\w+)?>", r"{\1}", rule)


def names(operation: Any) -> set[str]:
    return {each["name"] for each in operation["parameters"] if each["in"] == "query"}


def test_it_is_openapi(described: Any, hail: Client) -> None:
    validate(described)
    validate(hail.get("/openapi.json").json)


def test_every_route_is_in_it_and_every_route_in_it_is_there(services: Services) -> None:
    for app in (whale_app(services), hail_app(services)):
        client = Client(app)
        there = {
            (path_of(route.rule), route.method.lower())
            for route in app.routes
            if route.method in ("GET", "POST")
        }
        paths = client.get("/openapi.json").json["paths"]
        assert {(path, method) for path, found in paths.items() for method in found} == there
        for route in app.routes:
            assert route.rule in OPERATIONS, (
                f"{route.rule} is to be described in web/routes/openapi.py"
            )


@pytest.mark.parametrize("rule", ASKED)
def test_its_parameters_are_those_that_the_route_takes(
    whale: Client, described: Any, rule: str
) -> None:
    """The route itself says which it knows, when it is asked with one it does not know."""
    message = whale.get(rule, "zz=1", accept="*/*").text
    listed = re.search(r"a parameter named ([^;.<]+)", message)
    assert listed is not None, message
    known = set()
    for name in re.split(r", | or ", listed.group(1).strip('"}')):
        one = name.removesuffix("(s)")
        known |= {one, f"{one}s"} if name.endswith("(s)") else {name}
    beside = {"token", "format"}  # looked at by others than the parser
    operation = described["paths"][path_of(rule)]
    assert names(operation["get"]) | beside == known | beside
    if "post" in operation:
        body = operation["post"]["requestBody"]["content"]["application/json"]["schema"]
        one = body["oneOf"][0] if "oneOf" in body else body
        assert set(one["properties"]) | beside == known | beside


@pytest.mark.parametrize("rule", ASKED)
def test_each_of_its_parameters_is_understood(whale: Client, described: Any, rule: str) -> None:
    """No name that is listed is answered as one that is unknown."""
    for name in names(described["paths"][rule]["get"]):
        body = whale.get(rule, {name: "0"}).body.decode("latin-1")
        refusal = f'"parameter":"{name}","message":"got \'0\'; expected a parameter named'
        assert refusal not in body


@pytest.mark.parametrize("rule", ["/graph.js", "/graph.svg"])
def test_the_parameters_of_a_graph_are_those_of_its_parser(described: Any, rule: str) -> None:
    listed = names(described["paths"][rule]["get"]) - {"token"}
    with pytest.raises(BadInput) as fault:
        parse_graph({"zz": 1})
    for name in {singular_of(name) for name in listed}:
        assert re.search(rf"\b{name}\b", fault.value.message), name
    assert {name for name in listed if name == singular_of(name)} >= set(LOOKING_PARAMETERS)


def test_both_spellings_are_listed(described: Any) -> None:
    for path, operation in described["paths"].items():
        listed = names(operation["get"]) if "get" in operation else set()
        assert {singular_of(name) for name in listed} <= listed, path


def test_bounds_are_those_of_the_settings(make_services: Any) -> None:
    client = Client(whale_app(make_services(max_depth=3)))
    found = client.get("/openapi.json").json["paths"]["/plotpoints"]["get"]["parameters"]
    [depth] = [each["schema"] for each in found if each["name"] == "depth"]
    assert (depth["minimum"], depth["maximum"]) == (0, 3)
    assert client.get("/plotpoints", "depth=3").status == 200
    assert client.get("/plotpoints", "depth=4").status == 400


@pytest.mark.parametrize(
    ("rule", "security", "word"),
    [
        ("/healthz", [], None),
        ("/count", [{"token": []}, {}], "the scope count"),
        ("/totals", [{"token": []}, {}], "the scope read"),
        ("/decide", [{"token": []}, {}], "the scopes count and read"),
        ("/reset", [{"token": []}, {}], "the scope admin"),
    ],
)
def test_it_says_what_a_token_has_to_be_for(
    described: Any, rule: str, security: list[Any], word: str | None
) -> None:
    operation = described["paths"][rule]["get"]
    assert operation["security"] == security
    assert word is None or f"it must have {word}." in operation["description"]


def test_a_route_without_a_description_is_listed_too(services: Services) -> None:
    app = whale_app(services)
    app.route("/new", "GET", lambda: bottle.HTTPResponse("", 200))
    assert "/new" in Client(app).get("/openapi.json").json["paths"]
