"""A rollup is added while processes with the shorter list still run."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event

import pytest

from hailwhale.core.time.rollups import parse_rollups
from hailwhale.errors import StoreMismatch
from hailwhale.services.container import Services
from hailwhale.web.apps import whale_app
from tests.conftest import Clock
from tests.web.client import Client

OLD, NEW = "1h:35d,1d:3y", "1m:2h,1h:35d,1d:3y"
MakeServices = Callable[..., Services]


def hits_by(services: Services, period: str) -> object:
    answer = Client(whale_app(services)).get(
        "/totals", {"pk": "Shop", "metrics": "hits", "period": period}
    )
    assert answer.status == 200, answer.text
    return answer.json[period]["_"]["hits"]


def test_what_processes_with_the_old_list_accept_reaches_the_new_rollup(
    make_services: MakeServices, clock: Clock
) -> None:
    old = make_services(rollups=parse_rollups(OLD))
    old.hail.count({"pk": "Shop"})
    old.drain.flush()
    new = make_services(rollups=parse_rollups(NEW))
    clock.now_s += 600
    for services in (old, new):  # both buffer hits
        services.hail.count({"pk": "Shop"})
    with pytest.raises(StoreMismatch, match=f"set HAILWHALE_ROLLUPS={OLD},all,1m:2h"):
        old.drain.run(Event(), idle_s=0)
    assert new.drain.flush() == 2
    assert hits_by(new, "1m:5m") == 2
    assert hits_by(new, "1h:1d") == 3
    assert hits_by(old, "1h:1d") == 3  # it may go on reading


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/count_now", {"pk": "Shop"}),
        ("/update_count_to", {"pk": "Shop", "metrics": {"stock": 3}}),
        ("/reset", {"pk": "Shop"}),
    ],
)
def test_a_whale_with_the_old_list_refuses_to_write(
    make_services: MakeServices, path: str, fields: dict[str, object]
) -> None:
    old = Client(whale_app(make_services(rollups=parse_rollups(OLD))))
    new = make_services(rollups=parse_rollups(NEW))
    new.counting.count_now({"pk": "Shop"})
    answer = old.post(path, fields)
    assert answer.status == 503
    assert f"set HAILWHALE_ROLLUPS={OLD},all,1m:2h" in answer.error["message"]
    assert hits_by(new, "today") == 1
