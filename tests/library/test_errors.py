"""Errors go through pickle, copies and process pools, with all that they say."""

from __future__ import annotations

import copy
import pickle
import pkgutil
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from multiprocessing import get_context
from typing import Any

import pytest

import hailwhale
from hailwhale.errors import (
    BadInput,
    BadSeal,
    BadSetting,
    BufferFull,
    DamagedData,
    DataDirInUse,
    HailWhaleError,
    NotAllowed,
    NotYours,
    StoreMismatch,
    StoreUnavailable,
    TooLarge,
    TooMany,
)

ERRORS: list[tuple[HailWhaleError, dict[str, object]]] = [
    (HailWhaleError("no such path"), {}),
    (
        BadInput("period", "5x", "one such as 1d:1mo"),
        {
            "parameter": "period",
            "expected": "one such as 1d:1mo",
            "message": "got '5x'; expected one such as 1d:1mo",
        },
    ),
    (
        BadInput.from_message("period", "got '5x; expected 1'; expected 1d:1mo"),
        {
            "parameter": "period",
            "expected": "1d:1mo",
            "message": "got '5x; expected 1'; expected 1d:1mo",
        },
    ),
    (TooLarge("body", "9 bytes", "at most 8"), {"parameter": "body", "expected": "at most 8"}),
    (NotYours("pk", "Shop", "a pk under Blog"), {"parameter": "pk"}),
    (
        NotAllowed("no token", token_shown=False, reason="scope"),
        {"token_shown": False, "reason": "scope"},
    ),
    (BadSeal("expired", "seal-expired"), {"token_shown": True, "reason": "seal-expired"}),
    (TooMany("slow down", 7), {"retry_after_s": 7}),
    (StoreUnavailable("away"), {}),
    (BufferFull("full"), {}),
    (StoreMismatch("other rollups"), {}),
    (DamagedData("a line"), {}),
    (DataDirInUse("in use"), {}),
    (BadSetting("HAILWHALE_PORT: got 'x'"), {}),
]


def _pickled(error: HailWhaleError) -> Any:
    return pickle.loads(pickle.dumps(error))  # noqa: S301 - our own


def _through_a_pool(error: HailWhaleError) -> Any:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        with pytest.raises(type(error)) as raised:
            pool.submit(fail, error).result()
        assert pool.submit(len, "alive").result() == 5
    return raised.value


def fail(error: HailWhaleError) -> None:
    raise error


def _kinds(kind: type[HailWhaleError]) -> Iterator[type[HailWhaleError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _kinds(below)


@pytest.mark.parametrize("way", [_pickled, copy.copy, copy.deepcopy])
@pytest.mark.parametrize(("error", "attributes"), ERRORS)
def test_an_error_comes_back_as_it_was(
    way: Callable[[HailWhaleError], Any], error: HailWhaleError, attributes: dict[str, object]
) -> None:
    back = way(error)
    assert type(back) is type(error)
    assert (str(back), back.args) == (str(error), error.args)
    assert vars(back) == vars(error)
    assert {name: getattr(back, name) for name in attributes} == attributes


def test_a_process_pool_hands_errors_on_and_lives() -> None:
    error = BadInput("period", "5x", "one such as 1d:1mo")
    assert vars(_through_a_pool(error)) == vars(error)


def test_what_is_noted_on_an_error_goes_along() -> None:
    error = BadInput("pk", None, "a label")
    error.add_note("in line 7 of the file")
    assert _pickled(error).__notes__ == ["in line 7 of the file"]


def test_every_error_is_in_the_table() -> None:
    for module in pkgutil.walk_packages(hailwhale.__path__, "hailwhale."):
        if ".contrib.django" not in module.name:
            import_module(module.name)
    ours = {kind for kind in _kinds(HailWhaleError) if kind.__module__.startswith("hailwhale")}
    assert ours == {type(error) for error, _ in ERRORS}
