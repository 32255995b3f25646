"""The schema: the time zone, rollups and format of a store, recorded at first use.

Rollups can be added while processes with the shorter list still count. So each commit carries the
generation of its process: the number of rollups that it counts in, and the format that it writes.
Every shard refuses commits of an older generation than its own (see commit.lua). A declaration that
adds rollups first notes them as being added. Then it raises the generation of all shards, and only
then records since when the new rollups are filled. A declaration that was killed in between is
completed by the next one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from hailwhale.errors import StoreMismatch
from hailwhale.store.redis.client import RedisClient, Script, ask, faults_named
from hailwhale.store.redis.format_check import FORMAT, check_format
from hailwhale.store.redis.keys import SHARDS, Keys
from hailwhale.store.redis.server_info import refuse_unfit

_Since = dict[str, int | None]


class RedisSchema:
    """`hailwhale.store.protocol.SchemaStore` on one hash, and a generation in each shard's stats.

    `generation` is what commits of this process carry: the number of declared rollups.
    """

    def __init__(self, client: RedisClient, keys: Keys) -> None:
        self._client = client
        self._keys = keys
        self._key = keys.meta()
        self._record = Script(client, "declare")
        self._declared: tuple[str, Sequence[str], int] | None = None  # what this process declared
        self.generation = 0

    def declare(self, zone: str, rollups: Sequence[str], now_s: int) -> Mapping[str, int]:
        with faults_named():
            refuse_unfit(self._client)
            is_new = bool(self._one("HSETNX", self._key, "zone", zone))
            self._one("HSETNX", self._key, "rollups", json.dumps(dict.fromkeys(rollups, None)))
            check_format(self._client, self._keys, is_new=is_new)
            known = self._agreed(zone, rollups, now_s)
        self._declared, self.generation = (zone, rollups, now_s), len(known)
        return {spec.split(":")[0]: since for spec, since in known.items() if since is not None}

    def restore(self) -> None:
        """Record again what this process declared, in a store that came back empty."""
        if self._declared is not None:
            self.declare(*self._declared)

    def confirm(self) -> None:
        self.restore()  # declares again, and names what the settings lack

    def refuse_outdated(self) -> None:
        """Raise `StoreMismatch`, after a shard refused a commit as one of an older generation."""
        self.confirm()
        raise StoreMismatch(
            "this store counts in rollups, or in a format, that this process does not know: "
            "restart it with the HAILWHALE_ROLLUPS and the version of the others"
        )

    def _agreed(self, zone: str, rollups: Sequence[str], now_s: int) -> _Since:
        """Return the recorded rollups once all of `rollups` are among them and none is missing."""
        while True:
            recorded = self._one("HMGET", self._key, "zone", "rollups", "adding")
            text, adding = recorded[1], json.loads(recorded[2] or "[]")
            known: _Since = json.loads(text)
            _refuse_mismatch(recorded[0].decode(), zone, list(known), rollups)
            added = [spec for spec in rollups if spec not in known]
            if added:
                self._swap(text, known | dict.fromkeys(added, now_s), [*adding, *added])
            elif not adding:
                return known
            else:
                since = max(now_s, self._fence(len(known))) + 1
                self._swap(text, known | dict.fromkeys(adding, since), [])

    def _swap(self, text: bytes, known: _Since, adding: Sequence[str]) -> None:
        """Record rollups, unless another process was faster."""
        left = json.dumps(adding) if adding else ""
        self._record([self._key], [text, json.dumps(known), left])

    def _fence(self, generation: int) -> int:
        """Let all shards refuse commits of older generations; return the latest time counted.

        The time is that of the latest event, 0 if unknown. No later event lacks a new rollup.
        """
        stats = [self._keys.stats(shard) for shard in range(SHARDS)]
        ask(self._client, [("HSET", key, "rollups", generation, "format", FORMAT) for key in stats])
        found = ask(self._client, [("HGET", key, "latest") for key in stats])
        return max(int(latest or 0) for latest in found)

    def _one(self, *command: Any) -> Any:
        return self._client.execute_command(*command)


def _refuse_mismatch(
    made_zone: str, zone: str, known: Sequence[str], rollups: Sequence[str]
) -> None:
    if made_zone != zone:
        raise StoreMismatch(
            f"this store was created with the time zone {made_zone}, but the settings say {zone}: "
            f"set HAILWHALE_TIMEZONE={made_zone}, or start an empty store in another data directory"
        )
    missing = [spec for spec in known if spec not in rollups]
    if missing:
        raise StoreMismatch(
            f"this store has the rollups {', '.join(known)}, but the settings lack "
            f"{', '.join(missing)}: set HAILWHALE_ROLLUPS={','.join(known)} "
            "(rollups can be added, not removed)"
        )
