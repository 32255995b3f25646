"""The schema: the time zone, rollups and format of a store, recorded at first use."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from hailwhale.errors import StoreMismatch
from hailwhale.store.redis.client import RedisClient, faults_named
from hailwhale.store.redis.format_check import check_format
from hailwhale.store.redis.keys import Keys
from hailwhale.store.redis.server_info import refuse_unfit


class RedisSchema:
    """`hailwhale.store.protocol.SchemaStore` on one hash."""

    def __init__(self, client: RedisClient, keys: Keys) -> None:
        self._client = client
        self._keys = keys
        self._key = keys.meta()
        self._declared: tuple[str, Sequence[str], int] | None = None  # what this process declared

    def declare(self, zone: str, rollups: Sequence[str], now_s: int) -> Mapping[str, int]:
        with faults_named():
            refuse_unfit(self._client)
            is_new = bool(self._one("HSETNX", self._key, "zone", zone))
            self._one("HSETNX", self._key, "rollups", json.dumps(dict.fromkeys(rollups, None)))
            check_format(self._client, self._keys, is_new=is_new)
            recorded = self._one("HMGET", self._key, "zone", "rollups")
            recorded_zone, known = recorded[0].decode(), json.loads(recorded[1])
            _refuse_mismatch(recorded_zone, zone, list(known), rollups)
            added = {spec: now_s for spec in rollups if spec not in known}
            if added:
                known |= added
                self._one("HSET", self._key, "rollups", json.dumps(known))
        self._declared = (zone, rollups, now_s)
        return {spec.split(":")[0]: since for spec, since in known.items() if since is not None}

    def restore(self) -> None:
        """Record again what this process declared, in a store that came back empty."""
        if self._declared is not None:
            self.declare(*self._declared)

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
