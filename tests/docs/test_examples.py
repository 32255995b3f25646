"""The docs say what the code does: routes, settings, commands and the examples' answers."""

from __future__ import annotations

import json
import re
from dataclasses import Field, fields
from pathlib import Path

import pytest

from hailwhale.cli import parser
from hailwhale.core.events.event import EVENT_PARAMETERS
from hailwhale.core.events.param_names import normalize_names
from hailwhale.core.query.parameters import (
    PLOT_PARAMETERS,
    RANK_PARAMETERS,
    TOTALS_PARAMETERS,
    parse_rank,
    parse_totals,
)
from hailwhale.core.time.period import DEFAULT, DEFAULT_TOTALS, NICKNAMES
from hailwhale.errors import BadInput
from hailwhale.services.container import Services
from hailwhale.services.json_shapes import ranking_json, totals_json
from hailwhale.settings import Settings
from hailwhale.web.apps import hail_app, whale_app

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.rst").read_text()
DOCS = {path.name: path.read_text() for path in [ROOT / "README.rst", *ROOT.glob("docs/*.rst")]}
VARIABLES = {field.metadata["variable"] for field in fields(Settings)}


@pytest.mark.parametrize("name", sorted(DOCS))
def test_every_setting_that_is_named_exists(name: str) -> None:
    assert set(re.findall(r"HAILWHALE_[A-Z_]+", DOCS[name])) <= VARIABLES


@pytest.mark.parametrize("field", fields(Settings), ids=lambda field: field.name)
def test_every_setting_is_documented_as_it_documents_itself(field: Field[object]) -> None:
    entries = dict(
        re.findall(r"^``(HAILWHALE_[A-Z_]+)``\n    (.+)$", DOCS["settings.rst"], re.MULTILINE)
    )
    doc = field.metadata["doc"]
    assert entries[field.metadata["variable"]].startswith(f"{doc[0].upper()}{doc[1:]}. Default: ")


def test_every_route_is_documented_and_every_documented_route_is_there(services: Services) -> None:
    apps = [whale_app(services), hail_app(services)]
    routes = {route.rule for app in apps for route in app.routes}
    documented = set(re.findall(r"^``(/[a-z_.]+)``$", README, re.MULTILINE))
    assert documented <= routes
    undocumented = {route for route in routes if f"{route}``" not in README and route not in README}
    assert undocumented <= {"/static/<name:path>", "/count_now.gif"}


def test_every_parameter_of_a_question_is_documented() -> None:
    asking = {*PLOT_PARAMETERS, *RANK_PARAMETERS, *TOTALS_PARAMETERS}
    for parameter in {*EVENT_PARAMETERS, *asking}:
        assert re.search(rf"``{parameter.rstrip('s')}s?``", README), parameter


def test_every_command_is_documented_and_every_documented_command_is_there() -> None:
    commands = set(re.findall(r"^  +([a-z-]+) ", parser().format_help(), re.MULTILINE))
    documented = set(re.findall(r"``hailwhale ([a-z-]+)", README))
    assert documented <= commands
    for command in (
        "serve",
        "hail",
        "whale",
        "drain",
        "count",
        "totals",
        "plotpoints",
        "rank",
        "import",
    ):
        assert command in documented


def test_every_nickname_and_default_is_documented() -> None:
    text = " ".join(README.split())
    assert " ".join(NICKNAMES) in text
    assert " ".join(DEFAULT_TOTALS) in text
    assert f"``{DEFAULT}`` (the default)" in text


def test_the_first_answer_of_the_readme_is_the_answer(services: Services) -> None:
    sales: list[dict[str, object]] = [
        {"dimensions": "services", "metrics": {"dollars": 200}},
        {"dimensions": "advertising", "metrics": {"dollars": -2000}},
        {"dimensions": {"sales": 12}, "metric": {"dollars": 500}},
    ]
    for sale in sales:
        services.counting.count_now(sale)
    question = {"metrics": ["dollars", "hits", "dollars/hits"], "period": "1d:1mo"}
    answer = totals_json(services.reporting.totals(parse_totals(question)))
    shown = re.search(r'\{"1d:1mo":.*\}\}\}', README)
    assert shown is not None
    assert json.loads(shown.group()) == json.loads(json.dumps(answer, default=float))


def test_the_ranking_of_the_readme_begins_as_the_ranking_does(services: Services) -> None:
    for country, hits, dollars in (("US", 80, 480), ("CA", 20, 20)):
        metrics = {"hits": hits, "dollars": dollars}
        event = {"pk": "Shop", "dimensions": {"country": country}, "metrics": metrics}
        services.counting.count_now(event)
    question = {"pk": "Shop", "dimension": "country", "metrics": "dollars/hits,hits"}
    answer = ranking_json(services.ranking.rank(parse_rank(question)))
    shown = re.search(r'\[(\{"dimension":.*?\}\}), …\]', README, re.DOTALL)
    assert shown is not None
    assert json.loads(shown.group(1)) == json.loads(json.dumps(answer[0], default=float))


def test_the_error_of_the_readme_is_the_error() -> None:
    with pytest.raises(BadInput) as fault:
        normalize_names({"metrcis": "sales"}, EVENT_PARAMETERS)
    assert fault.value.message in " ".join(README.split())


def test_the_modules_of_the_tour_exist() -> None:
    tour = (ROOT / "CONTRIBUTING.rst").read_text()
    paths = re.findall(r"^    (hailwhale/\S+)", tour, re.MULTILINE)
    assert len(paths) >= 15
    assert [path for path in paths if not (ROOT / path).is_file()] == []
