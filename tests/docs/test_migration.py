"""The page for those who come from elsewhere: its commands are typed, its histories counted."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hailwhale.cli import parser
from hailwhale.store.embedded import EmbeddedValkey
from hailwhale.store.redis.client import connect
from tests.deploy.running import started
from tests.docs.blocks import blocks, page
from tests.docs.reader import Reader

PAGE = page("migration.rst")
ORIGINAL_URL = "redis://localhost:6379/0"

# What the page has the HailWhale of 2011 hold.
ORIGINAL = {
    "Shop||_||1d||dollars": {"Sat Nov 01 00:00:00 2025": 1000, "Sun Nov 02 00:00:00 2025": 2000},
    'Shop||["country", "US"]||1d||dollars': {"Sun Nov 02 00:00:00 2025": 2000},
}


@pytest.fixture(scope="module")
def original_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with EmbeddedValkey(tmp_path_factory.mktemp("original"), fsync="no") as server:
        client = connect(server.url, timeout_s=10)
        for key, fields in ORIGINAL.items():
            for field, value in fields.items():
                client.hset(key, field, str(value))
        yield server.url
        client.close()
        client.connection_pool.disconnect()


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    folder = tmp_path_factory.mktemp("migrant")
    (folder / ".venv").symlink_to(sys.prefix)
    command = [".venv/bin/hailwhale", "serve"]
    with started(command=command, cwd=folder, variables={"HAILWHALE_PORT": "0"}) as server:
        yield Reader(folder, server)


def test_each_block_answers_as_the_page_shows(reader: Reader, original_url: str) -> None:
    todo = blocks(PAGE)
    assert len(todo) == 4
    wrong: list[str] = []
    for block in todo:
        wrong += reader.does(replace(block, text=block.text.replace(ORIGINAL_URL, original_url)))
    assert wrong == [], "\n\n".join(wrong)


def test_every_other_command_line_is_one() -> None:
    lines = re.findall(r"^ +hailwhale (.+)$", PAGE, re.MULTILINE)
    assert lines == ["statsd --udp 127.0.0.1:8126"]
    assert parser().parse_args(shlex.split(lines[0])).command == "statsd"


def test_every_page_and_setting_it_names_is_there() -> None:
    docs = Path(__file__).parents[2] / "docs"
    pages = set(re.findall(r":doc:`([\w-]+)`", PAGE))
    assert pages
    assert {name for name in pages if not (docs / f"{name}.rst").is_file()} == set()
