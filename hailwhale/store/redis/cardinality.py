"""Cardinality limits: how many root pks there may be, and how many metrics each may have.

`label_sets` limits the labels below a pk or a dimension, when they become known.
"""

from __future__ import annotations

from collections.abc import Sequence

from hailwhale.store.redis.client import RedisClient, Script, ask, faults_named
from hailwhale.store.redis.cluster import RedisCommand
from hailwhale.store.redis.keys import Keys, cell_field, shard_of


class RedisCardinality:
    """`hailwhale.store.protocol.CardinalityStore` on a set of root pks and one of names for each.

    What was counted without these sets, by an import or an older release, is admitted as well.
    """

    def __init__(self, client: RedisClient, keys: Keys) -> None:
        self._client = client
        self._keys = keys
        self._script = Script(client, "admit")

    def admit_root(self, root: str, most: int) -> bool:
        known = ("SISMEMBER", self._keys.subpks(shard_of(root), ()), root)
        return not self._refused(self._keys.roots(), [root], most, [known])

    def admit_names(self, root: str, names: Sequence[str], most: int) -> set[str]:
        cells = self._keys.cells((root,), (), "all", 0)
        known: list[RedisCommand] = [("HEXISTS", cells, cell_field(0, name)) for name in names]
        return set(names) - self._refused(self._keys.names(root), names, most, known)

    def forget(self, root: str) -> None:
        with faults_named():
            ask(self._client, [("SREM", self._keys.roots(), root)])
            ask(self._client, [("UNLINK", self._keys.names(root))])

    def _refused(
        self, key: str, names: Sequence[str], most: int, known: Sequence[RedisCommand]
    ) -> set[str]:
        """Return the names that are not admitted.

        `known` has a command for each name that returns whether it is counted already.
        """
        with faults_named():
            refused = {name.decode() for name in self._script([key], [most, *names])}
            if not refused:
                return refused
            counted = dict(zip(names, ask(self._client, known), strict=True))
        return {name for name in refused if not counted[name]}
