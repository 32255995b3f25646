"""Open a store that an earlier commit wrote, and answer as that commit did.

Each folder of `stores` holds a data directory and the answers of its commit. The answers were taken
from the store as it was left, after a drain, after more events were counted and unfinished steps
were completed, and later. README.rst there says how the folders were made.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import redis
import simplejson

from hailwhale.store.embedded import EmbeddedValkey
from hailwhale.store.redis.client import connect
from tests.deploy.running import environ
from tests.stored import steps
from tests.stored.events import CLOCK_S
from tests.stored.questions import IMPORT
from tests.stored.steps import Step, dumped

TIMEOUT_S = 600
_ROUNDED = 1e-6  # of what floats work out: the last digits differ from machine to machine

Line = Mapping[str, Any]


def lines_of(folder: Path) -> list[Line]:
    """The lines of a story."""
    text = (folder / "story.ndjson").read_text(encoding="utf-8")
    return [simplejson.loads(line, use_decimal=True) for line in text.splitlines()]


FOLDERS = sorted(path.parent for path in Path(__file__).parent.glob("stores/*/story.ndjson"))
REFUSED = [folder for folder in FOLDERS if "refused" in lines_of(folder)[0]]
OPENED = [folder for folder in FOLDERS if folder not in REFUSED]


class Story:
    """A stored store, unpacked, and what was recorded of it."""

    def __init__(self, folder: Path, place: Path) -> None:
        self.head, *self.lines = lines_of(folder)
        with tarfile.open(folder / "store.tar.xz") as archive:
            archive.extractall(place, filter="data")
        self.data, self.files = place / "data", place / "files"
        with self.server() as client, client.pipeline(transaction=False) as pipeline:
            # Keys live as long after now as they had to live after the clock of the story.
            for key, ttl_s in json.loads((self.data / "expiries.json").read_text()).items():
                pipeline.expire(key, ttl_s)
            assert all(pipeline.execute())
            # Ids are as old on the server's clock as they were on the clock of the story.
            for key in client.scan_iter("hw:*:ids:*", _type="zset"):
                ids: list[bytes] = client.execute_command("ZRANGE", key, 0, -1)
                for id in ids:
                    client.zincrby(key, int(time.time()) - CLOCK_S, id)

    @contextmanager
    def server(self) -> Iterator[redis.Redis]:
        """The server on the data, to look into while nobody else has it."""
        with EmbeddedValkey(self.data) as server, closing(connect(server.url, 10)) as client:
            yield client
            client.connection_pool.disconnect()

    def content(self) -> dict[bytes, Any]:
        """All that is in the store, by key."""
        words: dict[bytes, tuple[Any, ...]] = {
            b"string": ("GET",),
            b"hash": ("HGETALL",),
            b"set": ("SMEMBERS",),
            b"list": ("LRANGE", 0, -1),
            b"zset": ("ZRANGE", 0, -1, "WITHSCORES"),
        }
        with self.server() as client, client.pipeline(transaction=False) as pipeline:
            keys = client.execute_command("KEYS", "*")
            for key in keys:
                pipeline.execute_command("TYPE", key)
            kinds = pipeline.execute()
            for key, kind in zip(keys, kinds, strict=True):
                name, *rest = words[kind]
                pipeline.execute_command(name, key, *rest)
            return dict(zip(keys, pipeline.execute(), strict=True))

    def phases(self) -> Iterator[tuple[Line, list[Line]]]:
        """Each phase with its steps."""
        starts = [n for n, line in enumerate(self.lines) if "clock_s" in line]
        for start, end in zip(starts, [*starts[1:], len(self.lines)], strict=True):
            yield self.lines[start], self.lines[start + 1 : end]

    def performed(self, clock_s: int, asked: Sequence[Step]) -> tuple[list[Any], list[Any]]:
        """What comes of steps now, and the webhooks meanwhile."""
        order = dumped({"clock_s": clock_s, "steps": asked}).replace("{data}", str(self.data))
        process = subprocess.run(
            [sys.executable, steps.__file__],
            input=order,
            env=environ(**self.head["environ"], HAILWHALE_DATA_DIR=str(self.data)),
            cwd=self.files,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        assert process.returncode == 0, process.stderr
        found = simplejson.loads(process.stdout, use_decimal=True)
        return found["answers"], found["hooks"]


def name(folder: Path) -> str:
    return folder.name


def test_there_are_stores_of_both_kinds() -> None:
    assert len(OPENED) >= 6
    assert len(REFUSED) >= 4


@pytest.mark.parametrize("folder", OPENED, ids=name)
def test_a_store_of_an_earlier_commit_answers_as_it_did_there(folder: Path, tmp_path: Path) -> None:
    story = Story(folder, tmp_path)
    for phase, lines in story.phases():
        asked = [line["step"] for line in lines]
        came, hooks = story.performed(int(phase["clock_s"]), asked)
        wrong = [
            f"{dumped(line['step'])}\nthen {dumped(line['answer'])}\nnow  {dumped(answer)}"
            for line, answer in zip(lines, came, strict=True)
            if not comparable(line["step"], answer, line["answer"])
        ]
        assert not wrong, f"{phase['name']}:\n" + "\n\n".join(wrong)
        assert hooks == phase["hooks"], phase["name"]


@pytest.mark.parametrize("folder", REFUSED, ids=name)
def test_a_store_that_is_not_read_is_refused_with_what_to_do_and_stays_as_it_is(
    folder: Path, tmp_path: Path
) -> None:
    story = Story(folder, tmp_path)
    before = story.content()
    asked: list[Step] = [
        {"get": "/totals", "query": {"pk": "Shop"}},
        {"post": "/count", "body": {"pk": "Shop"}},
        {"run": ["drain", "--once"]},
        {"run": IMPORT},
    ]
    (question, count, *runs), _ = story.performed(CLOCK_S, asked)
    for answer in (question, count):
        assert answer["status"] == 503
        assert story.head["refused"] in answer["json"]["error"]["message"]
    for run in runs:
        assert run["code"] not in (0, None)
        assert story.head["refused"] in run["err"]
    assert story.content() == before


def comparable(step: Step, now: Any, then: Any) -> bool:
    """Whether an answer is the recorded one, as exactly as the step says."""
    if "run" in step:
        return _same_run(
            step.get("look", "lines" if "--json" in step["run"] else "code"), now, then
        )
    look = step.get("look", "exact")
    if look == "status":
        return bool(now["status"] == then["status"])
    if look == "option":
        return bool(now["json"]["option"] == then["json"]["option"])
    return has(now, then) if look == "part" else bool(now == then)


def _same_run(look: str, now: Any, then: Any) -> bool:
    if now["code"] != then["code"]:
        return False
    if look == "names":
        return [line.split() for line in now["out"].splitlines()[1:]] == [
            line.split() for line in then["out"].splitlines()[1:]
        ]
    return look == "code" or json.loads(f"[{','.join(now['out'].splitlines())}]") == json.loads(
        f"[{','.join(then['out'].splitlines())}]"
    )


def has(now: Any, then: Any) -> bool:
    """Whether all that was answered then is answered now; there may be more, in other words."""
    if isinstance(then, Mapping):
        return isinstance(now, Mapping) and all(
            name in now and has(now[name], value)
            for name, value in then.items()
            if name != "reason"
        )
    if isinstance(then, list):
        return len(now) == len(then) and all(map(has, now, then))
    if isinstance(then, Decimal):
        return math.isclose(now, then, rel_tol=_ROUNDED)
    return bool(now == then)
