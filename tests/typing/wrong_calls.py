"""Calls that are wrong, each with the code of the error that mypy --strict has to find there."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, assert_type

from hailwhale import AsyncClient, Client, Hail, Period, Queries, Whale
from hailwhale.types import GraphOptions, RankRow

if TYPE_CHECKING:
    from hailwhale import Wale  # E: attr-defined


def wrong(client: Client, awaited: AsyncClient) -> None:
    Whale.count_now({"pk": "Shop"})  # E: arg-type
    Whale.count_now("Shop", metrics={"dollars": None})  # E: dict-item
    Whale.count_now("Shop", metrcis={"dollars": 1})  # E: call-arg
    Whale.count_now("Shop", at=timedelta(hours=1))  # E: arg-type
    Hail.count("Shop", id=1.5)  # E: arg-type
    client.count("Shop", metrics=7)  # E: arg-type
    awaited.count(["Shop", None])  # E: list-item
    Whale.totals("Shop", period=7)  # E: arg-type
    Whale.totals("Shop", metrics={"dollars": 1})  # E: arg-type
    Whale.totals("Shop", period="today").upper()  # E: attr-defined
    client.total("Shop", period=["1d:1w", "1d:1mo"])  # E: arg-type
    client.today("Shop", object())  # E: arg-type
    Whale.plotpoints("Shop", depth="1")  # E: arg-type
    Whale.rank("Shop", by="beauty")  # E: arg-type
    client.rank("Shop", of="dimension")  # E: arg-type
    Whale.decide("Page", ["a"], by_metric="earned", goal="most")  # E: call-overload
    assert_type(client.decide("Page", ["a"], by_metric="earned"), list[str])  # E: assert-type
    Whale.decide("Page", ["a"], by_metric="earned", slots=2).upper()  # E: attr-defined
    Whale.reset()  # E: call-arg
    Whale.graph_tag("Shop", colour="red")  # E: call-arg
    Whale.sealed_graph_url("Shop", hwurl="/hw")  # E: call-arg
    Whale.pixel_url("Shop", expires=30)  # E: arg-type
    Period.parse(7)  # E: arg-type
    awaited.totals("Shop")["today"]  # E: index
    client.spy("Shop")[0]["when"]  # E: typeddict-item
    look: GraphOptions = {"view": "pie"}  # E: typeddict-item
    row: RankRow = {"value": 1}  # E: typeddict-item
    source: Queries = Hail()  # E: assignment
    Wale.close()
