"""The faults of the 2011 original in counting and asking, each by its name: never again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from threading import Thread
from typing import cast

import pytest
import redis

from hailwhale.services.container import Services, open_services
from hailwhale.services.query.series import SeriesQueries
from hailwhale.settings import Settings
from hailwhale.store.embedded import EmbeddedValkey
from hailwhale.store.types import EncodedHit
from hailwhale.web.apps import hail_app, whale_app
from tests.conftest import Clock
from tests.services.reading import keys_of
from tests.web.client import Client
from tests.web.queries import total

# The buffer and the drain


def test_buffered_hits_overwrite_each_other(
    hail: Client, whale: Client, services: Services
) -> None:
    for _ in range(1_000):  # all in one second, all alike
        assert hail.get("/count", "pk=Shop").status == 200
    assert services.drain.flush() == 1_000
    assert total(whale, "Shop") == 1_000


def test_the_first_event_ever_is_lost(hail: Client, whale: Client) -> None:
    hail.get("/count", "pk=Shop")
    whale.get("/flush_hail")
    assert total(whale, "Shop") == 1


def test_count_and_drain_race(hail: Client, whale: Client, services: Services) -> None:
    def count() -> None:
        for _ in range(100):
            assert hail.get("/count", "pk=Shop&dimension=a").status == 200

    senders = [Thread(target=count) for _ in range(3)]
    for sender in senders:
        sender.start()
    drained = 0
    while any(sender.is_alive() for sender in senders):
        drained += services.drain.flush()
    drained += services.drain.flush()
    assert (drained, total(whale, "Shop", "hits", "a")) == (300, 300)


def test_one_bad_event_kills_its_batch(hail: Client, whale: Client, services: Services) -> None:
    sent: list[object] = [{"pk": "Shop"}] * 20
    sent[4] = {"pk": "Shop", "metrics": {"dollars": {}}}
    assert hail.post("/count", sent).json["accepted"] == 19
    services.store.buffers.accept([EncodedHit("Shop", b"from elsewhere")], 0)
    hail.get("/count", "pk=Shop")
    assert whale.get("/flush_hail").json == {"counted": 21}
    assert total(whale, "Shop") == 20
    assert whale.get("/healthz").json["dead"] == 1


# Numbers


@pytest.mark.parametrize("value", ["19.99", "0.5", "-1.9", ".50", "1e-9", "12345678901234567.8"])
def test_int_on_values(whale: Client, value: str) -> None:
    assert whale.get("/count", f'pk=Shop&metrics={{"dollars": {value}}}').body == b"OK"
    assert total(whale, "Shop", "dollars") == Decimal(value)


def test_sums_drift_as_floats_do(whale: Client, hail: Client) -> None:
    hail.post("/count", [{"pk": "Shop", "metrics": {"dollars": 0.1}}] * 1_000)
    whale.get("/flush_hail")
    whale.get("/count", 'pk=Shop&metrics={"dollars":-100}')
    assert total(whale, "Shop", "dollars") == 0


def test_hits_are_counted_only_when_no_metrics_are_given(whale: Client) -> None:
    whale.get("/count", 'pk=Shop&metrics={"dollars":30}')
    whale.get("/count", "pk=Shop")
    assert total(whale, "Shop", "dollars/hits") == 15


@pytest.mark.parametrize("names", [("dimension", "metric"), ("dimensions", "metrics")])
def test_the_singular_names_are_ignored(whale: Client, names: tuple[str, str]) -> None:
    dimension, metric = names
    whale.get("/count", f'pk=Shop&{dimension}=country&{metric}={{"dollars":30}}')
    assert total(whale, "Shop", "dollars", "country") == 30


# Time


def test_a_bucket_list_cached_for_a_minute_makes_a_new_minute_read_0(
    whale: Client, clock: Clock
) -> None:
    assert total(whale, "Shop", period="1m:1h") == 0
    for minutes in range(1, 4):
        clock.now_s += 60
        whale.get("/count", "pk=Shop")
        assert total(whale, "Shop", period="1m:1h") == minutes
        assert whale.get("/plotpoints", "pk=Shop&period=1m:2m").json["_"]["hits"][-1][1] == 1


def test_one_cached_span_answers_every_period(whale: Client) -> None:
    for day in range(1, 16):
        whale.get("/count", f"pk=Shop&at=2026-03-{day:02}T09:00Z")
    lengths = {"mtd": 15, "seven": 7, "yesterday": 1, "today": 1, "wtd": 7, "1d:3d": 3}
    for period, days in lengths.items():
        assert total(whale, "Shop", period=period) == days


def test_today_sums_30_days(whale: Client) -> None:
    whale.get("/count", "pk=Shop&at=2026-03-01T09:00Z")
    assert total(whale, "Shop", period="today") == 0


def test_tzoffset_moves_the_window_and_not_the_buckets(whale: Client) -> None:
    whale.get("/count", "pk=Shop&dimension=a&at=2026-03-15T06:00Z")  # 22:00 on the 14th at -0800
    for dimension in ("_", "a"):
        asked = f"pk=Shop&dimension={dimension}&period=1d:2d&tzoffset=-800"
        points = whale.get("/plotpoints", asked).json[dimension]["hits"]
        assert points == [[1_773_475_200_000, 1], [1_773_561_600_000, 0]]


@pytest.mark.parametrize("period", ["24h:24h", "24h:1d", "1d:24h", "1d:1d"])
def test_24h_is_always_0(whale: Client, period: str) -> None:
    whale.get("/count", "pk=Shop")
    assert total(whale, "Shop", period=period) == 1


@pytest.mark.parametrize(
    "query",
    [
        "period=5m:1w",
        "period=monthly",
        "period=2026-02-31..2026-03-01",
        "period=02/31/2026-03/01/2026",
        "period=1/1/0001-12/30/9999",
        "period=1s:1/1/1900-12/30/2199",
    ],
)
@pytest.mark.parametrize("path", ["/totals", "/plotpoints"])
def test_a_bad_period_is_500_or_blocks_a_worker(whale: Client, path: str, query: str) -> None:
    answer = whale.get(path, query)
    assert (answer.status, answer.error["parameter"], answer.errors) == (400, "period", "")


def test_an_unknown_sort_metric_is_500(whale: Client) -> None:
    whale.get("/count", "pk=Shop&dimension=a")
    answer = whale.get("/plotpoints", "pk=Shop&depth=1&sort=-nothing&period=1h:1h")
    assert list(answer.json) == ["_", "a"]


def test_two_ratios_mix_up_in_totals(whale: Client) -> None:
    whale.get("/count", 'pk=Shop&metrics={"a":6,"b":3,"c":2}')
    answer = whale.get("/totals", "pk=Shop&metrics=a/b,a/c,b/c&period=all").json
    assert answer == {"all": {"_": {"a/b": 2, "a/c": 3, "b/c": Decimal("1.5")}}}


# Dimensions and labels


def test_a_cache_of_known_dimensions_goes_stale_in_another_process(
    make_services: Callable[..., Services],
) -> None:
    first, second = (Client(whale_app(make_services())) for _ in range(2))
    first.get("/count", "pk=Shop&dimension=a")
    assert second.get("/subdimensions", "pk=Shop").json == {"_": ["a"]}
    first.get("/reset", "pk=Shop")
    assert second.get("/count", "pk=Shop&dimension=[").status == 400
    second.get("/count", "pk=Shop&dimension=a")
    second.get("/count", "pk=Shop&dimension=b")
    for whale in (first, second):
        assert whale.get("/subdimensions", "pk=Shop").json == {"_": ["a", "b"]}
        assert list(whale.get("/plotpoints", "pk=Shop&depth=1&period=1h:1h").json) == [
            "_",
            "a",
            "b",
        ]


def test_an_empty_label_counts_the_root_twice(whale: Client) -> None:
    answer = whale.get("/count", 'pk=Shop&dimensions={"":"v"}')
    assert (answer.status, answer.error["parameter"]) == (400, "dimensions")
    assert total(whale, "Shop") == 0


@pytest.mark.parametrize("apart", ["||", "|", ">", " > ", "/", ":", '","', '", "', "\u00a0"])
def test_a_separator_in_a_label_collides(whale: Client, apart: str) -> None:
    whale.post("/count", {"pk": ["a", "b"], "dimensions": ["c", "d"]})
    whale.post("/count", {"pk": [f"a{apart}b"], "dimensions": [f"c{apart}d"]})
    assert total(whale, '["a","b"]', "hits", '["c","d"]') == 1
    assert total(whale, [f"a{apart}b"], "hits", [f"c{apart}d"]) == 1
    assert total(whale, '["a","b"]', "hits", [f"c{apart}d"]) == 0


def test_l_aquila_breaks_json(whale: Client) -> None:
    whale.post("/count", {"pk": "Shop", "dimensions": {"city": "L'Aquila"}})
    whale.get("/count", """pk=Shop&dimensions={"city": "L'Aquila"}""")
    whale.get("/count", r"""pk=Shop&dimensions={'city': 'L\'Aquila'}""")
    answer = whale.get("/plotpoints", "pk=Shop&dimension=city&depth=1&period=1h:1h").json
    assert answer["""["city", "L'Aquila"]"""]["hits"][0][1] == 3


# Failing well


def test_count_answers_ok_with_redis_down(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path, fsync="no") as server:
        services = open_services(Settings.from_env({}, redis_url=server.url))
    for app in (hail_app(services), whale_app(services)):
        for path in ("/count", "/count.gif"):
            assert Client(app).get(path, "pk=Shop").status == 503
    services.close()


def test_a_partial_write_and_its_retry_double(whale: Client) -> None:
    wrong = '{"pk": "Shop", "id": "order-1", "metrics": {"a": 1, "b": "x"}}'
    assert whale.post("/count_now", wrong).status == 400
    for _ in range(2):
        whale.post("/count_now", {"pk": "Shop", "id": "order-1", "metrics": {"a": 1}})
    assert total(whale, "Shop", "a") == 1


def test_tracebacks_are_public(make_services: Callable[..., Services]) -> None:
    class Broken:
        def __getattr__(self, name: str) -> object:
            raise RuntimeError(f"secret {name}")

    broken = replace(make_services(), reporting=cast(SeriesQueries, Broken()))
    answer = Client(whale_app(broken)).get("/totals")
    assert (answer.status, answer.error["parameter"]) == (500, None)
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text


# Size


def test_nothing_expires_and_a_question_makes_keys(
    whale: Client, services: Services, client: redis.Redis, namespace: str
) -> None:
    for day in range(1, 16):
        whale.get("/count", f"pk=Shop&dimension=a&at=2026-03-{day:02}T09:00Z")
    services.tallies.flush()  # makes its key now, not whenever its second is over
    keys = keys_of(client, namespace)
    for path in ("/totals", "/plotpoints", "/subdimensions"):
        assert whale.get(path, "pk=Nothing&dimension=b").status == 200
    assert whale.get("/plotpoints", "pk=Shop&depth=1&period=1d:3y").status == 200
    assert keys_of(client, namespace) == keys
    chunks = [key for key in keys if "Shop\x1e" in key and ":kids:" not in key]
    forever = [key for key in chunks if ":all:" in key]
    assert len(forever) == 2
    assert all(client.ttl(key) > 0 for key in chunks if key not in forever)
    # A month of days is one hash in the compact encoding, a day of hours another.
    days = [key for key in chunks if ":1d:" in key]
    assert len(days) == 2
    assert client.object("encoding", days[0]) == b"listpack"


def test_many_children_are_asked_of_once_and_then_not_one_by_one(
    whale: Client, client: redis.Redis, services: Services
) -> None:
    for number in range(0, 300, 100):
        children = [f"c{n}" for n in range(number, number + 100)]
        whale.post("/count", [{"pk": "Shop", "dimension": child} for child in children])
    asked = "pk=Shop&depth=1&threshold=0&limit=10&period=1d:1mo&sort=-hits"
    first = whale.get("/plotpoints", asked)
    whale.get("/count", "pk=Shop&dimension=c7")
    before = commands(client)
    answer = whale.get("/plotpoints", asked)
    used = {name: count - before.get(name, 0) for name, count in commands(client).items()}
    assert len(first.json) == len(answer.json) == 11
    assert list(answer.json)[:2] == ["_", "c7"]
    # A month is two chunks of days. Reads: two of the parent with its sums, two of each child that
    # is shown, the state of two views before and after, and one of the labels.
    assert (used["hmget"], used["smembers"]) == (2 + 2 * 10 + 2 * 2, 1)
    assert used.get("hgetall", 0) == 0
    assert (used.get("keys", 0), used.get("scan", 0)) == (0, 0)
    assert services.store.stats.loads() == []


def commands(client: redis.Redis) -> dict[str, int]:
    stats = client.info("commandstats")
    return {name.removeprefix("cmdstat_"): each["calls"] for name, each in stats.items()}
