"""The progress of imports, on each engine: see protocol.ImportStore."""

from __future__ import annotations

from hailwhale.store.protocol import ImportStore
from hailwhale.store.types import ImportBlock


def test_the_last_block_counted_whole_is_remembered(imports: ImportStore) -> None:
    assert imports.last_block("a") == 0
    imports.note_block(ImportBlock("a", 7))
    assert (imports.last_block("a"), imports.last_block("b")) == (7, 0)
