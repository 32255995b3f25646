"""Answers are exact values inside; JSON shapes are made at the edge, and names are read once."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import is_dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import hailwhale
from hailwhale.core.events import param_names
from hailwhale.core.graph.options import parse_graph
from hailwhale.core.query.parameters import (
    parse_children,
    parse_plot,
    parse_quantiles,
    parse_rank,
    parse_totals,
)
from hailwhale.services.container import Services
from hailwhale.services.query.graph_data import graph_tag
from tests.web.client import Client

PACKAGE = Path(hailwhale.__file__).parent
SHAPES = "hailwhale.services.json_shapes"
EDGES = ("web/", "whale", "hail.py")
# Where text or another program's numbers come in.
READERS = ("core/numbers.py", "core/events/paths.py", "core/events/histogram.py", "client/")
ASKED: dict[str, object] = {
    "pk": "Bank",
    "metric": "amount",
    "dimension": [["_"], ["country", "US"]],
    "period": "1d:1d",
}
LARGE = Decimal("1234567890123456789012345.67")


def modules() -> Iterator[tuple[str, str]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        yield path.relative_to(PACKAGE).as_posix(), path.read_text(encoding="utf-8")


def imported_from(text: str, module: str) -> set[str]:
    found = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)]
    return {alias.name for node in found if node.module == module for alias in node.names}


def test_json_shapes_are_made_in_the_web_and_in_the_facades_alone() -> None:
    callers = {
        name
        for name, text in modules()
        if any(each.endswith("_json") for each in imported_from(text, SHAPES))
    }
    assert all(any(name.startswith(edge) for name in callers) for edge in EDGES)
    assert [name for name in callers if not name.startswith(EDGES)] == []


def test_nobody_imports_the_module_of_json_shapes_as_a_whole() -> None:
    package, _, name = SHAPES.rpartition(".")
    for path, text in modules():
        assert name not in imported_from(text, package), path
        assert f"import {SHAPES}" not in text, path


def test_no_number_goes_through_text_to_be_a_decimal_again() -> None:
    again = re.compile(r"Decimal\((?:str|repr)\(|create_decimal\(str\(|Decimal\(float")
    found = [
        name for name, text in modules() if again.search(text) and not name.startswith(READERS)
    ]
    # Estimates are floats: formulas take them as they are; a table shows them.
    assert found == ["commands/table.py", "core/decisions/objective.py"]


@pytest.fixture
def bank(services: Services) -> Services:
    event = {"pk": "Bank", "dimensions": {"country": "US"}, "metrics": {"amount": LARGE}}
    services.counting.count_now(event)
    return services


def leaves(value: object) -> Iterator[object]:
    """What a value is made of: the fields of dataclasses, and the items of collections."""
    if is_dataclass(value):
        for name in value.__dataclass_fields__:
            yield from leaves(getattr(value, name))
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield key
            yield from leaves(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from leaves(item)
    else:
        yield value


def answers(services: Services) -> dict[str, Any]:
    ranked = {**ASKED, "dimension": "country"}
    return {
        "totals": services.reporting.totals(parse_totals(ASKED)),
        "plotpoints": services.reporting.plotpoints(parse_plot(ASKED)),
        "rank": services.ranking.rank(parse_rank(ranked)),
        "graph": services.graphing.graph(parse_plot(ASKED)),
    }


@pytest.mark.parametrize("question", ["totals", "plotpoints", "rank", "graph"])
def test_an_answer_is_made_of_decimals_and_paths(bank: Services, question: str) -> None:
    parts = list(leaves(answers(bank)[question]))
    assert LARGE in parts
    assert [part for part in parts if isinstance(part, float)] == []
    assert "US" in parts or ("country", "US") in parts
    assert '["country", "US"]' not in parts


def test_known_labels_are_returned_as_paths(bank: Services) -> None:
    asked = parse_children({"pk": "Bank", "depth": 2})
    assert bank.reporting.subdimensions(asked) == {(): [("country",), ("country", "US")]}
    known = bank.reporting.known(("Bank",))
    assert (known.metrics, known.dimensions) == (("amount", "hits"), ("country",))
    assert not known.is_decision


# Names


@pytest.fixture
def normalized(monkeypatch: pytest.MonkeyPatch) -> list[Mapping[str, object]]:
    """The fields whose names were normalized, in every module that does that."""
    calls: list[Mapping[str, object]] = []
    real = param_names.normalize_names

    def counting(fields: Mapping[str, object], known: Any) -> dict[str, object]:
        calls.append(fields)
        return real(fields, known)

    for module in list(sys.modules.values()):
        if vars(module).get("normalize_names") is real:
            monkeypatch.setattr(module, "normalize_names", counting)
    return calls


@pytest.mark.parametrize(
    "parse",
    [
        parse_totals,
        parse_plot,
        parse_rank,
        parse_graph,
        parse_quantiles,
        lambda fields: graph_tag(fields, "http://localhost"),
    ],
    ids=["totals", "plot", "rank", "graph", "quantiles", "graph_tag"],
)
def test_the_names_of_a_question_are_normalized_once(
    normalized: list[Mapping[str, object]], parse: Callable[[dict[str, object]], object]
) -> None:
    parse({"pk": "Shop", "metric": "hits", "dimension": "country", "period": "1d:1w"})
    assert len(normalized) == 1


@pytest.mark.parametrize("path", ["/graph.js", "/graph.svg", "/graph.json", "/prometheus"])
def test_the_names_of_a_request_are_normalized_once(
    normalized: list[Mapping[str, object]], whale: Client, path: str
) -> None:
    assert whale.get(path, "pk=Shop&metric=hits&period=1d:1w").status == 200
    assert len(normalized) == 1
