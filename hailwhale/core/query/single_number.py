"""Queries whose answer is one number: one metric over one period at one dimension.

Shared by the library and the clients, so that both raise the same errors. Runs no query.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from hailwhale.core.numbers import Number
from hailwhale.core.time.period import DEFAULT
from hailwhale.core.time.period_text import plain_arguments
from hailwhale.errors import BadInput

V = TypeVar("V")


def single_question(**arguments: object) -> dict[str, object]:
    """Collect the arguments of a totals query; without a period it covers the default one.

    >>> single_question(pk="Shop", metric="dollars", period=None)
    {'pk': 'Shop', 'metric': 'dollars', 'period': '1d:1mo'}
    """
    question = plain_arguments(**arguments)
    if not {"period", "periods"} & question.keys():
        question["period"] = DEFAULT
    return question


def single_number(totals: Mapping[str, Mapping[str, Mapping[str, Number]]]) -> Number:
    """Return the only number of an answer; raise `BadInput` naming what there are several of.

    >>> single_number({"1d:1mo": {"_": {"hits": 3}}})
    3
    >>> single_number({"1d:1mo": {"_": {"hits": 3, "dollars": 8}}})
    Traceback (most recent call last):
    ...
    hailwhale.errors.BadInput: metric: got 'hits, dollars'; expected one metric
    """
    [by_dimension] = _only(totals, "period").values()
    [by_metric] = _only(by_dimension, "dimension").values()
    [number] = _only(by_metric, "metric").values()
    return number


def _only(values: Mapping[str, V], parameter: str) -> Mapping[str, V]:
    if len(values) != 1:
        raise BadInput(parameter, ", ".join(values), f"one {parameter}")
    return values
