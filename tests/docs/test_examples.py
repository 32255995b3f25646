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
HTTP = (ROOT / "docs/http.rst").read_text()
COMMANDS = (ROOT / "docs/commands.rst").read_text()
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
    documented = {
        route
        for title in re.findall(r"^(``/.*)\n~+$", HTTP, re.MULTILINE)
        for route in re.findall(r"``(/[a-z_./]+)``", title)
    }
    assert documented
    assert documented <= routes
    undocumented = {route for route in routes if route not in re.sub(r"{(\w+)}", r"<\1>", HTTP)}
    assert undocumented <= {"/static/<name:path>"}


def test_every_parameter_of_a_question_is_documented() -> None:
    asking = {*PLOT_PARAMETERS, *RANK_PARAMETERS, *TOTALS_PARAMETERS}
    for parameter in {*EVENT_PARAMETERS, *asking}:
        assert re.search(rf"``{parameter.rstrip('s')}s?``", HTTP), parameter


def test_every_command_is_documented_and_every_documented_command_is_there() -> None:
    commands = set(re.findall(r"^    ([a-z-]+) ", parser().format_help(), re.MULTILINE))
    assert len(commands) > 20
    assert set(re.findall(r"^``hailwhale ([a-z-]+)``", COMMANDS, re.MULTILINE)) == commands
    for name, text in DOCS.items():
        assert set(re.findall(r"``hailwhale ([a-z][a-z-]*)", text)) <= commands, name


def test_every_nickname_and_default_is_documented() -> None:
    text = " ".join(HTTP.split())
    assert " ".join(NICKNAMES) in text
    assert " ".join(DEFAULT_TOTALS) in text
    assert f"``{DEFAULT}`` (the default)" in text


def test_each_option_table_stands_once() -> None:
    """A row that begins with the same parameters and says the same is on one page only."""
    rows = [
        row
        for name, text in DOCS.items()
        for row in set(re.findall(r"^(``\w+``[`, \w]*  +\S.{20,})$", text, re.MULTILINE))
    ]
    assert len(rows) > 100
    assert {row for row in rows if rows.count(row) > 1} == set()


def test_the_readme_is_read_to_the_end() -> None:
    assert len(README.splitlines()) <= 200


def test_every_link_of_the_readme_leads_to_a_file() -> None:
    links = set(re.findall(r"<([\w./-]+)>`__", README))
    assert len(links) > 20
    assert {link for link in links if not (ROOT / link).is_file()} == set()


def test_every_page_is_in_the_map_of_the_readme() -> None:
    pages = {f"docs/{name}" for name in DOCS if name not in ("README.rst", "index.rst")}
    linked = set(re.findall(r"<(docs/[\w-]+\.rst)>", README))
    assert pages - linked == {"docs/changes.rst"}


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


def test_the_ranking_of_the_reference_begins_as_the_ranking_does(services: Services) -> None:
    for country, hits, dollars in (("US", 80, 480), ("CA", 20, 20)):
        metrics = {"hits": hits, "dollars": dollars}
        event = {"pk": "Shop", "dimensions": {"country": country}, "metrics": metrics}
        services.counting.count_now(event)
    question = {"pk": "Shop", "dimension": "country", "metrics": "dollars/hits,hits"}
    answer = ranking_json(services.ranking.rank(parse_rank(question)))
    shown = re.search(r'\n +\[(\{"dimension":[^\n]*\n[^\n]*\}\}), …\]', HTTP, re.DOTALL)
    assert shown is not None
    assert json.loads(shown.group(1)) == json.loads(json.dumps(answer[0], default=float))


def test_the_error_of_the_reference_is_the_error() -> None:
    with pytest.raises(BadInput) as fault:
        normalize_names({"metrcis": "sales"}, EVENT_PARAMETERS)
    assert fault.value.message in " ".join(HTTP.split())


def paths_named(text: str) -> set[str]:
    """The files and folders that a text of the docs names, in its tour or in double backticks."""
    tour = re.findall(r"^    ((?:hailwhale|static|tests|docs)/\S+)", text, re.MULTILINE)
    literal = re.findall(r"``([\w./-]+(?:/|\.(?:py|lua|js|rst|toml)))``", text)
    return {*tour, *literal}


def test_the_paths_named_for_contributors_exist() -> None:
    paths = paths_named((ROOT / "CONTRIBUTING.rst").read_text())
    assert len(paths) >= 50
    # A name without a folder is that of several files.
    missing = [
        path
        for path in paths
        if not ((ROOT / path).exists() if "/" in path else list(ROOT.glob(f"hailwhale/**/{path}")))
    ]
    assert [path for path in missing if not (ROOT / path).exists()] == []


def test_the_table_of_capabilities_names_what_there_is() -> None:
    text = (ROOT / "CONTRIBUTING.rst").read_text()
    [table] = re.findall(r"^    capability .*?\n\n", text, re.MULTILINE | re.DOTALL)
    heads, rule, *rows = [line[4:] for line in table.rstrip().split("\n")]
    columns = [match.span() for match in re.finditer(r"-+", rule)]
    for begin, end in columns[1:]:
        layer = ROOT / "hailwhale" / heads[begin:end].strip()
        for name in re.findall(r"[\w/]+", " ".join(row[begin:end] for row in rows)):
            place = ROOT / "hailwhale" / name if "/" in name else layer / name
            assert place.is_dir() or place.with_suffix(".py").is_file(), place
