"""The schema of a store, on each engine: see protocol.SchemaStore."""

from __future__ import annotations

import pytest

from hailwhale.errors import StoreMismatch
from hailwhale.store.protocol import SchemaStore
from tests.conftest import NOW_S


def test_a_store_remembers_its_schema(schema: SchemaStore) -> None:
    assert schema.declare("UTC", ["1h:35d", "all"], NOW_S) == {}
    assert schema.declare("UTC", ["1h:35d", "all"], NOW_S + 5) == {}
    with pytest.raises(StoreMismatch, match="HAILWHALE_TIMEZONE=UTC"):
        schema.declare("Europe/Berlin", ["1h:35d", "all"], NOW_S)
    with pytest.raises(StoreMismatch, match="HAILWHALE_ROLLUPS=1h:35d,all"):
        schema.declare("UTC", ["1d:3y", "all"], NOW_S)


def test_an_added_rollup_is_filled_from_then_on(schema: SchemaStore) -> None:
    schema.declare("UTC", ["1h:35d", "all"], NOW_S)
    added = ["1h:35d", "1d:3y", "all"]
    assert schema.declare("UTC", added, NOW_S + 60) == {"1d": NOW_S + 60}
    assert schema.declare("UTC", added, NOW_S + 99) == {"1d": NOW_S + 60}
