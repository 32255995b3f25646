"""Pages that tell people what to type are typed, block by block, and say what comes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.request import urlopen

import pytest

from hailwhale.settings import Settings
from tests.deploy.running import CLI, DEADLINE_S, ROOT, started, until
from tests.docs.blocks import Block, as_shown, blocks, commands, page
from tests.docs.reader import Reader

START = blocks(page("start.rst"))
GET_IT, SERVE = START[0], START[1]
_AT_PORT = r"unning on http://127.0.0.1:(\d+)"


@contextmanager
def reading(folder: Path) -> Iterator[Reader]:
    """Who has done the first two blocks of start.rst: the service runs as that page has it."""
    (folder / ".venv").symlink_to(sys.prefix)
    [serve] = commands(SERVE)
    # What pages ask stays far below the limits on questions.
    fifth = {
        "HAILWHALE_MAX_QUERY_CELLS": str(Settings().max_query_cells // 5),
        "HAILWHALE_MAX_DECISION_CELLS": str(Settings().max_decision_cells // 5),
    }
    variables = {"HAILWHALE_PORT": "0", **fifth}
    with started(command=["bash", "-c", serve.words], cwd=folder, variables=variables) as server:
        assert as_shown(serve.shown.replace("127.0.0.1:8085", "127.0.0.1:…"), server.said)
        yield Reader(folder, server)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """One for several pages, which count under pks of their own."""
    with reading(tmp_path_factory.mktemp("reader")) as found:
        yield found


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Reader]:
    """One for a page that counts what others count, too."""
    with reading(tmp_path) as found:
        yield found


def wrong(reader: Reader, todo: Iterable[Block]) -> list[str]:
    """What of these blocks is not as the page shows it."""
    return [each for block in todo for each in reader.does(block)]


@contextmanager
def running(command: Sequence[str], reader: Reader, ready: str) -> Iterator[str]:
    """What the page has in a terminal of its own: the port it says, when it says it is ready."""
    with subprocess.Popen(
        command,
        cwd=reader.folder,
        env=reader.environ(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            [port] = next(found for line in process.stdout if (found := re.findall(ready, line)))
            yield port
        finally:
            process.terminate()


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
    ("name", "skipped"),
    [
        ("start.rst", 2),
        *(
            (f"{name}.rst", 0)
            for name in ("cookbook", "http", "export", "import", "prometheus", "visitors")
        ),
    ],
)
def test_each_block_answers_as_the_page_shows(reader: Reader, name: str, skipped: int) -> None:
    todo = blocks(page(name))[skipped:]
    assert todo
    found = wrong(reader, todo)
    assert found == [], "\n\n".join(found)


def test_the_readme_goes_from_counting_to_a_graph(alone: Reader) -> None:
    readme = (ROOT / "README.rst").read_text(encoding="utf-8")
    install, *todo = blocks(readme)
    get_it, run = commands(install)
    assert (get_it.words, run.words) == (
        "git clone <this repository> hailwhale && cd hailwhale",
        "make run",
    )
    assert as_shown(run.shown.replace("127.0.0.1:8085", "127.0.0.1:…"), alone.server.said)
    assert [block.language for block in todo] == ["console", "console", "html", "html"]
    found = wrong(alone, todo)
    assert found == [], "\n\n".join(found)


def test_the_client_does_what_its_page_shows_in_one_session(reader: Reader) -> None:
    todo = blocks(page("client.rst"))
    assert {block.language for block in todo} == {"pycon"}
    session = Block("pycon", "\n".join(block.text for block in todo), todo[0].line)
    found = reader.does(session)
    assert found == [], "\n\n".join(found)


def test_access_logs_are_counted_as_their_page_shows(alone: Reader) -> None:
    found = wrong(alone, blocks(page("access-logs.rst")))
    assert found == [], "\n\n".join(found)


def test_statsd_is_counted_as_its_page_shows(alone: Reader) -> None:
    send, *ask = blocks(page("statsd.rst"))
    command = [*CLI, "statsd", "--udp", "127.0.0.1:0"]
    with running(command, alone, r"StatsD on UDP \S+:(\d+)") as port:
        there = replace(alone, elsewhere={"127.0.0.1/8125": f"127.0.0.1/{port}"})
        assert wrong(there, [send]) == []
        until(lambda: hits(alone, "web") == 100, "the timings to be counted")
        found = wrong(alone, ask)
    assert found == [], "\n\n".join(found)


def test_the_flask_app_of_the_page_is_counted(alone: Reader) -> None:
    todo = blocks(page("middleware.rst"))
    app, visit, ask, _ = todo
    (alone.folder / "shop.py").write_text(alone.here(app.text))
    command = [sys.executable, "-m", "flask", "--app", "shop", "run", "--port", "0"]
    with running(command, alone, _AT_PORT) as port:
        there = replace(alone, elsewhere={"localhost:5000": f"127.0.0.1:{port}"})
        assert wrong(there, [visit]) == []
        until(lambda: hits(alone, "Requests") == 2, "both requests to be counted")
        found = wrong(alone, [ask])
    assert found == [], "\n\n".join(found)


def test_the_fastapi_app_of_the_page_is_counted(alone: Reader) -> None:
    app = blocks(page("middleware.rst"))[-1]
    (alone.folder / "shop_async.py").write_text(alone.here(app.text))
    command = [sys.executable, "-m", "uvicorn", "shop_async:app", "--port", "0"]
    with running(command, alone, _AT_PORT) as port:
        with urlopen(f"http://127.0.0.1:{port}/products/7", timeout=DEADLINE_S) as answer:
            assert answer.read() == b'"Product 7"'
        until(lambda: hits(alone, "Requests") == 1, "the request to be counted")
    known = json.loads(alone.server.get("/subdimensions", pk="Requests", dimension="route"))
    assert known == {"route": ['["route", "/products/{number}"]']}


def hits(reader: Reader, root: str) -> int:
    """What is counted under a root."""
    reader.server.get("/flush_hail")
    return reader.server.hits(root)
