"""Who came: uids are kept as keyed hashes alone, and counted as unions of days."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
import redis

from hailwhale.core.query.parameters import parse_plot, parse_rank, parse_totals
from hailwhale.core.time.calendar_grid import parse_zone
from hailwhale.errors import BadInput, StoreUnavailable
from hailwhale.services.container import Services
from hailwhale.services.ingest.visitor_ids import VisitorHasher
from hailwhale.services.json_shapes import ranking_json
from tests.conftest import NOW_S, Clock

DAY_S = 86_400
MakeServices = Callable[..., Services]


def uniques(
    services: Services,
    pk: object = "Shop",
    period: str = "all",
    metric: str = "uniques",
    dimension: object = "_",
    **more: object,
) -> Decimal:
    asked = {"pk": pk, "metric": metric, "period": period, "dimension": dimension, **more}
    [found] = services.reporting.totals(parse_totals(asked))
    [[number]] = [values.values() for values in found.by_path.values()]
    return number


def visit(services: Services, uid: str, at_s: int = NOW_S, **event: object) -> None:
    services.counting.count_now({"pk": "Shop", "uid": uid, "at": at_s, **event})


# Counting


@pytest.mark.parametrize("buffered", [False, True])
def test_a_visitor_counts_once_however_often_it_comes(services: Services, buffered: bool) -> None:
    events: list[dict[str, object]] = [
        {"pk": ["Shop", "7"], "dimensions": {"country": country}, "uid": uid}
        for uid, country in [("ann", "US"), ("ann", "US"), ("ann", "CA"), ("bob", "US")]
    ]
    if buffered:
        services.hail.count_many([*events, {"pk": "Shop"}])
        services.drain.flush()
    else:
        services.counting.count_many_now([*events, {"pk": "Shop"}])
    assert uniques(services) == uniques(services, period="1d:1d") == 2
    assert uniques(services, pk=["Shop", "7"]) == 2
    assert uniques(services, dimension=["country", "US"]) == 2
    assert uniques(services, dimension=["country", "CA"]) == 1
    assert uniques(services, metric="hits") == 5
    assert uniques(services, metric="hits/uniques") == 2.5
    assert uniques(services, pk="Blog") == 0


def test_events_without_a_uid_have_no_visitor(services: Services) -> None:
    services.counting.count_now({"pk": "Shop"})
    services.counting.count_now({"pk": "Shop", "uid": ""})
    assert uniques(services) == 0


def test_days_are_put_together_and_not_added_up(services: Services) -> None:
    for uid, days in [("ann", 0), ("ann", 1), ("bob", 1), ("ann", 9), ("cid", 400)]:
        visit(services, uid, NOW_S - days * DAY_S)
    assert uniques(services, period="1d:2d") == 2
    assert uniques(services, period="1d:1mo") == uniques(services, period="1w:4w") == 2
    assert uniques(services, period="1d:2026-03-06..2026-03-06") == 1
    assert uniques(services) == 3
    plot = parse_plot({"pk": "Shop", "metrics": ["uniques", "hits/uniques"], "period": "1d:3d"})
    points = services.reporting.plotpoints(plot).by_path[()]
    assert list(points["uniques"]) == [0, 2, 1]
    assert list(points["hits/uniques"]) == [0, 1, 1]


def test_a_total_of_days_takes_them_whole_whatever_its_width(services: Services) -> None:
    for uid, days in [("ann", 0), ("ann", 1), ("bob", 1), ("cid", 2)]:
        visit(services, uid, NOW_S - days * DAY_S, dimensions=uid)
    assert uniques(services, period="today") == 1
    assert uniques(services, period="yesterday") == 2
    assert uniques(services, period="1h:2026-03-13..2026-03-14") == 3
    rank = parse_rank({"pk": "Shop", "metric": "uniques", "period": "yesterday"})
    assert [row["value"] for row in ranking_json(services.ranking.rank(rank))] == [1, 1]
    plot = parse_plot({"pk": "Shop", "metric": "uniques", "period": "today"})
    with pytest.raises(BadInput, match="visitors are counted by day"):
        services.reporting.plotpoints(plot)


def test_a_day_no_longer_kept_counts_for_ever_only(services: Services) -> None:
    visit(services, "ann", NOW_S - 402 * DAY_S)
    assert uniques(services) == 1
    with pytest.raises(BadInput, match="whole days of the last 400 in UTC"):
        uniques(services, period="1d:2025-01-01..2025-12-31")


@pytest.mark.parametrize(
    "asked",
    [
        {"period": "1h:1d"},
        {"period": "5m:1h"},
        {"period": "1d:1w", "tz": "Asia/Tokyo"},
        {"period": "today", "tz": "Asia/Tokyo"},
    ],
)
def test_a_period_without_whole_days_is_refused(services: Services, asked: dict[str, str]) -> None:
    with pytest.raises(BadInput, match=r"^period: got 'uniques'; expected whole days"):
        uniques(services, **asked)


@pytest.mark.parametrize("metric", ["uniques:sum", "uniques:last", "hits/uniques:sum"])
def test_uniques_have_no_running_total(services: Services, metric: str) -> None:
    with pytest.raises(BadInput, match="they cannot be added up"):
        uniques(services, metric=metric)


def test_what_is_not_shown_of_uniques_is_not_added_up() -> None:
    with pytest.raises(BadInput, match=r"^other: "):
        parse_plot({"pk": "Shop", "metric": "hits/uniques", "depth": 1, "other": 1})


def test_no_event_may_give_uniques(services: Services) -> None:
    with pytest.raises(BadInput, match="uniques are counted from the uid of events"):
        services.counting.count_now({"pk": "Shop", "metrics": {"uniques": 5}})


def test_the_days_are_those_of_the_time_zone(make_services: MakeServices) -> None:
    services = make_services(zone=parse_zone("Asia/Tokyo", "tz"))
    midnight_s = NOW_S - NOW_S % DAY_S - 9 * 3600
    visit(services, "ann", midnight_s)
    visit(services, "ann", midnight_s - 1)
    plot = parse_plot({"pk": "Shop", "metric": "uniques", "period": "1d:2d"})
    points = services.reporting.plotpoints(plot).by_path[()]
    assert list(points["uniques"]) == [1, 1]


def test_children_are_ranked_by_their_visitors(services: Services) -> None:
    for uid, country in [("ann", "US"), ("bob", "US"), ("ann", "CA"), ("ann", "CA")]:
        visit(services, uid, dimensions={"country": country})
    question = {"pk": "Shop", "dimension": "country", "metrics": "uniques,hits", "period": "all"}
    rows = ranking_json(services.ranking.rank(parse_rank(question)))
    assert [(row["dimension"], row["value"], row["share"]) for row in rows] == [
        ('["country", "US"]', 2, 1),
        ('["country", "CA"]', 1, 0.5),
    ]
    plot = parse_plot({**question, "period": "1d:1d", "depth": 1, "threshold": 0.6})
    assert list(services.reporting.plotpoints(plot).by_path) == [("country",), ("country", "US")]


def test_many_children_are_ranked_by_their_visitors(services: Services) -> None:
    services.counting.count_many_now(
        [{"pk": "Shop", "dimensions": f"n{n}", "uid": f"u{n % 50}"} for n in range(250)]
        + [{"pk": "Shop", "dimensions": "n7", "uid": "other"}]
    )
    question = {"pk": "Shop", "metric": "uniques", "period": "1d:1mo", "limit": 2}
    first, second = ranking_json(services.ranking.rank(parse_rank(question)))
    assert (first["dimension"], first["value"], second["value"]) == ("n7", 2, 1)
    assert (
        47 <= (first["parent_value"] or 0) <= 51
    )  # an estimate: salts are random, hashes may collide


def test_labels_past_max_children_have_their_visitors_together(make_services: MakeServices) -> None:
    services = make_services(max_children=2)
    for uid, country in [("ann", "US"), ("bob", "CA"), ("cid", "DE"), ("dan", "FR"), ("cid", "IT")]:
        services.hail.count({"pk": "Shop", "uid": uid, "dimensions": {"country": country}})
    services.drain.flush()
    assert uniques(services, dimension=["country", "_other"]) == 2
    assert uniques(services, dimension="country") == 4


def test_many_visitors_are_off_by_little(services: Services) -> None:
    events: list[dict[str, object]] = [{"pk": "Shop", "uid": f"visitor {n}"} for n in range(20_000)]
    services.hail.count_many(events[:10_000])
    services.hail.count_many(events[5_000:])
    services.drain.flush()
    assert uniques(services) == pytest.approx(20_000, rel=0.04)  # five times the standard error
    assert uniques(services, metric="hits") == 25_000


def test_an_erased_pk_has_no_visitors(
    services: Services, client: redis.Redis, namespace: str
) -> None:
    visit(services, "ann", NOW_S - 5 * DAY_S, dimensions={"country": "US"})
    services.erasing.reset(("Shop",))
    assert uniques(services) == uniques(services, period="1d:1mo") == 0
    assert [key for key in client.keys(f"{namespace}:*") if b"visitors-" in key] == []


def test_decisions_count_visitors_of_options(
    services: Services, client: redis.Redis, namespace: str
) -> None:
    for uid in ("ann", "bob", "ann"):
        event = {"pk": "Page", "option": "a", "uid": uid, "dimensions": {"c": "US", "d": "x"}}
        services.exposing_now.count(event)
    assert uniques(services, pk=["Page", "a"]) == 2
    assert [key for key in client.keys(f"{namespace}:*visitors*") if b"_pairs" in key] == []


# Hashes


def test_no_uid_is_in_the_store(services: Services, client: Any, namespace: str) -> None:
    uid = "ann.smith@example.com"
    services.hail.count({"pk": "Shop", "uid": uid})
    found = [value for key in client.keys(f"{namespace}:*") for value in dump(client, key)]
    assert any(b"Shop" in value for value in found)
    services.drain.flush()
    visit(services, uid)
    found += [value for key in client.keys(f"{namespace}:*") for value in dump(client, key)]
    assert [value for value in found if b"smith" in value] == []


def dump(client: Any, key: bytes) -> list[bytes]:
    """A key and all that it holds."""
    read: dict[bytes, Callable[[], list[bytes]]] = {
        b"string": lambda: [client.get(key)],
        b"list": lambda: client.lrange(key, 0, -1),
        b"set": lambda: list(client.smembers(key)),
        b"hash": lambda: [part for pair in client.hgetall(key).items() for part in pair],
        b"zset": lambda: client.zrange(key, 0, -1),
    }
    return [key, *read[client.type(key)]()]


def make(services: Services, clock: Clock, key: str = "", days: int = 0) -> VisitorHasher:
    return VisitorHasher(services.store.secrets, key, days, clock)


def test_a_hash_is_the_same_in_every_process_and_another_in_every_store(
    make_services: MakeServices, clock: Clock
) -> None:
    services, other = make_services(), make_services(namespace="elsewhere")
    name = make(services, clock).name("ann")
    assert make(services, clock).name("ann") == name
    assert make(services, clock).name("bob") != name
    assert make(other, clock).name("ann") != name
    assert make(services, clock, "key").name("ann") != name
    assert len(name) == 12


def test_a_new_salt_makes_new_hashes_and_the_old_one_is_gone(
    services: Services, clock: Clock
) -> None:
    clock.now_s = 100 * 7 * DAY_S
    visitors = make(services, clock, days=7)
    before = visitors.name("ann")
    clock.now_s += 7 * DAY_S - 1
    assert visitors.name("ann") == before
    clock.now_s += 1
    after = visitors.name("ann")
    assert after != before
    assert make(services, clock, days=7).name("ann") == after
    clock.now_s -= 1
    assert make(services, clock, days=7).name("ann") != before


class _Away:
    def get(self, kind: str, names: list[str]) -> list[bytes]:
        raise StoreUnavailable("away")


def test_a_known_salt_is_enough_while_the_store_is_unavailable(
    services: Services, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitors = make(services, clock, days=1)
    visitors.name("ann")
    monkeypatch.setattr(visitors, "_secrets", _Away())
    clock.now_s += DAY_S
    visitors.name("ann")
    clock.now_s += DAY_S
    with pytest.raises(StoreUnavailable):
        visitors.name("ann")
