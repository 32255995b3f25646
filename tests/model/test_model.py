"""Short streams against the model; that the model stands alone; that it sees a wrong number."""

from __future__ import annotations

import ast
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from hailwhale.services.query.ranges import RangeReader
from hailwhale.store.embedded import EmbeddedValkey
from tests.model.run import Outcome, trials
from tests.model.ways_in import WAYS_IN
from tests.model.ways_out import WAYS_OUT

HERE = Path(__file__).parent
ALONE = ("calendar", "counts", "formulas", "streams")


@pytest.mark.parametrize("module", ALONE)
def test_the_model_imports_nothing_of_the_package(module: str) -> None:
    tree = ast.parse((HERE / f"{module}.py").read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            name = node.module or ""
            allowed = name.split(".")[0] in sys.stdlib_module_names
            assert allowed or name in {f"tests.model.{each}" for each in ALONE}, name
        elif isinstance(node, ast.Import):
            assert all(each.name.split(".")[0] in sys.stdlib_module_names for each in node.names)


def test_every_answer_is_that_of_the_model(valkey: EmbeddedValkey) -> None:
    outcome = Outcome()
    for _ in trials(valkey.url, iter(range(4)), outcome, print):
        pass
    assert outcome.mismatches == []
    assert {way.__name__ for way in WAYS_OUT} == set(outcome.answers)
    assert outcome.events > 30 * len(WAYS_IN)


def test_a_wrong_number_is_seen(valkey: EmbeddedValkey, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when one bucket of a range is left out."""
    read = RangeReader.columns

    def short(
        self: RangeReader, nodes: object, metrics: object, span: object, **more: object
    ) -> object:
        for columns in read(self, nodes, metrics, span, **more):  # type: ignore[arg-type]
            yield {name: [*values[:-1], Decimal(0)] for name, values in columns.items()}

    monkeypatch.setattr(RangeReader, "columns", short)
    outcome = Outcome()
    for _ in trials(valkey.url, iter([1_001]), outcome, lambda line: None):
        pass
    assert outcome.mismatches
