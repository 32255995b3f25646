"""Pages that tell people what to type are typed, block by block, and say what comes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.deploy.running import DEADLINE_S, ROOT, started
from tests.docs.blocks import as_shown, blocks, commands, page
from tests.docs.reader import Reader

START = blocks(page("start.rst"))
GET_IT, SERVE = START[0], START[1]


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """Who has done the first two blocks of start.rst: the service runs as that page has it."""
    folder = tmp_path_factory.mktemp("reader")
    (folder / ".venv").symlink_to(sys.prefix)
    [serve] = commands(SERVE)
    port = {"HAILWHALE_PORT": "0"}
    with started(command=["bash", "-c", serve.words], cwd=folder, variables=port) as server:
        assert as_shown(serve.shown.replace("127.0.0.1:8085", "127.0.0.1:…"), server.said)
        yield Reader(folder, server)


def test_what_the_start_page_installs_is_what_make_installs() -> None:
    typed = [command.words for command in commands(GET_IT)]
    assert typed == ["git clone <this repository> hailwhale", "cd hailwhale", "make install"]
    dry = subprocess.run(
        ["make", "--dry-run", "--always-make", "install"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=True,
    )
    assert ".venv/bin/pip install" in dry.stdout


@pytest.mark.parametrize(
    ("name", "skipped"), [("start.rst", 2), ("cookbook.rst", 0), ("http.rst", 0)]
)
def test_each_block_answers_as_the_page_shows(reader: Reader, name: str, skipped: int) -> None:
    todo = blocks(page(name))[skipped:]
    assert todo
    wrong = [each for block in todo for each in reader.does(block)]
    assert wrong == [], "\n\n".join(wrong)
