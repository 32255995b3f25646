"""/update_count_to: a count is made equal to a value, once, and its ancestors stay sums."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from hailwhale.services.container import Services
from hailwhale.web.apps import whale_app
from tests.web.client import FORM, Client
from tests.web.queries import total


def test_a_count_is_set_and_its_ancestors_get_the_difference(whale: Client) -> None:
    whale.get("/count", 'pk=["Queue","mail"]&dimensions={"host":"a"}&metrics={"jobs":5}')
    whale.get("/count", 'pk=["Queue","web"]&dimensions={"host":"b"}&metrics={"jobs":2}')
    set_to = 'pk=["Queue","mail"]&dimension=["host","a"]&metric={"jobs":12.5}'
    assert whale.get("/update_count_to", set_to).json == {"updated": True}
    jobs = {
        (pk, str(dimension)): float(total(whale, pk, "jobs", dimension))
        for pk in ('["Queue"]', '["Queue","mail"]', '["Queue","web"]')
        for dimension in ("_", "host", ["host", "a"], ["host", "b"])
    }
    assert jobs == {
        ('["Queue"]', "_"): 14.5,
        ('["Queue"]', "host"): 14.5,
        ('["Queue"]', "['host', 'a']"): 12.5,
        ('["Queue"]', "['host', 'b']"): 2,
        ('["Queue","mail"]', "_"): 12.5,
        ('["Queue","mail"]', "host"): 12.5,
        ('["Queue","mail"]', "['host', 'a']"): 12.5,
        ('["Queue","mail"]', "['host', 'b']"): 0,
        ('["Queue","web"]', "_"): 2,
        ('["Queue","web"]', "host"): 2,
        ('["Queue","web"]', "['host', 'a']"): 0,
        ('["Queue","web"]', "['host', 'b']"): 2,
    }


def test_setting_a_count_adds_no_hit(whale: Client) -> None:
    whale.get("/count", 'pk=Queue&metrics={"jobs":5}')
    whale.get("/update_count_to", 'pk=Queue&metrics={"jobs":12}')
    assert (total(whale, "Queue", "hits"), total(whale, "Queue", "jobs")) == (1, 12)


def test_hits_can_be_set_too(whale: Client) -> None:
    whale.get("/count", "pk=Queue")
    whale.get("/update_count_to", 'pk=Queue&metrics={"hits":100,"jobs":0.1}')
    assert (total(whale, "Queue", "hits"), total(whale, "Queue", "jobs")) == (100, Decimal("0.1"))


@pytest.mark.parametrize("value", ["12", "-3.25", "0", "0.00000000000000001", "123456789012345678"])
def test_setting_the_same_value_twice_counts_nothing_more(whale: Client, value: str) -> None:
    for _ in range(2):
        whale.get("/update_count_to", f'pk=Queue&metrics={{"jobs":{value}}}')
        assert total(whale, "Queue", "jobs", period="hour") == total(whale, "Queue", "jobs")
        assert format(total(whale, "Queue", "jobs"), "f") == value


def test_setting_a_count_counts_what_is_buffered_first(whale: Client, hail: Client) -> None:
    hail.get("/count", 'pk=Queue&metrics={"jobs":5}')
    whale.get("/update_count_to", 'pk=Queue&metrics={"jobs":12}')
    assert total(whale, "Queue", "jobs") == 12
    assert total(whale, "Queue", "hits") == 1


def test_setting_a_count_by_post(whale: Client) -> None:
    fields = {"pk": "Queue", "dimensions": {"host": "a"}, "metrics": {"jobs": 7}}
    assert whale.post("/update_count_to", fields).status == 200
    assert whale.post("/update_count_to", 'pk=Queue&metrics={"done":1}', FORM).status == 200
    assert total(whale, "Queue", "jobs", ["host", "a"]) == 7
    assert total(whale, "Queue", "done") == 1


def test_a_count_is_set_now_whenever_it_was_counted(whale: Client) -> None:
    whale.get("/count", 'pk=Queue&metrics={"jobs":5}&at=2026-03-14T12:00:00Z')
    whale.get("/update_count_to", 'pk=Queue&metrics={"jobs":12}')
    assert total(whale, "Queue", "jobs", period="yesterday") == 5
    assert total(whale, "Queue", "jobs", period="today") == 7


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("pk=Queue", "metrics"),
        ("pk=Queue&metrics={}", "metrics"),
        ('pk=Queue&metrics={"jobs":"many"}', "metrics"),
        ('pk=Queue&metrics={"jobs":1}&at=2026-03-15', "at"),
        ('pk=Queue&metrics={"jobs":1}&id=a', "id"),
        ('pk=Queue&metrics={"jobs":1}&dimensions=[["a"],["b"]]', "dimensions"),
        ('pk=Queue&metrics={"jobs":1}&dimensions={"a":"x","b":"y"}', "dimensions"),
        ('pk=Queue&metrics={"jobs":1}&value=2', "value"),
    ],
)
def test_an_invalid_total_is_refused(whale: Client, query: str, parameter: str) -> None:
    answer = whale.get("/update_count_to", query)
    assert (answer.status, answer.error["parameter"]) == (400, parameter)
    assert total(whale, "Queue", "jobs") == 0


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ('pk=["Queue","c"]&metrics={"jobs":1}', "pk"),
        ('pk=Queue&dimension=c&metrics={"jobs":1}', "dimensions"),
    ],
)
def test_a_label_past_max_children_cannot_be_set(
    make_services: Callable[..., Services], query: str, parameter: str
) -> None:
    whale = Client(whale_app(make_services(max_children=2)))
    for label in "ab":
        whale.post("/count", {"pk": ["Queue", label], "dimension": label})
    for _ in range(2):
        answer = whale.get("/update_count_to", query)
        assert (answer.status, answer.error["parameter"]) == (400, parameter)
    assert total(whale, "Queue", "jobs") == 0
