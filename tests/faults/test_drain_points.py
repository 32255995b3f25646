"""A drain that dies right before or right after each of its calls to the store."""

from __future__ import annotations

from enum import Enum
from itertools import chain, islice

import pytest
import redis

from hailwhale.core.events.event import parse_event
from hailwhale.core.events.hit_codec import encode_hit
from hailwhale.errors import StoreUnavailable
from hailwhale.services.ingest.drain import Drain
from hailwhale.store.protocol import Store
from hailwhale.store.redis.keys import Keys
from hailwhale.store.redis.store import RedisStore
from hailwhale.store.types import EncodedHit
from tests.conftest import NOW_S
from tests.faults.judge import Fate, Verdict, judge
from tests.faults.traffic import Sample, Traffic
from tests.parts import FailsOnce, drain_of, watched, writer_of

KEYS = Keys("points")


class Moment(Enum):
    BEFORE = "before"
    AFTER = "after"


class Killed(BaseException):
    """The end of a process: nothing catches it."""


def mortal(store: Store, call: str, number: int, moment: Moment, death: BaseException) -> Store:
    """The store of a drain that dies at one of its calls, once."""
    point = FailsOnce(number, (call,), moment is Moment.AFTER, death)
    return watched(store, point, "buffers", "commits")


@pytest.fixture
def store(own_client: redis.Redis) -> RedisStore:
    """A store whose steps are cut into many chunks."""
    own_client.flushdb()
    return RedisStore(own_client, KEYS, chunk_cells=50)


@pytest.fixture
def samples(store: RedisStore) -> list[Sample]:
    """Events in the buffers of several shards."""
    traffic = chain.from_iterable(Traffic(7, "a", NOW_S).requests())
    samples = [sample for sample in islice(traffic, 60) if sample.sound]
    assert writer_of(store, lambda: NOW_S).count_many(sample.fields for sample in samples).accepted
    return samples


def drain_on(store: Store, window: int = 10) -> Drain:
    return drain_of(store, lambda: NOW_S, window)


def judged(client: redis.Redis, samples: list[Sample]) -> Verdict:
    return judge(client, KEYS, [(sample, Fate.ACKNOWLEDGED) for sample in samples], NOW_S)


POINTS = [
    ("window", 1),
    ("window", 2),
    ("window", 5),
    ("commit", 1),
    ("commit", 2),
    ("commit", 5),
    ("apply_next", 1),  # the look for what another drain has left
    ("apply_next", 2),  # the first chunk of the first plan
    ("apply_next", 3),
    ("apply_next", 4),
    ("apply_next", 20),
]


@pytest.mark.parametrize("moment", Moment)
@pytest.mark.parametrize(("call", "number"), POINTS)
def test_another_drain_finishes_exactly_what_a_killed_one_began(
    store: RedisStore,
    samples: list[Sample],
    own_client: redis.Redis,
    call: str,
    number: int,
    moment: Moment,
) -> None:
    with pytest.raises(Killed):
        drain_on(mortal(store, call, number, moment, Killed())).flush()
    drain_on(store).flush()
    verdict = judged(own_client, samples)
    assert verdict.exact, verdict
    assert verdict.counted == len(samples)


@pytest.mark.parametrize("moment", Moment)
@pytest.mark.parametrize(("call", "number"), POINTS)
def test_a_drain_whose_store_did_not_answer_goes_on_exactly(
    store: RedisStore,
    samples: list[Sample],
    own_client: redis.Redis,
    call: str,
    number: int,
    moment: Moment,
) -> None:
    drain = drain_on(mortal(store, call, number, moment, StoreUnavailable("away")))
    with pytest.raises(StoreUnavailable):
        drain.flush()
    drain.flush()
    verdict = judged(own_client, samples)
    assert verdict.exact, verdict
    assert verdict.counted == len(samples)


@pytest.mark.parametrize("moment", Moment)
@pytest.mark.parametrize("number", [1, 2, 3])
def test_labels_past_max_children_are_folded_exactly_once_whichever_commit_is_the_last(
    own_client: redis.Redis, moment: Moment, number: int
) -> None:
    own_client.flushdb()
    store = RedisStore(own_client, KEYS, max_children=2, chunk_cells=3)
    events = [{"pk": "Shop", "dimensions": {"city": name}} for name in ("a", "b", "c", "d", "e")]
    store.buffers.accept(
        [EncodedHit("Shop", encode_hit(parse_event(e, NOW_S))) for e in events], NOW_S
    )
    dying = mortal(store, "commit", number, moment, Killed())
    # Windows of three: the first folds one label, the second two.
    with pytest.raises(Killed):
        drain_on(dying, window=3).flush()
    drain_on(store, window=3).flush()
    counted = {label: _hits(own_client, ("city", label)) for label in ("a", "b", "c", "_other")}
    assert counted == {"a": b"1", "b": b"1", "c": None, "_other": b"3"}
    assert _hits(own_client, ()) == b"5"
    assert store.stats.counts()["folded"] == 3


def _hits(client: redis.Redis, dimension: tuple[str, ...]) -> object:
    return client.hget(KEYS.cells(("Shop",), dimension, "all", 0), "0:hits")
