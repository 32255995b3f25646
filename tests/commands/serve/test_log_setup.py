"""Lines of the log: one a record, as text or JSON, with the request's id and what belongs to it."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator

import pytest

from hailwhale.commands.serve.log_setup import JsonLines, TextLines
from hailwhale.web.plugins.request_log import request_id

ATTACK = "bad\nERROR: all is lost\r\x1b[31m\u2028end"


@pytest.fixture(autouse=True)
def _in_a_request() -> Iterator[None]:
    token = request_id.set("ab-1")
    yield
    request_id.reset(token)


def record(message: str, **extra: object) -> logging.LogRecord:
    made = logging.LogRecord("hailwhale.web", logging.WARNING, __file__, 1, message, (), None)
    vars(made).update(extra)
    return made


def test_a_line_for_a_person_has_the_message_and_what_belongs_to_it() -> None:
    line = TextLines().format(record("slow", shown={"ms": 12}))
    assert line.endswith("WARNING: slow ms=12 request=ab-1")


def test_a_line_for_a_machine_is_an_object() -> None:
    entry = json.loads(JsonLines().format(record("slow", shown={"ms": 12})))
    assert entry["message"] == "slow"
    assert (entry["level"], entry["logger"], entry["ms"]) == ("warning", "hailwhale.web", 12)
    assert entry["request"] == "ab-1"


@pytest.mark.parametrize("formatter", [TextLines(), JsonLines()], ids=["text", "json"])
def test_no_message_can_write_a_line_of_its_own(formatter: logging.Formatter) -> None:
    line = formatter.format(record(ATTACK, shown={"client": ATTACK}))
    assert line.isprintable()


def test_a_traceback_is_in_the_object() -> None:
    try:
        raise ValueError("no")
    except ValueError:
        made = record("failed", exc_info=sys.exc_info())
    entry = json.loads(JsonLines().format(made))
    assert "ValueError: no" in entry["traceback"]
    assert "ValueError: no" in TextLines().format(made)
