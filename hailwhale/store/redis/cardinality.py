"""Who is let in: the root pks that there may be, and the names of metrics that each may have.

Both would otherwise grow with whatever anybody counts. What else there is a name for, labels below
a pk or a dimension, is bounded where it becomes known: see `labels`.
"""

from __future__ import annotations

from collections.abc import Sequence

from hailwhale.store.redis.client import Client, Script, ask, faults_named
from hailwhale.store.redis.cluster import Command
from hailwhale.store.redis.keys import Keys, cell_field, shard_of


class CardinalityCounters:
    """Keeps a set of root pks, and for each a set of names.

    What was counted past these sets, by an import or an older release, is let in as well.
    """

    def __init__(self, client: Client, keys: Keys) -> None:
        self._client = client
        self._keys = keys
        self._script = Script(client, "admit")

    def root(self, root: str, most: int) -> bool:
        """See `Store.admit_root`."""
        known = ("SISMEMBER", self._keys.subpks(shard_of(root), ()), root)
        return not self._refused(self._keys.roots(), [root], most, [known])

    def names(self, root: str, names: Sequence[str], most: int) -> set[str]:
        """See `Store.admit_names`."""
        cells = self._keys.cells((root,), (), "all", 0)
        known: list[Command] = [("HEXISTS", cells, cell_field(0, name)) for name in names]
        return set(names) - self._refused(self._keys.names(root), names, most, known)

    def forget(self, root: str) -> None:
        """Forget a root pk and its names."""
        with faults_named():
            ask(self._client, [("SREM", self._keys.roots(), root)])
            ask(self._client, [("UNLINK", self._keys.names(root))])

    def _refused(
        self, key: str, names: Sequence[str], most: int, known: Sequence[Command]
    ) -> set[str]:
        """Which names are not let in; `known` asks of each whether it is counted already."""
        with faults_named():
            refused = {name.decode() for name in self._script([key], [most, *names])}
            if not refused:
                return refused
            counted = dict(zip(names, ask(self._client, known), strict=True))
        return {name for name in refused if not counted[name]}
