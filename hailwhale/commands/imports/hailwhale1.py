"""Copies the keys of a HailWhale of 2011 into a temporary file to import."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hailwhale.errors import BadInput
from hailwhale.services.imports.hailwhale1 import write_rows
from hailwhale.store.redis.hailwhale1 import HailWhale1Store

EPILOG = """\
A HailWhale of 2011 is imported from its Redis, which is only read. Stop the old service first;
later events are not imported.

  hailwhale import --format hailwhale1 redis://localhost:6379/0

"""


@dataclass(frozen=True, slots=True)
class TempCopy:
    """A file of rows, its source in words, and an id that distinguishes this store from others."""

    path: Path
    shown: str
    origin: str


@contextmanager
def copied_rows(url: str) -> Iterator[TempCopy]:
    """Write the rows of a store to a file that is deleted afterwards.

    Raises `BadInput` when the store has no keys of a HailWhale of 2011, `StoreUnavailable` when it
    does not answer.
    """
    with tempfile.TemporaryDirectory(prefix="hailwhale-") as folder:
        path = Path(folder) / "rows"
        with HailWhale1Store(url) as store, path.open("wb") as file:
            if not write_rows(store, file):
                expected = (
                    "the store of a HailWhale of 2011, with hashes pk||dimension||interval||metric"
                )
                raise BadInput("file", store.shown, expected)
        yield TempCopy(path, store.shown, f"hailwhale1:{store.name}")
