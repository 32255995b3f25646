"""Checks of `hailwhale doctor`: each reports what it found and how to fix it.

The checks change nothing in a store. If no Valkey runs on a data directory, one is started for the
check. If there is no directory yet, one in a temporary directory takes its place.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from hailwhale.commands.options import shown_store
from hailwhale.errors import BadSetting, HailWhaleError
from hailwhale.services.ingest.spool_directory import SpoolDirectory
from hailwhale.services.security.bind_check import is_loopback, refuse_unsafe
from hailwhale.settings import Settings
from hailwhale.store.embedded import EmbeddedValkey, address, check_directory
from hailwhale.store.open import open_store
from hailwhale.store.protocol import StatsStore, Store
from hailwhale.store.redis.keys import SHARDS
from hailwhale.store.redis.server_info import ServerInfo, ServersInfo, examine

SLOTS = 16_384  # of every cluster
_PATIENCE_S = 1.5
_LOOK_S = 0.05
_MEMORY_WARNED = 0.9  # the share of the limit


class Level(Enum):
    """The severity of a result."""

    OK = "ok"
    WARN = "warn"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of one check."""

    level: Level
    subject: str
    text: str

    def __str__(self) -> str:
        return f"{self.level.value:<4}  {self.subject}: {self.text}"


def check(settings: Settings) -> Iterator[CheckResult]:
    """Run every check that can be run; skip those that depend on a failed one."""
    yield _binding(settings)
    yield from spool_findings(SpoolDirectory(settings.spool_folder, settings.spool_bytes))
    try:
        with _server_to_check(settings) as (url, found, runs):
            yield found
            examined = examine(url, settings.namespace, settings.store_timeout_s)
            yield from layout_findings(examined)
            yield from server_findings(examined.servers)
            yield from replica_findings(examined, settings.replicas)
            yield from permission_findings(examined)
            yield schema_finding(settings, examined.servers[0])
            opened = open_store(replace(settings, redis_url=url))
            try:
                yield from _traffic(opened.store, settings, runs)
            finally:
                opened.close()
    except HailWhaleError as fault:
        yield CheckResult(Level.FAIL, "store", str(fault))


def _binding(settings: Settings) -> CheckResult:
    where = f"{settings.host} port {settings.port}"
    try:
        refuse_unsafe(settings)
    except BadSetting as fault:
        return CheckResult(Level.FAIL, "binding", str(fault))
    if is_loopback(settings.host):
        return CheckResult(Level.OK, "binding", f"{where}, reachable from this machine only")
    if settings.admin_token or settings.reading == "token":
        rights = "administration requires"
        if settings.reading != "open":
            rights = "reading and administration require"
        return CheckResult(Level.OK, "binding", f"{where}; {rights} a token")
    return CheckResult(
        Level.WARN, "binding", f"{where} is open to everyone, because HAILWHALE_OPEN is set"
    )


def spool_findings(spool: SpoolDirectory) -> Iterator[CheckResult]:
    """Report what this machine's spool contains, if anything."""
    if waiting := spool.size_bytes():
        text = (
            f"{waiting:,} bytes of hits wait in {spool.folder}: run `hailwhale serve` or `hail` "
            "on this machine, which counts them once the store answers"
        )
        yield CheckResult(Level.WARN, "spool", text)
    if aside := spool.set_aside():
        text = f"{len(aside)} files are incomplete, such as {aside[0]}"
        yield CheckResult(
            Level.WARN, "spool", f"{text}: most likely the machine crashed during a write"
        )


@contextmanager
def _server_to_check(settings: Settings) -> Iterator[tuple[str, CheckResult, bool]]:
    """Return the URL of the store's server, its source, and whether it was running."""
    where = shown_store(settings)
    running = settings.redis_url or address(settings.data_dir)
    if running:
        shared = "" if settings.redis_url else ", shared with the running service"
        yield running, CheckResult(Level.OK, "store", f"{where}{shared}"), True
        return
    with ExitStack() as stack:
        if settings.data_dir.expanduser().exists():
            data_dir = settings.data_dir
            text = f"{where}; no service runs on it, so its Valkey was started for this check"
        else:
            check_directory(settings.data_dir)
            data_dir = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            text = f"{where} does not exist yet; checked a Valkey in a temporary directory instead"
        server = stack.enter_context(EmbeddedValkey(data_dir, settings.fsync))
        yield server.url, CheckResult(Level.OK, "store", text), False


def layout_findings(examined: ServersInfo) -> Iterator[CheckResult]:
    """Report the state of the cluster or of Sentinel, where there are several servers."""
    cluster, watch = examined.cluster, examined.watch
    if cluster is not None:
        replicas = sum(server.replicas for server in examined.servers)
        text = f"{len(examined.servers)} primaries, {replicas} replicas"
        if cluster.slots_served < SLOTS:
            text += f", but {SLOTS - cluster.slots_served} of {SLOTS} slots are not served"
            yield CheckResult(Level.FAIL, "cluster", f"{text}: see CLUSTER NODES")
        else:
            rest = "no slot is" if cluster.needs_every_slot else "the others are"
            text += f"; if one slot is not served, {rest} (cluster-require-full-coverage)"
            yield CheckResult(Level.OK, "cluster", text)
        if cluster.slots_moving:
            text = f"{cluster.slots_moving} are moving: hits in them are counted after the move"
            yield CheckResult(Level.WARN, "slots", text)
    if watch is not None:
        where = f"{watch.service} is {examined.servers[0].where}"
        text = f"{where}, monitored by {watch.sentinels} Sentinels, quorum {watch.quorum}"
        yield CheckResult(Level.OK, "sentinel", text)


def server_findings(servers: Sequence[ServerInfo]) -> Iterator[CheckResult]:
    """Report the results of each server; what holds for all of them is reported once."""
    found = [(server, finding) for server in servers for finding in engine_findings(server)]
    said: set[CheckResult] = set()
    for server, finding in found:
        if len(servers) > 1 and [each for _, each in found].count(finding) < len(servers):
            yield replace(finding, text=f"{server.where}: {finding.text}")
        elif finding not in said:
            said.add(finding)
            yield finding


def replica_findings(examined: ServersInfo, wanted: int) -> Iterator[CheckResult]:
    """Check that each primary has a replica for failover, and enough to acknowledge each hit."""
    expects_some = examined.cluster is not None or examined.watch is not None
    for server in examined.servers:
        if server.refusal:
            continue
        which = f"{server.where or 'the server'} has {server.replicas} replicas"
        if server.replicas < wanted:
            text = f"{which}, HAILWHALE_REPLICAS requires {wanted}: /count answers 503 until it has"
            yield CheckResult(Level.FAIL, "replicas", text)
        elif expects_some and not server.replicas:
            text = f"{which}: add one, which can take over after a failure"
            yield CheckResult(Level.WARN, "replicas", text)


def engine_findings(server: ServerInfo) -> Iterator[CheckResult]:
    """Check that the engine is supported, persists writes and evicts nothing."""
    if server.refusal:
        text = f"the server does not describe itself ({server.refusal})"
        yield CheckResult(
            Level.WARN, "engine", f"{text}: check its version, persistence and eviction yourself"
        )
        return
    named = f"{server.name} {server.version}"
    if not server.is_new_enough:
        yield CheckResult(
            Level.FAIL, "engine", f"{named} is too old: use Redis 7 or later, or Valkey"
        )
    elif server.is_replica:
        yield CheckResult(
            Level.FAIL, "engine", f"{named} is a replica: set HAILWHALE_REDIS_URL to its primary"
        )
    else:
        yield CheckResult(Level.OK, "engine", named)
    if not server.appends:
        text = "no append-only file, so a crash loses counts: run CONFIG SET appendonly yes"
        yield CheckResult(Level.WARN, "persistence", text)
    elif not server.writes_well:
        text = "the append-only file cannot be written: check the disk and the server's log"
        yield CheckResult(Level.FAIL, "persistence", text)
    else:
        yield CheckResult(Level.OK, "persistence", "append-only file")
    if server.may_evict:
        text = f"maxmemory-policy is {server.eviction}, which deletes counts: set it to noeviction"
        yield CheckResult(Level.FAIL, "memory", text)
    elif server.memory_used_bytes > _MEMORY_WARNED * server.memory_limit_bytes > 0:
        text = (
            f"{server.memory_used_bytes:,} of {server.memory_limit_bytes:,} bytes are used; when "
            "they are full nothing is counted: raise HAILWHALE_STORE_MEMORY, or maxmemory"
        )
        yield CheckResult(Level.WARN, "memory", text)
    else:
        limit = f"{server.memory_limit_bytes:,} bytes" if server.memory_limit_bytes else "no limit"
        yield CheckResult(Level.OK, "memory", f"{limit}, no eviction")


def permission_findings(examined: ServersInfo) -> Iterator[CheckResult]:
    """Check that the store's user may run every command that counting needs."""
    if examined.forbidden:
        names = ", ".join(examined.forbidden)
        text = f"the store's user may not run {names}: nothing is counted until it may"
        yield CheckResult(Level.FAIL, "permissions", text)


def schema_finding(settings: Settings, server: ServerInfo) -> CheckResult:
    """Check that the store was created with the time zone and rollups of the settings."""
    rollups = [rollup.spec for rollup in settings.rollups]
    if not server.zone:
        text = "nothing is counted yet, so the time zone and the rollups can still be changed"
        return CheckResult(Level.OK, "schema", text)
    if server.zone != settings.zone.name:
        text = f"days are in {server.zone}, but HAILWHALE_TIMEZONE is {settings.zone.name}"
        return CheckResult(Level.FAIL, "schema", f"{text}: set it to {server.zone}")
    missing = [spec for spec in server.rollups if spec not in rollups]
    if missing:
        text = f"HAILWHALE_ROLLUPS lacks {', '.join(missing)}, which the store has"
        return CheckResult(Level.FAIL, "schema", f"{text}: set it to {','.join(server.rollups)}")
    added = [spec for spec in rollups if spec not in server.rollups]
    if added:
        text = f"{', '.join(added)} will be added at the next start and filled from then on"
        return CheckResult(Level.WARN, "schema", text)
    return CheckResult(Level.OK, "schema", f"{server.zone}, {','.join(server.rollups)}")


def _traffic(store: Store, settings: Settings, runs: bool) -> Iterator[CheckResult]:
    yield _buffers(store.stats, settings.buffer_limit, runs)
    stats, letters = store.stats.counts(), store.dead_letters
    if stats["dead"]:
        last = next((found[-1] for n in range(SHARDS) if (found := letters.read(n))), None)
        why = f", such as: {last.reason}" if last else ""
        text = f"{stats['dead']:,} hits were not counted{why}; see `hailwhale dead-letters list`"
        yield CheckResult(Level.WARN, "dead letters", text)
    else:
        yield CheckResult(Level.OK, "dead letters", "none")
    if stats["folded"]:
        text = f"{stats['folded']:,} labels beyond HAILWHALE_MAX_CHILDREN were counted under _other"
        yield CheckResult(Level.WARN, "labels", text)


def _buffers(stats: StatsStore, limit: int, runs: bool) -> CheckResult:
    """Report how many hits are buffered, and whether a drain is counting them."""
    loads, drained = stats.loads(), stats.counts()["drained"]
    waiting = sum(load.buffered for load in loads)
    if not loads:
        return CheckResult(Level.OK, "buffers", "no hits wait to be counted")
    if any(load.buffered >= limit for load in loads):
        text = f"{waiting:,} hits wait and a buffer is full, so /count answers 503"
        return CheckResult(Level.FAIL, "buffers", f"{text}: run more `hailwhale drain` processes")
    deadline_s = time.monotonic() + _PATIENCE_S
    while runs and time.monotonic() < deadline_s:
        if stats.counts()["drained"] != drained or not stats.loads():
            return CheckResult(
                Level.OK, "buffers", f"{waiting:,} hits wait, and a drain is counting them"
            )
        time.sleep(_LOOK_S)
    text = f"{waiting:,} hits wait and no drain runs: run `hailwhale serve` or `hailwhale drain`"
    return CheckResult(Level.WARN, "buffers", text)
