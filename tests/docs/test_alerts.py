"""The rules file of docs/alerts.rst is understood, and every key of a rule stands on that page."""

from __future__ import annotations

import re
import textwrap
import tomllib
from decimal import Decimal
from pathlib import Path

import pytest

from hailwhale.core.alerts import rules
from hailwhale.core.alerts.rules import parse_rules

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "alerts.rst").read_text()


def test_the_file_of_the_page_is_understood() -> None:
    [text] = re.findall(r"::\n\n(    every = .*?)\n\nTo try it", PAGE, re.DOTALL)
    found = parse_rules(tomllib.loads(textwrap.dedent(text), parse_float=Decimal))
    assert [alert.name for alert in found.alerts] == ["errors", "US revenue fell"]
    assert (found.alerts[1].word, int(found.alerts[1].bound)) == ("falls_by", 30)
    assert [report.name for report in found.reports] == ["The shop, every Monday"]


@pytest.mark.parametrize(
    "key", sorted({*rules._ALERT_KEYS, *rules._REPORT_KEYS, *rules._MAIL_KEYS, *rules._FILE_KEYS})
)
def test_every_key_is_documented(key: str) -> None:
    assert re.search(rf"``{key}``|\[+{key}\]+|^    {key} = ", PAGE, re.MULTILINE), key
