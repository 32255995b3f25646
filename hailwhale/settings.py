"""Every HAILWHALE_* variable, read once, checked, documented here and nowhere else.

`Settings.from_env` turns the environment into a frozen value; the rest of the code is handed that
value and never looks at the environment. `hailwhale doctor` prints what is in force.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from hailwhale.core.limits import Limits
from hailwhale.core.rollups import DEFAULT_ROLLUPS, Rollup, parse_rollups
from hailwhale.core.timegrid import UTC, Grid, parse_zone
from hailwhale.errors import BadInput, BadSetting


def _setting(default: object, variable: str, doc: str, read: Callable[[str], object] = str) -> Any:
    return field(default=default, metadata={"variable": variable, "doc": doc, "read": read})


def _whole(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        number = int(text)
        if not least <= number <= most:
            raise ValueError(f"expected a whole number from {least} to {most}")
        return number

    return read


def _seconds(text: str) -> float:
    number = float(text)
    if not 0.01 <= number <= 3600:
        raise ValueError("expected seconds from 0.01 to 3600")
    return number


def _flag(text: str) -> bool:
    words = {
        "1": True,
        "true": True,
        "yes": True,
        "0": False,
        "false": False,
        "no": False,
        "": False,
    }
    if text.lower() not in words:
        raise ValueError("expected 1 or 0")
    return words[text.lower()]


def _namespace(text: str) -> str:
    if not text.isascii() or not text.replace("-", "").replace("_", "").isalnum():
        raise ValueError("expected letters, digits, - and _")
    return text


def _one_of(*words: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in words:
            raise ValueError(f"expected one of {', '.join(words)}")
        return text

    return read


@dataclass(frozen=True, slots=True)
class Settings:
    """What can be set, with its default; each field names its variable and says what it does."""

    redis_url: str = _setting(
        "",
        "HAILWHALE_REDIS_URL",
        "Redis or Valkey to count in (redis://, rediss://, unix://, redis+cluster://, "
        "redis+sentinel://); empty: an embedded Valkey",
    )
    replicas: int = _setting(
        0,
        "HAILWHALE_REPLICAS",
        "replicas of the store that must have a hit before it is acknowledged",
        _whole(0, 16),
    )
    data_dir: Path = _setting(
        Path("hailwhale-data"),
        "HAILWHALE_DATA_DIR",
        "where the embedded Valkey keeps its data",
        lambda text: Path(text).expanduser(),
    )
    fsync: str = _setting(
        "everysec",
        "HAILWHALE_FSYNC",
        "when the embedded Valkey forces its log to disk: always, everysec or no",
        _one_of("always", "everysec", "no"),
    )
    namespace: str = _setting("hw", "HAILWHALE_NAMESPACE", "first part of every key", _namespace)
    zone: Grid = _setting(
        UTC,
        "HAILWHALE_TIMEZONE",
        "IANA time zone whose days, weeks and months are counted",
        lambda text: parse_zone(text, "HAILWHALE_TIMEZONE"),
    )
    rollups: tuple[Rollup, ...] = _setting(
        DEFAULT_ROLLUPS,
        "HAILWHALE_ROLLUPS",
        "stored resolutions and how long each is kept, such as 1m:2h,1h:35d,1d:3y",
        lambda text: parse_rollups(text, "HAILWHALE_ROLLUPS"),
    )
    host: str = _setting("127.0.0.1", "HAILWHALE_HOST", "address to serve on")
    port: int = _setting(8085, "HAILWHALE_PORT", "port to serve on", _whole(0, 65535))
    workers: int = _setting(2, "HAILWHALE_WORKERS", "server processes", _whole(1, 256))
    server: str = _setting(
        "gunicorn",
        "HAILWHALE_SERVER",
        "what serves HTTP: gunicorn, granian (pip install 'hailwhale[fast]'), or auto, the fastest "
        "installed",
        _one_of("auto", "gunicorn", "granian"),
    )
    threads: int = _setting(16, "HAILWHALE_THREADS", "threads of each process", _whole(1, 256))
    admin_token: str = _setting(
        "",
        "HAILWHALE_ADMIN_TOKEN",
        "bearer token that /reset, /flush_hail and /update_count_to need; empty: open on loopback",
    )
    open_to_all: bool = _setting(
        False,
        "HAILWHALE_OPEN",
        "1 to serve beyond this machine without an admin token",
        _flag,
    )
    store_timeout_s: float = _setting(
        5.0, "HAILWHALE_STORE_TIMEOUT", "seconds to wait for the store's answer", _seconds
    )
    buffer_limit: int = _setting(
        250_000,
        "HAILWHALE_BUFFER_LIMIT",
        "hits one shard may buffer before /count answers 503",
        _whole(1, 2**31),
    )
    spool_bytes: int = _setting(
        268_435_456,
        "HAILWHALE_SPOOL_BYTES",
        "most bytes of hits kept on disk while the store is away; 0: /count answers 503 then",
        _whole(0, 2**40),
    )
    spool_dir: str = _setting(
        "",
        "HAILWHALE_SPOOL_DIR",
        "where these are kept, each machine its own; empty: the folder spool in HAILWHALE_DATA_DIR",
    )
    drain_window: int = _setting(
        100_000, "HAILWHALE_DRAIN_WINDOW", "most hits summed up in one step", _whole(1, 1_000_000)
    )
    drain_idle_s: float = _setting(
        0.1, "HAILWHALE_DRAIN_IDLE", "seconds between two looks at empty buffers", _seconds
    )
    max_children: int = _setting(
        10_000,
        "HAILWHALE_MAX_CHILDREN",
        "most labels under one path; later ones count under _other",
        _whole(1, 10_000_000),
    )
    max_depth: int = _setting(8, "HAILWHALE_MAX_DEPTH", "most labels in a path", _whole(1, 64))
    max_paths: int = _setting(
        32, "HAILWHALE_MAX_PATHS", "most dimension paths of an event", _whole(1, 1000)
    )
    max_metrics: int = _setting(
        32, "HAILWHALE_MAX_METRICS", "most metrics of an event", _whole(1, 60)
    )
    max_label_bytes: int = _setting(
        256, "HAILWHALE_MAX_LABEL_BYTES", "most bytes of a label", _whole(1, 4096)
    )
    max_event_bytes: int = _setting(
        65_536, "HAILWHALE_MAX_EVENT_BYTES", "most bytes of an event", _whole(64, 16_777_216)
    )
    max_batch_bytes: int = _setting(
        16_777_216, "HAILWHALE_MAX_BATCH_BYTES", "most bytes of a POST", _whole(64, 1_073_741_824)
    )
    max_batch_events: int = _setting(
        10_000, "HAILWHALE_MAX_BATCH_EVENTS", "most events of a POST", _whole(1, 1_000_000)
    )
    max_points: int = _setting(
        10_000, "HAILWHALE_MAX_POINTS", "most points of a plotted series", _whole(1, 1_000_000)
    )

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None, **given: object) -> Settings:
        """Settings from the environment; `given` (not None) wins over it.

        Raises `BadSetting` naming the variable, for a wrong value and for an unknown HAILWHALE_*.

        >>> Settings.from_env({"HAILWHALE_PORT": "9000"}).port
        9000
        """
        env = os.environ if environ is None else environ
        by_variable = {f.metadata["variable"]: f for f in fields(cls)}
        unknown = [k for k in env if k.startswith("HAILWHALE_") and k not in by_variable]
        if unknown:
            raise BadSetting(f"{unknown[0]}: no such setting; known are {', '.join(by_variable)}")
        values: dict[str, Any] = {}
        for variable, setting in by_variable.items():
            if variable in env:
                values[setting.name] = _read(variable, setting.metadata["read"], env[variable])
        values |= {name: value for name, value in given.items() if value is not None}
        settings = cls(**values)
        if settings.replicas and not settings.redis_url:
            raise BadSetting(
                f"HAILWHALE_REPLICAS: got {settings.replicas}, but an embedded Valkey has none: "
                "set HAILWHALE_REDIS_URL, too"
            )
        return settings

    @property
    def spool_folder(self) -> Path:
        """Where hits are kept while the store is away."""
        return Path(self.spool_dir).expanduser() if self.spool_dir else self.data_dir / "spool"

    @property
    def limits(self) -> Limits:
        """The bounds of one event."""
        return Limits(
            depth=self.max_depth,
            paths=self.max_paths,
            metrics=self.max_metrics,
            label_bytes=self.max_label_bytes,
            event_bytes=self.max_event_bytes,
        )


def _read(variable: str, read: Callable[[str], object], text: str) -> object:
    try:
        return read(text)
    except BadInput as fault:
        raise BadSetting(f"{variable}: {fault.message}") from fault
    except ValueError as fault:
        raise BadSetting(f"{variable}: got {text!r}; {fault}") from fault
