"""A server that dies and comes back with less than it had: what was read before must not be taken.

With appendfsync everysec a crash can cost the last second. Here the loss is made exact: the data
directory is put back as it was at an earlier moment.
"""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

from hailwhale.core.events.aggregate import Increments, SeriesIncrement
from hailwhale.core.time.bucketing import ChunkSet, RollupChunk
from hailwhale.store.embedded import EmbeddedValkey
from hailwhale.store.redis.client import connect
from hailwhale.store.redis.keys import Keys, shard_of
from hailwhale.store.redis.store import RedisStore
from hailwhale.store.types import BufferWindow, CommitOutcome, CommitStep, EncodedHit

NOW_S = 1_773_576_630
SHARD = shard_of("Shop")


def hits(*names: str) -> list[EncodedHit]:
    return [EncodedHit("Shop", name.encode()) for name in names]


def taking(window: BufferWindow, taken: int) -> CommitStep:
    frame = ChunkSet((RollupChunk("all", 0, None),))
    row = SeriesIncrement(("Shop",), (), ("hits",), frame, [((0,), [taken])])
    return CommitStep(
        shard=SHARD, increments=Increments([row]), position=window.position, taken=taken
    )


def test_a_window_read_before_a_crash_that_rolled_the_log_back_takes_nothing_off(
    data_dir: Path, tmp_path: Path
) -> None:
    with EmbeddedValkey(data_dir, fsync="always") as server:
        store = RedisStore(connect(server.url, 10), Keys())
        store.buffers.accept(hits("a"), NOW_S)
        assert list(store.buffers.window(SHARD, 10).hits) == [b"a"]
        shutil.copytree(data_dir / "appendonlydir", tmp_path / "earlier")
        store.buffers.accept(hits("b"), NOW_S)
        held = store.buffers.window(SHARD, 10)
        assert list(held.hits) == [b"a", b"b"]

        os.kill(server.pid, signal.SIGKILL)
        assert server._process is not None
        server._process.wait(10)
        shutil.rmtree(data_dir / "appendonlydir")
        shutil.copytree(tmp_path / "earlier", data_dir / "appendonlydir")
        assert server.revive()

        store.buffers.accept(hits("c"), NOW_S)  # where b was
        assert store.commits.commit(taking(held, 2), NOW_S).outcome is CommitOutcome.STALE
        fresh = store.buffers.window(SHARD, 10)
        assert list(fresh.hits) == [b"a", b"c"]
        assert store.commits.commit(taking(fresh, 2), NOW_S).outcome is CommitOutcome.COMMITTED
        assert store.stats.loads() == []
        store.close()
