"""`hailwhale doctor --memory`: its estimates against the memory of a real store, its refusals."""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from hailwhale.cli import main
from hailwhale.core.time.calendar_grid import DAY_S
from hailwhale.services.container import Services, open_services
from hailwhale.settings import Settings
from hailwhale.store.embedded import EmbeddedValkey
from hailwhale.store.redis import memory_usage
from hailwhale.store.redis.client import connect

DAYS = 35
EVENTS = 5_000
COUNTRIES = ("US", "CA", "DE", "FR")

Said = Callable[..., str]
Event = dict[str, object]


@pytest.fixture
def said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Said:
    """Runs `doctor --memory` where no store is; gives what it printed."""
    monkeypatch.setenv("HAILWHALE_DATA_DIR", str(tmp_path / "none"))

    def said(*options: str, code: int = 0) -> str:
        assert main(["doctor", "--memory", *options]) == code
        out, err = capsys.readouterr()
        return out or err

    return said


def events(products: int, now_s: float) -> list[Event]:
    """Sales by chance over 35 days, most of them of the first products."""
    chance = random.Random(7)
    weights = [1 / (place + 1) for place in range(products)]
    return [
        {
            "pk": ["Product", product],
            "dimensions": {"country": chance.choice(COUNTRIES), "kind": product % 3},
            "metrics": {"revenue": chance.randrange(1, 50_000) / 100, "sales": 1},
            "at": now_s - chance.random() * DAYS * DAY_S,
        }
        for product in chance.choices(range(products), weights, k=EVENTS)
    ]


def taken_by(counted: Sequence[Event], data_dir: Path) -> int:
    """The bytes by which a Valkey of its own grows when these are counted."""
    with EmbeddedValkey(data_dir, fsync="no") as server:
        client: Any = connect(server.url, 30)
        with (
            closing(client),
            closing(open_services(Settings.from_env(redis_url=server.url))) as ours,
        ):
            ours.counting.count_now({"pk": "Other"})  # the scripts are loaded
            before = used_bytes(client)
            assert ours.counting.count_many_now(counted).accepted == len(counted)
            return used_bytes(client) - before


def used_bytes(client: Any) -> int:
    memory = client.info("memory")
    buffers = memory["mem_clients_normal"] + memory["mem_aof_buffer"]
    return int(memory["used_memory"]) - int(buffers)


def sample_of(some: Sequence[Event], tmp_path: Path) -> str:
    file = tmp_path / "sample.ndjson"
    file.write_text("\n".join(map(json.dumps, some)))
    return str(file)


def rows(text: str) -> dict[str, list[int]]:
    """The numbers of the table by what it is that they tell of."""
    found = re.findall(r"^(\S.*?)  +([\d,]+(?:  +[\d,]+)*)$", text, re.MULTILINE)
    return {kind: [int(n.replace(",", "")) for n in numbers.split()] for kind, numbers in found}


@pytest.mark.parametrize("products", [4, 60, 1_000])
def test_an_estimate_is_within_a_quarter_of_what_a_store_takes(
    said: Said, products: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HAILWHALE_ROLLUPS", "1h:35d,1d:3y")
    counted = events(products, time.time())
    taken = taken_by(counted, tmp_path / "data")
    each_day = ("--events-per-day", str(EVENTS / DAYS), "--days", str(DAYS))
    whole = said("--sample", sample_of(counted, tmp_path), *each_day)
    *_, estimated = rows(whole)["all together"]
    assert estimated == pytest.approx(taken, rel=0.25)
    # A fifth of the events, and how many series there are in all, tell as much.
    (series,) = re.findall(r"events in ([\d,]+) series", whole)
    fifth = said("--sample", sample_of(counted[::5], tmp_path), "--series", series, *each_day)
    *_, estimated = rows(fifth)["all together"]
    assert estimated == pytest.approx(taken, rel=0.25)


def test_an_event_reports_how_many_cells_it_makes(
    said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HAILWHALE_ROLLUPS", "1h:35d")
    event = {"pk": ["Product", 7], "dimensions": {"country": "US"}, "metrics": {"revenue": 9.99}}
    text = said("--event", json.dumps(event), "--events-per-day", "1e9", "--days", "10")
    assert text.startswith(
        "Sample: 1 events in 6 series. On average, an event is counted in 6.0 series.\n"
        "With 1,000,000,000 events per day in 6 series, after 10 days:\n"
    )
    found = rows(text)
    assert (found["1h"][1], found["all"][:2], found["labels"][:2]) == (6 * 240 * 2, [6, 12], [6, 6])
    *parts, whole = found.values()
    assert whole == pytest.approx([sum(column) for column in zip(*parts, strict=True)], abs=3)


def test_without_a_rate_the_sample_is_a_day(said: Said, tmp_path: Path) -> None:
    text = said("--sample", sample_of([{"pk": "Shop", "id": n} for n in range(40)], tmp_path))
    assert "With 40 events per day in 1 series, once every rollup is full:" in text
    assert rows(text)["ids"][1] == 40


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Services]:
    """Services on a server of their own: what is measured of a part of it stands for all of it."""
    with (
        EmbeddedValkey(tmp_path / "alone", fsync="no") as server,
        closing(open_services(Settings.from_env({}, redis_url=server.url))) as found,
    ):
        yield found


def test_a_running_store_is_measured_kind_by_kind(
    said: Said, alone: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HAILWHALE_REDIS_URL", alone.settings.redis_url)
    monkeypatch.setenv("HAILWHALE_NAMESPACE", alone.settings.namespace)
    alone.counting.count_many_now({"pk": ["Shop", n], "at": "2020-01-01"} for n in range(30))
    found = rows(said())
    assert (found["all"][0], found["pks"][0], found["meta"][0]) == (31, 2, 1)
    assert 31 * 60 < found["all"][1] < 31 * 300


def test_a_large_store_is_sampled(alone: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    alone.counting.count_many_now({"pk": ["Shop", n], "at": "2020-01-01"} for n in range(5_000))
    monkeypatch.setattr(memory_usage, "_SCANNED", 2_500)
    monkeypatch.setattr(memory_usage, "_WEIGHED", 100)
    settings = alone.settings
    found = memory_usage.measure(settings.redis_url, settings.namespace, 5)
    assert 2_500 <= found.seen < 4_000
    kinds = {kind.name: kind for kind in found.kinds}
    assert kinds["all"].keys == pytest.approx(5_001, rel=0.1)
    assert 60 < kinds["all"].bytes / kinds["all"].keys < 300


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "no store is running on "),
        (("--days", "3"), "days: got '3'; expected --sample or --event in addition"),
        (("--event", '{"pk": "Shop"}'), 'event: got \'{"pk": "Shop"}\'; expected --events-per-day'),
        (("--event", "[1]", "--events-per-day", "1"), "event: got [1]; expected a JSON object"),
        (("--event", '{"pkk": 1}', "--events-per-day", "1"), "pkk: got 1; expected a parameter"),
        (("--event", '{"pk": 1}', "--events-per-day", "-5"), "events_per_day: got '-5'; expected"),
        (("--event", '{"pk": 1}', "--events-per-day", "many"), "events_per_day: got 'many'; exp"),
        (("--sample", "/nowhere"), "sample: got '/nowhere'; expected a readable file (No such"),
        (("--sample", "/dev/null"), "sample: got '/dev/null'; expected a file with at least one"),
        (
            ("--sample", "/dev/null", "--event", "{}"),
            "event: got '{}'; expected either --event or --sample",
        ),
    ],
)
def test_invalid_input_is_reported(said: Said, options: tuple[str, ...], message: str) -> None:
    assert f"hailwhale: {message}" in said(*options, code=2)


def test_a_line_that_is_no_event_is_named(said: Said, tmp_path: Path) -> None:
    file = tmp_path / "events"
    file.write_text('{"pk": "Shop"}\n\n{"pk": ["Shop", null]}\n')
    assert said("--sample", str(file), code=2).startswith(
        "hailwhale: sample: got 'line 3'; expected an event as for import: pk: got"
    )


def test_a_store_that_does_not_answer_is_no_obstacle_to_an_estimate(
    said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HAILWHALE_REDIS_URL", "redis://127.0.0.1:1")
    text = said("--event", '{"pk": "Shop"}', "--events-per-day", "1")
    assert "compact up to 512 fields (the default, because the store does not answer)" in text


def test_how_far_the_store_packs_hashes_is_asked_of_it(
    said: Said, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with EmbeddedValkey(tmp_path / "data", fsync="no") as server:
        monkeypatch.setenv("HAILWHALE_REDIS_URL", server.url)
        client: Any = connect(server.url, 5)
        with closing(client):
            client.config_set("hash-max-listpack-entries", 10)
        text = said("--event", '{"pk": "Shop"}', "--events-per-day", "1")
    assert "compact up to 10 fields (hash-max-listpack-entries of the store)" in text
