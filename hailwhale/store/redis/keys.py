r"""Every key and field that HailWhale stores in Redis or Valkey, documented and built only here.

All keys of a root pk carry the tag of its shard. So they are on one node of a cluster, and one
script can access everything that belongs to an event::

    hw:meta                                hash    zone, rollups and format of the store
    hw:imports                             hash    import -> last block counted in every shard
    hw:secrets:<kind>                      hash    name -> 32 random bytes, such as salts
    hw:tokens                              hash    id of a bearer token -> permissions and its hash
    hw:roots                               set     root pks that were admitted
    hw:refused                             hash    reason requests were refused -> how many were
    hw:requests                            hash    requests answered, by route, status and duration
    hw:notices                             hash    alert or report -> its state and unsent notices
    hw:rate:<limit and client or token>    string  requests in a time window, with which it expires
    hw:{17}:buffer                         list    hits accepted, not yet counted, oldest first
    hw:{17}:position                       string  hits ever taken off the buffer, for the fence
    hw:{17}:plan                           list    increments taken from the buffer, not yet applied
    hw:{17}:dead                           list    hits that could not be parsed, with the reason
    hw:{17}:stats                          hash    accepted, duplicate, drained, dead, folded,
                                                   series; mark and lag: see commit.lua
    hw:{17}:ids:<root>                     zset    idempotency ids by the second they were accepted
    hw:{17}:sender:<name>                  string  number below which its hits are processed; a week
    hw:{17}:imports                        hash    import -> last block counted in this shard
    hw:{17}:pks:<pk>                       set     labels known one level below a pk; '' holds roots
    hw:{17}:names:<root>                   set     names of metrics that were admitted
    hw:{17}:kids:<pk>␞<dimension>          set     labels known one level below a dimension
    hw:{17}:1h:1767225600:<pk>␞<dimension> hash    the cells of one chunk of a rollup's buckets
    hw:{17}:all:0:<pk>␞<dimension>         hash    the cells of all time
    hw:{17}:visitors-1d:1767225600:<node>  string  HyperLogLog of a day's visitors of a node
    hw:{17}:visitors-all:0:<node>          string  HyperLogLog of the visitors of all time
    hw:{17}:spy:<pk>                       list    the newest hits of a root pk, oldest first
    hw:{17}:spy-q:<pk>                     list    those of visitors whose hash begins with q
    hw:{17}:spied                          hash    root pk -> number of hits its list ever got
    hw:{17}:kept:1:<pk>                    hash    visitor -> options it was given, by term modulo 3
    hw:{17}:journal:<pk>                   list    the newest decisions and results, for inspection
    hw:{17}:views                          hash    views stored -> when each expires; a generation
    hw:{17}:view-ordinals:<view>           hash    label -> row; -names and -units: see views.lua

The labels of a path are joined by U+001F, and pk and dimension are separated by U+001E. Labels
contain no control characters, so two different paths never share a key.

A cell is one field, ``<index of the bucket in its chunk>:<metric>``; metric names contain no colon.
Its value is decimal text. Small hashes of short fields stay in the engine's compact encoding, which
keeps memory within budget. A chunk expires as a whole, so nothing scans the keyspace.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from hailwhale.core.events.aggregate import SeriesKey
from hailwhale.core.events.paths import Path
from hailwhale.store.types import ChunkAddress

SHARDS = 128
KEPT_TERMS = 3  # this term and the last are read; the one before has expired when its number recurs

_LABEL = "\x1f"
_PART = "\x1e"
_VIEW_PARTS = ("ordinals", "names", "units")


def shard_of(root: str) -> int:
    """Return the shard of a root pk, the same on every machine and in every release.

    >>> shard_of("Product")
    49
    """
    return zlib.crc32(root.encode()) % SHARDS


def cell_field(index: int, metric: str) -> str:
    """Return the field of a cell in its chunk's hash.

    >>> cell_field(13, "dollars")
    '13:dollars'
    """
    return f"{index}:{metric}"


def joined(path: Path) -> str:
    """Return a path in the notation of keys."""
    return _LABEL.join(path)


@dataclass(frozen=True, slots=True)
class Keys:
    """The keyspace under one namespace.

    >>> Keys("hw").buffer(17)
    'hw:{17}:buffer'
    """

    namespace: str = "hw"

    def kind(self, key: str) -> str:
        """Return what a key holds: a word, or a rollup's name for cells; empty for foreign keys.

        >>> Keys().kind("hw:{17}:1h:1767225600:Shop"), Keys().kind("hw:meta"), Keys().kind("x:meta")
        ('1h', 'meta', '')
        """
        namespace, _, rest = key.partition(":")
        if namespace != self.namespace:
            return ""
        return (rest.partition("}:")[2] if rest.startswith("{") else rest).partition(":")[0]

    def _of_shard(self, shard: int, rest: str) -> str:
        return f"{self.namespace}:{{{shard}}}:{rest}"

    def meta(self) -> str:
        return f"{self.namespace}:meta"

    def imports_done(self) -> str:
        return f"{self.namespace}:imports"

    def tokens(self) -> str:
        return f"{self.namespace}:tokens"

    def refused(self) -> str:
        return f"{self.namespace}:refused"

    def secrets(self, kind: str) -> str:
        return f"{self.namespace}:secrets:{kind}"

    def spied(self, shard: int) -> str:
        return self._of_shard(shard, "spied")

    def spy(self, root: str, visitor: str = "") -> str:
        """Return the list of hits of a root pk, or of all visitors whose hashes begin alike."""
        kind = f"spy-{visitor[0]}" if visitor else "spy"
        return self._of_shard(shard_of(root), f"{kind}:{root}")

    def requests(self) -> str:
        return f"{self.namespace}:requests"

    def notices(self) -> str:
        return f"{self.namespace}:notices"

    def rate(self, name: str) -> str:
        return f"{self.namespace}:rate:{name}"

    def imports(self, shard: int) -> str:
        return self._of_shard(shard, "imports")

    def buffer(self, shard: int) -> str:
        return self._of_shard(shard, "buffer")

    def position(self, shard: int) -> str:
        return self._of_shard(shard, "position")

    def plan(self, shard: int) -> str:
        return self._of_shard(shard, "plan")

    def dead(self, shard: int) -> str:
        return self._of_shard(shard, "dead")

    def stats(self, shard: int) -> str:
        return self._of_shard(shard, "stats")

    def ids(self, root: str) -> str:
        return self._of_shard(shard_of(root), f"ids:{root}")

    def sender(self, shard: int, name: str) -> str:
        return self._of_shard(shard, f"sender:{name}")

    def subpks(self, shard: int, pk: Path) -> str:
        """Return the set of labels known below `pk`; below the empty path, the shard's root pks."""
        return self._of_shard(shard, f"pks:{joined(pk)}")

    def roots(self) -> str:
        return f"{self.namespace}:roots"

    def names(self, root: str) -> str:
        return self._of_shard(shard_of(root), f"names:{root}")

    def children(self, pk: Path, dimension: Path) -> str:
        return self._of_shard(shard_of(pk[0]), f"kids:{self.node(pk, dimension)}")

    def cells(self, pk: Path, dimension: Path, rollup: str, chunk_start_s: int) -> str:
        return self.chunk(shard_of(pk[0]), rollup, chunk_start_s) + self.node(pk, dimension)

    def of_chunk(self, address: ChunkAddress) -> str:
        """Return the hash of the cells of a chunk, or the sketch of its visitors."""
        return self.cells(address.pk, address.dimension, address.rollup, address.chunk_start_s)

    def chunk(self, shard: int, rollup: str, chunk_start_s: int) -> str:
        """Return the prefix of the keys of all cells of one chunk; `node` returns the rest."""
        return self._of_shard(shard, f"{rollup}:{chunk_start_s}:")

    @staticmethod
    def node(pk: Path, dimension: Path) -> str:
        """Return a (pk, dimension) in the notation of keys.

        >>> Keys.parts(Keys.node(("Shop",), ("country", "US")))
        (('Shop',), ('country', 'US'))
        """
        return f"{joined(pk)}{_PART}{joined(dimension)}"

    @staticmethod
    def parts(node: str) -> SeriesKey:
        """Return the (pk, dimension) of a `node`."""
        pk, _, dimension = node.partition(_PART)
        return tuple(pk.split(_LABEL)), tuple(dimension.split(_LABEL)) if dimension else ()

    def kept(self, pk: Path, term: int) -> str:
        """Return the hash of what visitors were given in a term; terms are numbered in order."""
        return self._of_shard(shard_of(pk[0]), f"kept:{term % KEPT_TERMS}:{joined(pk)}")

    def journal(self, pk: Path) -> str:
        return self._of_shard(shard_of(pk[0]), f"journal:{joined(pk)}")

    def views(self, shard: int) -> str:
        return self._of_shard(shard, "views")

    def view(self, shard: int, name: str) -> list[str]:
        """Return the three keys of a view, in the order that the scripts take them."""
        return [self._of_shard(shard, f"view-{part}:{name}") for part in _VIEW_PARTS]
