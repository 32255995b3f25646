"""Settings: every HAILWHALE_* environment variable with its default, validation and description.

`Settings.from_env` reads the environment once and returns a frozen value, which is passed to the
rest of the code. Nothing else reads the environment. `hailwhale doctor` prints the settings in use.
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


def _setting(
    default: object,
    variable: str,
    doc: str,
    read: Callable[[str], object] = str,
    *,
    is_secret: bool = False,
) -> Any:
    metadata = {"variable": variable, "doc": doc, "read": read}
    return field(default=default, metadata=metadata, repr=not is_secret)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Hold the settings; each field has its variable, default and description."""

    redis_url: str = _setting(
        "",
        "HAILWHALE_REDIS_URL",
        "URL of the Redis or Valkey store (redis://, rediss://, unix://, redis+cluster://, "
        "redis+sentinel://); empty: start an embedded Valkey",
        is_secret=True,
    )
    replicas: int = _setting(
        0,
        "HAILWHALE_REPLICAS",
        "number of replicas that must have a hit before it is acknowledged",
        setting_parsers.whole(0, 16),
    )
    data_dir: Path = _setting(
        Path("hailwhale-data"),
        "HAILWHALE_DATA_DIR",
        "directory for the embedded Valkey's data",
        lambda text: Path(text).expanduser(),
    )
    fsync: str = _setting(
        "always",
        "HAILWHALE_FSYNC",
        "when the embedded Valkey syncs its append-only file to disk: always (before each "
        "acknowledgement), everysec (faster; a crash loses up to two seconds of acknowledged "
        "hits) or no",
        setting_parsers.one_of("always", "everysec", "no"),
    )
    store_memory: int = _setting(
        0,
        "HAILWHALE_STORE_MEMORY",
        "maximum memory of the embedded Valkey's data, such as 4gb; when it is reached, hits are "
        "spooled and nothing more is counted; empty: no limit",
        setting_parsers.size,
    )
    namespace: str = _setting(
        "hw",
        "HAILWHALE_NAMESPACE",
        "prefix of every key in the store",
        setting_parsers.namespace,
    )
    zone: Grid = _setting(
        UTC,
        "HAILWHALE_TIMEZONE",
        "IANA time zone of the stored days, weeks and months",
        lambda text: parse_zone(text, "HAILWHALE_TIMEZONE"),
    )
    rollups: tuple[Rollup, ...] = _setting(
        DEFAULT_ROLLUPS,
        "HAILWHALE_ROLLUPS",
        "stored resolutions and their retention, such as 1m:2h,1h:35d,1d:3y",
        lambda text: parse_rollups(text, "HAILWHALE_ROLLUPS"),
    )
    host: str = _setting(
        "127.0.0.1",
        "HAILWHALE_HOST",
        "address to listen on",
    )
    port: int = _setting(
        8085,
        "HAILWHALE_PORT",
        "port to listen on",
        setting_parsers.whole(0, 65535),
    )
    workers: int = _setting(
        2,
        "HAILWHALE_WORKERS",
        "number of server processes",
        setting_parsers.whole(1, 256),
    )
    server: str = _setting(
        "gunicorn",
        "HAILWHALE_SERVER",
        "HTTP server: gunicorn, granian (pip install 'hailwhale[fast]'), or auto for the fastest "
        "one installed",
        setting_parsers.one_of("auto", "gunicorn", "granian"),
    )
    threads: int = _setting(
        16,
        "HAILWHALE_THREADS",
        "threads per server process",
        setting_parsers.whole(1, 256),
    )
    admin_token: str = _setting(
        "",
        "HAILWHALE_ADMIN_TOKEN",
        "bearer token with every permission; empty: on loopback no token is required until "
        "`hailwhale tokens` adds one",
        is_secret=True,
    )
    open_to_all: bool = _setting(
        False,
        "HAILWHALE_OPEN",
        "1 to listen on a non-loopback address without an admin token",
        setting_parsers.flag,
    )
    counting: str = _setting(
        "open",
        "HAILWHALE_COUNTING",
        "who may count without a token: open (anyone), sealed (sealed pixels only) or off (nobody)",
        setting_parsers.one_of("open", "sealed", "off"),
    )
    reading: str = _setting(
        "auto",
        "HAILWHALE_READING",
        "who may read without a token: open (anyone), token (nobody; sealed graphs still work) "
        "or auto (anyone until a token exists or, on a non-loopback address, an admin token is "
        "set)",
        setting_parsers.one_of("auto", "open", "token"),
    )
    seal_keys: tuple[str, ...] = _setting(
        (),
        "HAILWHALE_SEAL_KEYS",
        "comma-separated keys for sealed URLs; the first one seals, all of them open; empty: "
        "read HAILWHALE_KEY_FILE",
        setting_parsers.keys,
        is_secret=True,
    )
    key_file: str = _setting(
        "",
        "HAILWHALE_KEY_FILE",
        "file in which `hailwhale keys` stores the keys for sealed URLs; empty: seal.keys in "
        "HAILWHALE_DATA_DIR",
    )
    rate_limit: str = _setting(
        "",
        "HAILWHALE_RATE_LIMIT",
        "maximum requests per client without a token, such as 100/second;10000/hour; empty: "
        "unlimited",
        setting_parsers.rates,
    )
    token_rate_limit: str = _setting(
        "",
        "HAILWHALE_TOKEN_RATE_LIMIT",
        "maximum requests per token, such as 1000/second; empty: unlimited",
        setting_parsers.rates,
    )
    event_rate_limit: str = _setting(
        "",
        "HAILWHALE_EVENT_RATE_LIMIT",
        "maximum events that a client without a token, or a token, counts, such as 10000/minute; "
        "empty: unlimited",
        setting_parsers.rates,
    )
    cell_rate_limit: str = _setting(
        "",
        "HAILWHALE_CELL_RATE_LIMIT",
        "maximum cells (see HAILWHALE_MAX_CELLS) of these events, such as 1000000/minute; empty: "
        "unlimited",
        setting_parsers.rates,
    )
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = _setting(
        (),
        "HAILWHALE_TRUSTED_PROXIES",
        "comma-separated addresses and networks whose X-Forwarded-For and X-Forwarded-Proto "
        "headers are trusted, such as 127.0.0.1,10.0.0.0/8",
        setting_parsers.networks,
    )
    skip_bots: bool = _setting(
        False,
        "HAILWHALE_SKIP_BOTS",
        "1 to ignore self-identified bots that send no token",
        setting_parsers.flag,
    )
    frame_origins: tuple[str, ...] = _setting(
        (),
        "HAILWHALE_FRAME_ORIGINS",
        "comma-separated origins that may embed HailWhale's pages in a frame",
        setting_parsers.origins,
    )
    cors_origins: tuple[str, ...] = _setting(
        (),
        "HAILWHALE_CORS_ORIGINS",
        "comma-separated origins whose pages may read answers, such as "
        "https://admin.example.com; * for any",
        setting_parsers.origins,
    )
    hosts: tuple[str, ...] = _setting(
        (),
        "HAILWHALE_HOSTS",
        "comma-separated host names and addresses at which callers without a token may read and "
        "operate, such as hw.example.com,192.168.1.5; loopback and the host of "
        "HAILWHALE_PUBLIC_URL always are",
        setting_parsers.hosts,
    )
    public_url: str = _setting(
        "",
        "HAILWHALE_PUBLIC_URL",
        "public URL of the service, used in generated tags; empty: built from HAILWHALE_HOST and "
        "HAILWHALE_PORT",
        setting_parsers.address,
    )
    log_format: str = _setting(
        "text",
        "HAILWHALE_LOG_FORMAT",
        "log format: text, or json with one object per line",
        setting_parsers.one_of("text", "json"),
    )
    log_requests: str = _setting(
        "errors",
        "HAILWHALE_LOG_REQUESTS",
        "requests to log, always without their query string: none, errors (5xx), refused (4xx "
        "and 5xx) or all",
        setting_parsers.one_of("none", "errors", "refused", "all"),
    )
    ready_lag_s: int = _setting(
        60,
        "HAILWHALE_READY_LAG",
        "seconds that hits may wait for the drain before /readyz answers 503; 0: no limit",
        setting_parsers.whole(0, 86_400),
    )
    store_timeout_s: float = _setting(
        5.0,
        "HAILWHALE_STORE_TIMEOUT",
        "timeout in seconds for a call to the store",
        setting_parsers.seconds,
    )
    buffer_limit: int = _setting(
        250_000,
        "HAILWHALE_BUFFER_LIMIT",
        "maximum buffered hits per shard; beyond it /count answers 503",
        setting_parsers.whole(1, 2**31),
    )
    buffer_bytes: int = _setting(
        134_217_728,
        "HAILWHALE_BUFFER_BYTES",
        "maximum bytes of these hits per shard; beyond it /count answers 503",
        setting_parsers.whole(1_048_576, 2**40),
    )
    spool_bytes: int = _setting(
        268_435_456,
        "HAILWHALE_SPOOL_BYTES",
        "maximum bytes of hits queued on disk while the store is unavailable; 0: /count answers "
        "503 instead",
        setting_parsers.whole(0, 2**40),
    )
    spool_dir: str = _setting(
        "",
        "HAILWHALE_SPOOL_DIR",
        "directory of that disk queue, one per machine; empty: spool in HAILWHALE_DATA_DIR",
    )
    drain_window: int = _setting(
        100_000,
        "HAILWHALE_DRAIN_WINDOW",
        "maximum hits aggregated in one step",
        setting_parsers.whole(1, 1_000_000),
    )
    drain_idle_s: float = _setting(
        0.1,
        "HAILWHALE_DRAIN_IDLE",
        "seconds between polls of empty buffers",
        setting_parsers.seconds,
    )
    max_children: int = _setting(
        10_000,
        "HAILWHALE_MAX_CHILDREN",
        "maximum labels under one path; further labels are counted under _other",
        setting_parsers.whole(1, 10_000_000),
    )
    max_roots: int = _setting(
        100_000,
        "HAILWHALE_MAX_ROOTS",
        "maximum root pks; further ones are counted under the root _other",
        setting_parsers.whole(1, 10_000_000),
    )
    max_series: int = _setting(
        2_000_000,
        "HAILWHALE_MAX_SERIES",
        "approximate limit on series (pk x dimension); new ones beyond it are counted under _other",
        setting_parsers.whole(1, 1_000_000_000),
    )
    max_names: int = _setting(
        1_000,
        "HAILWHALE_MAX_NAMES",
        "maximum metric names per root pk; further ones are summed as _other",
        setting_parsers.whole(1, 1_000_000),
    )
    max_depth: int = _setting(
        8,
        "HAILWHALE_MAX_DEPTH",
        "maximum labels in a path",
        setting_parsers.whole(1, 64),
    )
    max_paths: int = _setting(
        32,
        "HAILWHALE_MAX_PATHS",
        "maximum dimension paths per event",
        setting_parsers.whole(1, 1000),
    )
    max_metrics: int = _setting(
        32,
        "HAILWHALE_MAX_METRICS",
        "maximum metrics per event",
        setting_parsers.whole(1, 60),
    )
    max_label_bytes: int = _setting(
        256,
        "HAILWHALE_MAX_LABEL_BYTES",
        "maximum bytes per label",
        setting_parsers.whole(1, 4096),
    )
    max_cells: int = _setting(
        20_000,
        "HAILWHALE_MAX_CELLS",
        "maximum cells that an event adds to: its pks x dimensions x metrics x rollups",
        setting_parsers.whole(100, 10_000_000),
    )
    max_event_bytes: int = _setting(
        65_536,
        "HAILWHALE_MAX_EVENT_BYTES",
        "maximum bytes per event",
        setting_parsers.whole(64, 16_777_216),
    )
    max_batch_bytes: int = _setting(
        16_777_216,
        "HAILWHALE_MAX_BATCH_BYTES",
        "maximum bytes per POST body",
        setting_parsers.whole(64, 1_073_741_824),
    )
    max_batch_events: int = _setting(
        10_000,
        "HAILWHALE_MAX_BATCH_EVENTS",
        "maximum events per POST body",
        setting_parsers.whole(1, 1_000_000),
    )
    spy_entries: int = _setting(
        1_000,
        "HAILWHALE_SPY",
        "number of recent events kept per root pk for /spy; 0: none",
        setting_parsers.whole(0, 100_000),
    )
    spy_days: int = _setting(
        30,
        "HAILWHALE_SPY_DAYS",
        "days after its last event until a spy log expires",
        setting_parsers.whole(1, 3650),
    )
    spy_private: tuple[str, ...] = _setting(
        (),
        "HAILWHALE_SPY_PRIVATE",
        "comma-separated dimensions and metrics (or uid) that the spy log masks, such as email,uid",
        setting_parsers.names,
    )
    uid_key: str = _setting(
        "",
        "HAILWHALE_UID_KEY",
        "secret key added to the store's salt when visitor ids are hashed, the same in every "
        "process; empty: the salt only",
        is_secret=True,
    )
    uid_salt_days: int = _setting(
        0,
        "HAILWHALE_UID_SALT_DAYS",
        "days after which the salt for visitor ids is replaced, so that visitors cannot be "
        "recognised for longer; 0: never",
        setting_parsers.whole(0, 3650),
    )
    cookie_days: int = _setting(
        390,
        "HAILWHALE_COOKIE_DAYS",
        "lifetime in days of the /tracker cookie after the last visit",
        setting_parsers.whole(1, 3650),
    )
    cookie_samesite: str = _setting(
        "lax",
        "HAILWHALE_COOKIE_SAMESITE",
        "SameSite attribute of the /tracker cookie: lax, strict or none (none requires HTTPS)",
        setting_parsers.one_of("lax", "strict", "none"),
    )
    honour_dnt: bool = _setting(
        True,
        "HAILWHALE_HONOUR_DNT",
        "1: /tracker counts visitors who send Do Not Track or Global Privacy Control without a uid",
        setting_parsers.flag,
    )
    sticky_days: int = _setting(
        90,
        "HAILWHALE_STICKY_DAYS",
        "minimum days that a visitor with a uid keeps its option after its last decision",
        setting_parsers.whole(1, 3650),
    )
    max_query_cells: int = _setting(
        500_000,
        "HAILWHALE_MAX_QUERY_CELLS",
        "maximum cost of a query, in cells: series x stored buckets x metrics read, and series x "
        "points x formulas answered; docs/http.rst has a table",
        setting_parsers.whole(1_000, 1_000_000_000),
    )
    max_decision_cells: int = _setting(
        500_000,
        "HAILWHALE_MAX_DECISION_CELLS",
        "maximum cells read to fit a decision: options x (dimension values + pairs) x metrics x "
        "buckets; beyond it only the most seen ones of the requested options are read",
        setting_parsers.whole(10_000, 1_000_000_000),
    )
    journal_entries: int = _setting(
        100_000,
        "HAILWHALE_JOURNAL_ENTRIES",
        "maximum log entries (log=1) kept per decision",
        setting_parsers.whole(1, 100_000_000),
    )
    max_points: int = _setting(
        10_000,
        "HAILWHALE_MAX_POINTS",
        "maximum points in a plotted series",
        setting_parsers.whole(1, 1_000_000),
    )

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None, **given: object) -> Settings:
        """Read settings from the environment; arguments that are not None override it.

        Raises `BadSetting` naming the variable for an invalid value or an unknown HAILWHALE_* name.

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
                f"HAILWHALE_REPLICAS: got {settings.replicas}, but the embedded Valkey has no "
                "replicas: set HAILWHALE_REDIS_URL, too"
            )
        return settings

    @property
    def spool_folder(self) -> Path:
        """Return the directory of the disk queue used while the store is unavailable."""
        return Path(self.spool_dir).expanduser() if self.spool_dir else self.data_dir / "spool"

    @property
    def keys_path(self) -> Path:
        """Return the file that holds the keys for sealed URLs."""
        return Path(self.key_file).expanduser() if self.key_file else self.data_dir / "seal.keys"

    @property
    def home(self) -> str:
        """Return the URL at which browsers reach the service."""
        return self.public_url or f"http://{self.host}:{self.port}"

    @property
    def limits(self) -> Limits:
        """Return the limits of one event."""
        return Limits(
            depth=self.max_depth,
            paths=self.max_paths,
            metrics=self.max_metrics,
            label_bytes=self.max_label_bytes,
            event_bytes=self.max_event_bytes,
            cells=self.max_cells,
            rollups=len(self.rollups),
        )


def _meant(variable: str, known: Mapping[str, object]) -> str:
    """Suggest the closest variable name, then list them all; ignores their common prefix."""
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
