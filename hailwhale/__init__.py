"""HailWhale: real-time counting of rolled-up, multi-dimensional metrics.

`Whale` counts and answers queries with direct access to the store, `Hail` buffers events, and
`Client` and `AsyncClient` do the same over HTTP. `hailwhale.types` has the types of parameters and
results. To run the service, use `hailwhale.wsgi` or the command `hailwhale`.

Names are imported when they are first used, so `from hailwhale import Client` loads nothing of the
server.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hailwhale.client import AsyncClient, Client, Stats
    from hailwhale.errors import (
        BadInput,
        BadSeal,
        BadSetting,
        BufferFull,
        DamagedData,
        DataDirInUse,
        HailWhaleError,
        NotAllowed,
        NotYours,
        StoreMismatch,
        StoreUnavailable,
        TooLarge,
        TooMany,
    )
    from hailwhale.hail import Hail
    from hailwhale.periods import Interval, Period, Rollup
    from hailwhale.protocols import AsyncQueries, Queries
    from hailwhale.settings import Settings
    from hailwhale.whale import Whale

__version__ = "1.0.0.dev0"

__all__ = [
    "AsyncClient",
    "AsyncQueries",
    "BadInput",
    "BadSeal",
    "BadSetting",
    "BufferFull",
    "Client",
    "DamagedData",
    "DataDirInUse",
    "Hail",
    "HailWhaleError",
    "Interval",
    "NotAllowed",
    "NotYours",
    "Period",
    "Queries",
    "Rollup",
    "Settings",
    "Stats",
    "StoreMismatch",
    "StoreUnavailable",
    "TooLarge",
    "TooMany",
    "Whale",
    "__version__",
]

_MODULES = ("client", "errors", "hail", "periods", "protocols", "settings", "types", "whale")
_MODULE_OF = {
    "AsyncClient": "client",
    "AsyncQueries": "protocols",
    "Client": "client",
    "Hail": "hail",
    "Interval": "periods",
    "Period": "periods",
    "Queries": "protocols",
    "Rollup": "periods",
    "Settings": "settings",
    "Stats": "client",
    "Whale": "whale",
}


if not TYPE_CHECKING:  # a type checker takes a module with __getattr__ to have every name

    def __getattr__(name: str) -> object:
        if name in _MODULES:
            return import_module(f"hailwhale.{name}")
        if name not in __all__:
            raise AttributeError(f"module 'hailwhale' has no attribute {name!r}")
        value = getattr(import_module(f"hailwhale.{_MODULE_OF.get(name, 'errors')}"), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_MODULES})
