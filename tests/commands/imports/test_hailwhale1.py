"""`hailwhale import --format hailwhale1`: the keys of the HailWhale of 2011, version by version."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import TypeAlias

import pytest
import redis

from hailwhale.cli import main
from hailwhale.store.embedded import EmbeddedValkey
from hailwhale.store.redis.client import connect
from hailwhale.store.redis.keys import Keys
from hailwhale.store.redis.store import RedisStore
from tests.deploy.running import DEADLINE_S
from tests.services.imports.plain_sums import stored

Said: TypeAlias = Callable[..., tuple[int, str, str]]

# The last versions: a key names the interval. ["Product", "7"] sold 3 in the US and 2 in Åland. The
# hours of the first day are partly known, those of the second are gone.
LAST: Mapping[str, Mapping[str, int]] = {
    "Product||_||1d||sales": {"Fri Mar 01 00:00:00 2013": 5, "Sat Mar 02 00:00:00 2013": 4},
    "Product||_||1h||sales": {"Fri Mar 01 09:00:00 2013": 2, "Fri Mar 01 23:00:00 2013": 1},
    "Product||_||6h||sales": {"Fri Mar 01 08:00:00 2013": 5},
    "Product||_||1m||sales": {"Fri Mar 01 09:41:00 2013": 2},
    "Product||_||1d||dollars": {"Fri Mar 01 00:00:00 2013": -1999},
    "Product||country||1d||sales": {"Fri Mar 01 00:00:00 2013": 5},
    'Product||["country", "US"]||1d||sales': {"Fri Mar 01 00:00:00 2013": 3},
    'Product||["country", "\\u00c5land"]||1d||sales': {"Fri Mar 01 00:00:00 2013": 2},
    'Product||["device", "Mac OS X"]||1d||sales': {"Fri Mar 01 00:00:00 2013": 5},
    '["Product", "7"]||_||1d||sales': {"Fri Mar 01 00:00:00 2013": 5},
    '["Product", "7"]||["country", "US"]||1d||sales': {"Fri Mar 01 00:00:00 2013": 3},
    "_||Übersicht||1d||hits": {"Fri Mar 01 00:00:00 2013": 1},
}
LAST_TOTALS = {
    (("Product",), (), "", "sales"): 9,
    (("Product",), (), "2013-03-01", "sales"): 5,
    (("Product",), (), "2013-03-02", "sales"): 4,
    (("Product",), (), "", "dollars"): -1999,
    (("Product",), ("country",), "2013-03-01", "sales"): 5,
    (("Product",), ("country", "US"), "2013-03-01", "sales"): 3,
    (("Product",), ("country", "Åland"), "2013-03-01", "sales"): 2,
    (("Product",), ("device", "Mac OS X"), "2013-03-01", "sales"): 5,
    (("Product", "7"), (), "2013-03-01", "sales"): 5,
    (("Product", "7"), ("country", "US"), "2013-03-01", "sales"): 3,
    (("_",), ("Übersicht",), "2013-03-01", "hits"): 1,
}

# Those before: intervals in seconds with their lengths, the same event in each, and all time.
MIDDLE: Mapping[str, Mapping[str, int]] = {
    "Shop||_||86400x31536000||hits": {"Fri Mar 01 00:00:00 2013": 7, "Sat Mar 02 00:00:00 2013": 1},
    "Shop||_||86400x2592000||hits": {"Sat Mar 02 00:00:00 2013": 1},
    "Shop||_||3600x86400||hits": {"Sat Mar 02 15:00:00 2013": 1},
    "Shop||_||1209600x31536000||hits": {"Sun Feb 24 00:00:00 2013": 8},
    "Shop||_||all||hits": {"time": 100},
}
MIDDLE_TOTALS = {
    (("Shop",), (), "", "hits"): 100,
    (("Shop",), (), "2013-03-01", "hits"): 7,
    (("Shop",), (), "2013-03-02", "hits"): 1,
    (("Shop",), (), "1970-01-01", "hits"): 92,
}

# And the first ones: all paths are JSON.
FIRST: Mapping[str, Mapping[str, int]] = {
    '["Shop"]||["_"]||86400x2592000||hits': {"Fri Mar 01 00:00:00 2013": 7},
    '["Shop"]||["sales", 12]||86400x2592000||hits': {"Fri Mar 01 00:00:00 2013": 6},
    '"Shop"||"sales"||86400x2592000||hits': {"Fri Mar 01 00:00:00 2013": 6},
}
FIRST_TOTALS = {
    (("Shop",), (), "2013-03-01", "hits"): 7,
    (("Shop",), ("sales",), "2013-03-01", "hits"): 6,
    (("Shop",), ("sales", "12"), "2013-03-01", "hits"): 6,
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, valkey: EmbeddedValkey, namespace: str) -> None:
    monkeypatch.setenv("HAILWHALE_REDIS_URL", valkey.url)
    monkeypatch.setenv("HAILWHALE_NAMESPACE", namespace)
    monkeypatch.setenv("HAILWHALE_ROLLUPS", "1h:100y,1d:100y")


@pytest.fixture
def url(valkey: EmbeddedValkey) -> str:
    """Where the original keeps its numbers."""
    return f"{valkey.url}?db=7"


@pytest.fixture
def original(url: str) -> Iterator[redis.Redis]:
    client = connect(url, timeout_s=10)
    client.flushdb()
    yield client
    client.flushdb()
    client.close()
    client.connection_pool.disconnect()


@pytest.fixture
def imported(client: redis.Redis, namespace: str) -> RedisStore:
    return RedisStore(client, Keys(namespace))


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str], url: str) -> Said:
    """Runs the import here: its exit code, what it printed and what went to stderr."""

    def run(*options: str, source: str = url) -> tuple[int, str, str]:
        code = main(["import", "--format", "hailwhale1", *options, source])
        out, err = capsys.readouterr()
        return code, out, err

    return run


def fill(original: redis.Redis, keys: Mapping[str, Mapping[str, int]]) -> None:
    for key, fields in keys.items():
        for field, value in fields.items():
            original.hset(key, field, str(value))
    # What else it kept: sets of what is known, rankings, hits that wait, events to spy on.
    original.sadd("dimensions||Product", "country", "_")
    original.sadd("Shop||subdimensions||Shop||_", "sales")
    original.zadd("rank||Product||_||1d||Fri Mar 01 00:00:00 2013||sales", {"country": 5})
    original.sadd("hail_3", "Hail_Shop_Fri Mar  1 10:00:00 2013_77")
    original.set("spy_Hail_1_pos", 4)


@pytest.mark.parametrize(
    ("keys", "totals"),
    [(LAST, LAST_TOTALS), (MIDDLE, MIDDLE_TOTALS), (FIRST, FIRST_TOTALS)],
    ids=["the last", "those before", "the first"],
)
def test_what_each_version_wrote_is_counted_as_it_had_it(
    said: Said,
    original: redis.Redis,
    imported: RedisStore,
    keys: Mapping[str, Mapping[str, int]],
    totals: Mapping[tuple[tuple[str, ...], tuple[str, ...], str, str], int],
) -> None:
    fill(original, keys)
    before = {key: original.dump(key) for key in original.scan_iter()}
    code, out, err = said()
    assert (code, err) == (0, "")
    assert " 0 rejected" in out
    assert stored(imported, totals) == totals
    assert {key: original.dump(key) for key in original.scan_iter()} == before


def test_hours_are_kept_where_they_are_known_and_the_rest_of_a_day_is_at_its_noon(
    said: Said, original: redis.Redis, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(original, LAST)
    said()
    period = "1h:2013-03-01..2013-03-02"
    assert main(["plotpoints", "Product", "--metrics", "sales", "--period", period, "--json"]) == 0
    points = json.loads(capsys.readouterr().out.splitlines()[-1])["_"]["sales"]
    assert {at_ms: amount for at_ms, amount in points if amount} == {
        1_362_128_400_000: 2,  # 9:00
        1_362_139_200_000: 2,  # 12:00, of the 5 of the day
        1_362_178_800_000: 1,  # 23:00
        1_362_225_600_000: 4,  # 12:00 on the next day
    }


def test_an_import_that_is_done_counts_nothing_again(
    said: Said, original: redis.Redis, imported: RedisStore
) -> None:
    fill(original, LAST)
    said()
    code, out, _ = said()
    assert code == 0
    assert "is already imported: nothing counted" in out
    assert stored(imported, LAST_TOTALS) == LAST_TOTALS


def test_what_went_on_counting_since_its_import_began_is_refused_and_again_takes_it_all(
    said: Said, original: redis.Redis, imported: RedisStore
) -> None:
    fill(original, LAST)
    said()
    original.hincrby("Product||_||1d||sales", "Sat Mar 02 00:00:00 2013", 1)
    for options in ((), ("--name", "another")):
        code, out, err = said(*options)
        assert (code, out) == (2, "")
        assert "it has counted since" in err
    assert stored(imported, LAST_TOTALS) == LAST_TOTALS
    assert said("--again")[0] == 0
    total = (("Product",), (), "", "sales")
    assert stored(imported, [total]) == {total: 9 + 10}


def test_keys_that_make_no_sense_are_rejected_alone_and_named(
    said: Said, original: redis.Redis, imported: RedisStore
) -> None:
    fill(original, LAST)
    for key, field, value in (
        ("a||b||_||1d||hits", "Fri Mar 01 00:00:00 2013", "1"),
        ("Shop||_||1d||hits", "yesterday", "1"),
        ("Shop||_||1d||dollars", "Fri Mar 01 00:00:00 2013", "19.99"),
        ("Shop||_||6h||orders", "Fri Mar 01 00:00:00 2013", "1"),
        ("Shop||_||1d||a/b", "Fri Mar 01 00:00:00 2013", "1"),
    ):
        original.hset(key, field, value)
    code, out, err = said()
    assert code == 1
    assert " 5 rejected" in out
    assert [line.partition(": ")[2][:40] for line in err.splitlines()] == [
        "key: got 'Shop||_||6h||orders'; expected",
        "key: got 'a||b||_||1d||hits'; expected a",
        "key: got 'Shop||_||1d||dollars: Fri Mar ",
        "key: got 'Shop||_||1d||hits: yesterday 1",
        "metrics: got 'a/b'; expected metric name",
    ]
    assert stored(imported, LAST_TOTALS) == LAST_TOTALS


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("events.csv", "file: got 'events.csv'; expected the URL of a Redis"),
        (
            "redis://:secret@127.0.0.1:1/0",
            "cannot import from redis://:***@127.0.0.1:1/0: the store ",
        ),
        ("redis+cluster://:secret@h:1", "file: got 'redis+cluster://:***@h:1'; expected the URL"),
    ],
)
def test_an_invalid_store_url_is_refused_in_one_line(said: Said, source: str, error: str) -> None:
    code, out, err = said(source=source)
    assert (code, out) == (2, "")
    assert err.startswith(f"hailwhale: {error}")
    assert err.count("\n") == 1


def test_a_store_of_another_program_or_of_ours_is_refused(
    said: Said, original: redis.Redis, valkey: EmbeddedValkey
) -> None:
    original.hset("user:1", "name", "Ada")
    original.zadd("rank||Product||_||1d||hits", {"country": 5})
    for source in (f"{valkey.url}?db=7", valkey.url):
        code, _, err = said(source=source)
        assert code == 2
        assert "expected the store of a HailWhale of 2011" in err


def test_a_mapping_is_refused(said: Said) -> None:
    code, _, err = said("--pk", "Product")
    assert code == 2
    assert err.startswith(
        "hailwhale: pk: got 'Product'; expected --format csv: a HailWhale of 2011"
    )


def test_killed_on_the_way_and_started_again_it_counts_all_once(
    original: redis.Redis, client: redis.Redis, imported: RedisStore, url: str
) -> None:
    roots = [f"Shop {number}" for number in range(60)]
    day = "Fri Mar 01 00:00:00 2013"
    fill(original, {f"{root}||_||1d||hits": {day: n} for n, root in enumerate(roots, 1)})

    def steps() -> int:
        return int(client.info("commandstats").get("cmdstat_evalsha", {}).get("calls", 0))

    command = [sys.executable, "-m", "hailwhale.cli", "import", "--format", "hailwhale1", url]
    codes = []
    for before_kill in (31, 10_000):
        target, deadline_s = steps() + before_kill, time.monotonic() + DEADLINE_S
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=dict(os.environ))
        while process.poll() is None and steps() < target:
            assert time.monotonic() < deadline_s, "the import does not come to its next step"
        process.send_signal(signal.SIGKILL)
        codes.append(process.wait(DEADLINE_S))
    assert codes == [-signal.SIGKILL, 0]
    totals = {((root,), (), "2013-03-01", "hits"): Decimal(n) for n, root in enumerate(roots, 1)}
    assert stored(imported, totals) == totals
