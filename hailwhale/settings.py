"""Every HAILWHALE_* variable, read once, checked, documented here and nowhere else.

`Settings.from_env` turns the environment into a frozen value; the rest of the code is handed that
value and never looks at the environment. `hailwhale doctor` prints what is in force.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any

from hailwhale import setting_parsers
from hailwhale.core.events.limits import Limits
from hailwhale.core.time.calendar_grid import UTC, Grid, parse_zone
from hailwhale.core.time.rollups import DEFAULT_ROLLUPS, Rollup, parse_rollups
from hailwhale.errors import BadInput, BadSetting

_PREFIX = "HAILWHALE_"


def _setting(default: object, variable: str, doc: str, read: Callable[[str], object] = str) -> Any:
    return field(default=default, metadata={"variable": variable, "doc": doc, "read": read})


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
        setting_parsers.whole(0, 16),
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
        setting_parsers.one_of("always", "everysec", "no"),
    )
    namespace: str = _setting(
        "hw", "HAILWHALE_NAMESPACE", "first part of every key", setting_parsers.namespace
    )
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
    port: int = _setting(
        8085, "HAILWHALE_PORT", "port to serve on", setting_parsers.whole(0, 65535)
    )
    workers: int = _setting(
        2, "HAILWHALE_WORKERS", "server processes", setting_parsers.whole(1, 256)
    )
    server: str = _setting(
        "gunicorn",
        "HAILWHALE_SERVER",
        "what serves HTTP: gunicorn, granian (pip install 'hailwhale[fast]'), or auto, the fastest "
        "installed",
        setting_parsers.one_of("auto", "gunicorn", "granian"),
    )
    threads: int = _setting(
        16, "HAILWHALE_THREADS", "threads of each process", setting_parsers.whole(1, 256)
    )
    admin_token: str = _setting(
        "",
        "HAILWHALE_ADMIN_TOKEN",
        "bearer token that may do everything; empty: everything is open on loopback until there is "
        "one of `hailwhale tokens`",
    )
    open_to_all: bool = _setting(
        False,
        "HAILWHALE_OPEN",
        "1 to serve beyond this machine without an admin token",
        setting_parsers.flag,
    )
    counting: str = _setting(
        "open",
        "HAILWHALE_COUNTING",
        "who may count without a token: open, everybody; sealed, whoever loads a sealed pixel; "
        "off, nobody",
        setting_parsers.one_of("open", "sealed", "off"),
    )
    reading: str = _setting(
        "auto",
        "HAILWHALE_READING",
        "who may read: open, everybody; token, whoever shows a token or a sealed graph; auto, "
        "everybody until there is one of `hailwhale tokens` or, beyond this machine, an admin "
        "token",
        setting_parsers.one_of("auto", "open", "token"),
    )
    seal_keys: tuple[str, ...] = _setting(
        (),
        "HAILWHALE_SEAL_KEYS",
        "keys of sealed URLs, the first seals, with commas between; empty: those in "
        "HAILWHALE_KEY_FILE",
        setting_parsers.keys,
    )
    key_file: str = _setting(
        "",
        "HAILWHALE_KEY_FILE",
        "where `hailwhale keys` keeps the keys of sealed URLs; empty: the file seal.keys in "
        "HAILWHALE_DATA_DIR",
    )
    rate_limit: str = _setting(
        "",
        "HAILWHALE_RATE_LIMIT",
        "requests that one client may make without a token, such as 100/second;10000/hour; empty: "
        "any number",
        setting_parsers.rates,
    )
    token_rate_limit: str = _setting(
        "",
        "HAILWHALE_TOKEN_RATE_LIMIT",
        "requests that may be made with one token, such as 1000/second; empty: any number",
        setting_parsers.rates,
    )
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = _setting(
        (),
        "HAILWHALE_TRUSTED_PROXIES",
        "addresses and networks whose X-Forwarded-For is believed, with commas between, such as "
        "127.0.0.1,10.0.0.0/8",
        setting_parsers.networks,
    )
    skip_bots: bool = _setting(
        False,
        "HAILWHALE_SKIP_BOTS",
        "1 to leave out of the counts what says it is a bot and shows no token",
        setting_parsers.flag,
    )
    frame_origins: tuple[str, ...] = _setting(
        (),
        "HAILWHALE_FRAME_ORIGINS",
        "other sites that may show our pages in a frame, with commas between",
        setting_parsers.origins,
    )
    cors_origins: tuple[str, ...] = _setting(
        (),
        "HAILWHALE_CORS_ORIGINS",
        "other sites whose pages may read answers, with commas between, such as "
        "https://admin.example.com; * for all",
        setting_parsers.origins,
    )
    public_url: str = _setting(
        "",
        "HAILWHALE_PUBLIC_URL",
        "address that browsers reach the service at, for the tags that the library makes; empty: "
        "HAILWHALE_HOST and HAILWHALE_PORT",
        setting_parsers.address,
    )
    log_format: str = _setting(
        "text",
        "HAILWHALE_LOG_FORMAT",
        "how lines of the log are written: text, or json with one object a line",
        setting_parsers.one_of("text", "json"),
    )
    log_requests: str = _setting(
        "errors",
        "HAILWHALE_LOG_REQUESTS",
        "requests that the log has a line of, never with their query: none, errors (5xx), refused "
        "(4xx, too) or all",
        setting_parsers.one_of("none", "errors", "refused", "all"),
    )
    ready_lag_s: int = _setting(
        60,
        "HAILWHALE_READY_LAG",
        "seconds that hits may wait for the drain before /readyz answers 503; 0: any",
        setting_parsers.whole(0, 86_400),
    )
    store_timeout_s: float = _setting(
        5.0,
        "HAILWHALE_STORE_TIMEOUT",
        "seconds to wait for the store's answer",
        setting_parsers.seconds,
    )
    buffer_limit: int = _setting(
        250_000,
        "HAILWHALE_BUFFER_LIMIT",
        "hits one shard may buffer before /count answers 503",
        setting_parsers.whole(1, 2**31),
    )
    spool_bytes: int = _setting(
        268_435_456,
        "HAILWHALE_SPOOL_BYTES",
        "most bytes of hits kept on disk while the store is away; 0: /count answers 503 then",
        setting_parsers.whole(0, 2**40),
    )
    spool_dir: str = _setting(
        "",
        "HAILWHALE_SPOOL_DIR",
        "where these are kept, each machine its own; empty: the folder spool in HAILWHALE_DATA_DIR",
    )
    drain_window: int = _setting(
        100_000,
        "HAILWHALE_DRAIN_WINDOW",
        "most hits summed up in one step",
        setting_parsers.whole(1, 1_000_000),
    )
    drain_idle_s: float = _setting(
        0.1,
        "HAILWHALE_DRAIN_IDLE",
        "seconds between two looks at empty buffers",
        setting_parsers.seconds,
    )
    max_children: int = _setting(
        10_000,
        "HAILWHALE_MAX_CHILDREN",
        "most labels under one path; later ones count under _other",
        setting_parsers.whole(1, 10_000_000),
    )
    max_roots: int = _setting(
        100_000,
        "HAILWHALE_MAX_ROOTS",
        "most root pks; later ones count under the root _other",
        setting_parsers.whole(1, 10_000_000),
    )
    max_series: int = _setting(
        2_000_000,
        "HAILWHALE_MAX_SERIES",
        "about the most series, which are pks and dimensions of pks, of all together; what would "
        "be a new one counts under _other",
        setting_parsers.whole(1, 1_000_000_000),
    )
    max_names: int = _setting(
        1_000,
        "HAILWHALE_MAX_NAMES",
        "most names of metrics of one root pk; later ones are summed up as _other",
        setting_parsers.whole(1, 1_000_000),
    )
    max_depth: int = _setting(
        8, "HAILWHALE_MAX_DEPTH", "most labels in a path", setting_parsers.whole(1, 64)
    )
    max_paths: int = _setting(
        32,
        "HAILWHALE_MAX_PATHS",
        "most dimension paths of an event",
        setting_parsers.whole(1, 1000),
    )
    max_metrics: int = _setting(
        32, "HAILWHALE_MAX_METRICS", "most metrics of an event", setting_parsers.whole(1, 60)
    )
    max_label_bytes: int = _setting(
        256, "HAILWHALE_MAX_LABEL_BYTES", "most bytes of a label", setting_parsers.whole(1, 4096)
    )
    max_event_bytes: int = _setting(
        65_536,
        "HAILWHALE_MAX_EVENT_BYTES",
        "most bytes of an event",
        setting_parsers.whole(64, 16_777_216),
    )
    max_batch_bytes: int = _setting(
        16_777_216,
        "HAILWHALE_MAX_BATCH_BYTES",
        "most bytes of a POST",
        setting_parsers.whole(64, 1_073_741_824),
    )
    max_batch_events: int = _setting(
        10_000,
        "HAILWHALE_MAX_BATCH_EVENTS",
        "most events of a POST",
        setting_parsers.whole(1, 1_000_000),
    )
    spy_entries: int = _setting(
        1_000,
        "HAILWHALE_SPY",
        "last events that the spy log keeps of each root pk; 0: none",
        setting_parsers.whole(0, 100_000),
    )
    spy_days: int = _setting(
        30,
        "HAILWHALE_SPY_DAYS",
        "days after its last event that a spy log is forgotten",
        setting_parsers.whole(1, 3650),
    )
    spy_private: tuple[str, ...] = _setting(
        (),
        "HAILWHALE_SPY_PRIVATE",
        "dimensions, metrics or uid that the spy log masks, with commas between, such as email,uid",
        setting_parsers.names,
    )
    uid_key: str = _setting(
        "",
        "HAILWHALE_UID_KEY",
        "secret that hashes of visitors are made with beside the store's own, the same for all "
        "processes; empty: the store's alone",
    )
    uid_salt_days: int = _setting(
        0,
        "HAILWHALE_UID_SALT_DAYS",
        "days after which visitors get other hashes, so that nobody can follow them for longer; 0: "
        "never",
        setting_parsers.whole(0, 3650),
    )
    cookie_days: int = _setting(
        390,
        "HAILWHALE_COOKIE_DAYS",
        "days that the cookie of /tracker lives after the last visit",
        setting_parsers.whole(1, 3650),
    )
    cookie_samesite: str = _setting(
        "lax",
        "HAILWHALE_COOKIE_SAMESITE",
        "to which sites' pages the cookie of /tracker is sent: lax, strict, or none for all, which "
        "takes HTTPS",
        setting_parsers.one_of("lax", "strict", "none"),
    )
    honour_dnt: bool = _setting(
        True,
        "HAILWHALE_HONOUR_DNT",
        "1: who sends Do Not Track or Global Privacy Control is counted by /tracker without a uid",
        setting_parsers.flag,
    )
    sticky_days: int = _setting(
        90,
        "HAILWHALE_STICKY_DAYS",
        "days that a visitor with a uid keeps its option after its last decision, at least",
        setting_parsers.whole(1, 3650),
    )
    journal_entries: int = _setting(
        100_000,
        "HAILWHALE_JOURNAL_ENTRIES",
        "most decisions and results (log=1) kept of one decision",
        setting_parsers.whole(1, 100_000_000),
    )
    max_points: int = _setting(
        10_000,
        "HAILWHALE_MAX_POINTS",
        "most points of a plotted series",
        setting_parsers.whole(1, 1_000_000),
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
        unknown = [k for k in env if k.startswith(_PREFIX) and k not in by_variable]
        if unknown:
            raise BadSetting(f"{unknown[0]}: no such setting; {_meant(unknown[0], by_variable)}")
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
    def keys_path(self) -> Path:
        """Where the keys of sealed URLs are."""
        return Path(self.key_file).expanduser() if self.key_file else self.data_dir / "seal.keys"

    @property
    def home(self) -> str:
        """The address that browsers reach the service at, as far as the settings tell."""
        return self.public_url or f"http://{self.host}:{self.port}"

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


def _meant(variable: str, known: Mapping[str, object]) -> str:
    """The nearest of the variables, before all of them. Their prefix makes any two look alike."""
    names = [name.removeprefix(_PREFIX) for name in known]
    close = get_close_matches(variable.removeprefix(_PREFIX), names, n=1)
    hint = f"did you mean {_PREFIX}{close[0]}? Known are" if close else "known are"
    return f"{hint} {', '.join(known)}"


def _read(variable: str, read: Callable[[str], object], text: str) -> object:
    try:
        return read(text)
    except BadSetting:
        raise  # what is secret is not shown
    except BadInput as fault:
        raise BadSetting(f"{variable}: {fault.message}") from fault
    except ValueError as fault:
        raise BadSetting(f"{variable}: got {text!r}; {fault}") from fault
