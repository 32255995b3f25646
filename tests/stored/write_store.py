"""Write a store as one commit leaves it, and the answers that this commit gives to questions of it.

    git worktree add --detach /tmp/earlier 59d79c3
    python -m tests.stored.write_store --code /tmp/earlier tests/stored/stores/59d79c3

The store is made through public interfaces, except for what only a crash or a bug leaves behind.
Examples are a plan that was not applied, half a block of an import, or bytes in the buffer that are
not a hit. Steps
with commands, routes or variables that the commit does not have are left out, and listed.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import redis
import simplejson

from tests.stored import events, questions, steps
from tests.stored.steps import Step, dumped

ENVIRON = {
    "HAILWHALE_TIMEZONE": "America/New_York",
    "HAILWHALE_ROLLUPS": "1m:2h,10m:2d,1h:35d,1d:3y,1mo:10y,all",
    "HAILWHALE_MAX_CHILDREN": str(events.MAX_CHILDREN),
    "HAILWHALE_ADMIN_TOKEN": steps.ADMIN,
    "HAILWHALE_READY_LAG": "0",
}
NO_HIT = b"no hit"
_POLL_S = 0.02
# Of the import's first block nine rows with ids and three shards; of its second two and one.
_COMMITS_BEFORE_KILL = 9 + 3 + 2 + 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the folder of one commit."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--code", type=Path, required=True, help="work tree of the commit")
    parser.add_argument("--drained", action="store_true", help="leave nothing waiting")
    parser.add_argument("--no-import", action="store_true", help="leave no import half done")
    parser.add_argument(
        "--refused", metavar="WORDS", help="record what a refusal says in place of answers"
    )
    parser.add_argument("folder", type=Path, help="where to put store.tar.xz and story.ndjson")
    args = parser.parse_args(arguments)
    code = args.code.resolve()
    folder = args.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="stored") as place:
        writer = Writer(code, Path(place))
        writer.make(drained=args.drained, imports=not args.no_import)
        head = {
            "commit": _output(code, "git", "rev-parse", "HEAD"),
            "subject": _output(code, "git", "log", "-1", "--format=%s"),
            "environ": writer.environ,
        }
        refused = [{**head, "refused": args.refused}]
        story = refused if args.refused else [head, *writer.record()]
        writer.pack(folder / "store.tar.xz")
    (folder / "story.ndjson").write_text("".join(dumped(line) + "\n" for line in story))
    print("not known to this commit:", *sorted(writer.unknown), sep="\n  ")
    return 0


class Writer:
    """One store being written by the code of one commit, below `place`."""

    def __init__(self, code: Path, place: Path) -> None:
        self.code = code
        self.data, self.cwd = place / "data", place / "files"
        self.cwd.mkdir()
        self.unknown: set[str] = set()
        known = "".join(
            path.read_text() for path in code.glob("hailwhale/*.py") if "setting" in path.name
        )
        self.environ = {name: text for name, text in ENVIRON.items() if f'"{name}"' in known}
        self.unknown |= ENVIRON.keys() - self.environ.keys()
        self.pixel, self.token = "", ""

    def make(self, *, drained: bool, imports: bool) -> None:
        """Leave a store behind, with all that can wait in one, or nothing."""
        with gzip.GzipFile(self.cwd / "rows.ndjson.gz", "wb", mtime=0) as file:
            file.write("".join(events.import_rows()).encode())
        (self.cwd / "access.log").write_text(events.log_lines(0, 30))
        (self.cwd / "rules.toml").write_text(questions.RULES)
        made = self.perform(events.CLOCK_S, [*self._counted(), *self._views()])
        self.token = _found(r"hw_\S+", made, "tokens")
        self.pixel = _found(r"/pixel/\S+", made, "pixel")
        self.perform(events.CLOCK_S, [{"get": self.pixel}] if self.pixel else [])
        if imports:
            self._crash("commit", _COMMITS_BEFORE_KILL, [{"run": questions.IMPORT}])
        self.perform(events.CLOCK_S, [_post("/count", events.planned(), "hail")])
        self._crash("apply_next", 1, [{"post": "/flush_hail", "body": {}}])
        with self._server() as client:
            assert client.llen(f"hw:{{{shard_of('Planned')}}}:plan") > 1
        self.perform(events.CLOCK_S, [_post("/count", events.buffered(), "hail")])
        if list(self.code.glob("hailwhale/services/**/spool*.py")):
            away = {"HAILWHALE_REDIS_URL": f"unix://{self.data}/away.sock"}
            hits = [_post("/count", [event], "hail") for event in events.spooled()]
            self.perform(events.CLOCK_S, hits, away)
        else:
            self.unknown.add("spool")
        if drained:
            self.perform(events.CLOCK_S, questions.flush())

    def _counted(self) -> Iterator[Step]:
        yield {"get": "/pks"}
        for batch in (events.shop(), events.wide(), events.narrow(), events.visits()):
            yield _post("/count", batch, "hail")
        for batch in (events.exact(), events.orders(0, 6), events.timings()):
            yield _post("/count", batch, "hail")
        yield _post("/count", [{"pk": "Watched", "metrics": {"hits": 4}}])
        yield {"flush with": NO_HIT}
        yield {"post": "/flush_hail", "body": {}}
        for jobs in (12, 7):
            yield {"post": "/update_count_to", "body": {"pk": "Queue", "metrics": {"jobs": jobs}}}
        yield {"post": "/count_decision", "body": events.lines(events.exposures())}
        yield from (questions.decide(f"v{n}", log=1) for n in range(6))
        yield {"run": ["keys", "new"]}
        yield {"run": ["pixel", "--pk", "Signup", "--metrics", '{"dollars": 5}', "--once"]}
        yield {"run": ["tokens", "add", "acme", "--scope", "read", "--root", "Shop"]}
        yield {"run": questions.TAIL}
        yield {"run": questions.ALERTS}

    def _views(self) -> Iterator[Step]:
        yield from (step for step in questions.questions() if "sku" in str(step))

    def record(self) -> list[dict[str, Any]]:
        """Perform the phases on a copy of the store: a line a phase, then one for each step."""
        recorded: list[dict[str, Any]] = []
        left = self.data, self.cwd
        with tempfile.TemporaryDirectory(prefix="stored") as place:
            self.data, self.cwd = Path(place, "data"), Path(place, "files")
            for here, there in zip(left, (self.data, self.cwd), strict=True):
                shutil.copytree(here, there, ignore=shutil.ignore_patterns("*.sock"))
            for phase in questions.phases(self.pixel, self.token):
                asked = [step for step in phase["steps"] if step.get("look") != "skip"]
                came, hooks = self._performed(phase["clock_s"], asked, {})
                pairs = [
                    (step, answer)
                    for step, answer in zip(asked, came, strict=True)
                    if self._knows(step, answer)
                ]
                recorded.append({k: v for k, v in phase.items() if k != "steps"} | {"hooks": hooks})
                recorded += [{"step": step, "answer": answer} for step, answer in pairs]
        self.data, self.cwd = left
        return recorded

    def _knows(self, step: Step, answer: Mapping[str, Any]) -> bool:
        """Whether the commit has what a step needs; a 400 is an answer of a parameter it lacks."""
        name = step["run"][0] if "run" in step else str(step.get("get") or step.get("post"))
        if answer.get("code") == 2 or answer.get("status") in (400, 404):
            self.unknown.add(f"{name}: {json.dumps(step, ensure_ascii=False)[:150]}")
            return False
        assert answer.get("code", 0) in (0, 1), answer
        assert answer.get("status", 200) in (200, 403), answer
        return True

    def perform(
        self, clock_s: int, asked: Sequence[Step], more: Mapping[str, str] | None = None
    ) -> list[tuple[Step, dict[str, Any]]]:
        """Perform steps in a process of the commit; those it knows, with their answers."""
        came: list[tuple[Step, dict[str, Any]]] = []
        runs: list[Step] = []
        for step in asked:
            if "flush with" not in step:
                runs.append(step)
                continue
            came += zip(runs, self._performed(clock_s, runs, more or {})[0], strict=True)
            runs = []
            with self._server() as client:
                client.rpush(f"hw:{{{shard_of('Shop')}}}:buffer", step["flush with"])
        came += zip(runs, self._performed(clock_s, runs, more or {})[0], strict=True)
        return [(step, answer) for step, answer in came if self._knows(step, answer)]

    def _performed(
        self, clock_s: int, asked: Sequence[Step], more: Mapping[str, str]
    ) -> tuple[list[dict[str, Any]], list[Any]]:
        order = dumped({"clock_s": clock_s, "steps": filled(asked, self.data)})
        command = [sys.executable, steps.__file__]
        process = subprocess.run(
            command,
            input=order,
            env={**self._variables(), **more},
            cwd=self.cwd,
            text=True,
            capture_output=True,
            check=False,
        )
        assert process.returncode == 0, process.stderr
        found = simplejson.loads(process.stdout, use_decimal=True)
        return found["answers"], found["hooks"]

    def _variables(self) -> dict[str, str]:
        kept = {name: text for name, text in os.environ.items() if "HAILWHALE_" not in name}
        own = {"HAILWHALE_DATA_DIR": str(self.data), "PYTHONPATH": str(self.code)}
        return kept | self.environ | own

    def _crash(self, method: str, after: int, asked: Sequence[Step]) -> None:
        """Perform steps until the store's method was called so often, and then is away."""
        text = f"""
import sys
sys.path.insert(0, {str(Path(steps.__file__).parent)!r})
import steps
steps.stand_still({events.CLOCK_S})
try:
    from hailwhale.store.redis.commits import RedisCommits as Commits
except ImportError:
    from hailwhale.store.redis_store import RedisStore as Commits
from hailwhale.errors import StoreUnavailable
method, calls = Commits.{method}, 0
def failing(*args, **kwargs):
    global calls
    calls += 1
    if calls > {after}:
        raise StoreUnavailable("killed")
    return method(*args, **kwargs)
Commits.{method} = failing
for step in {filled(asked, self.data)!r}:
    print(steps.perform(step))
print(calls)
"""
        process = subprocess.run(
            [sys.executable, "-c", text],
            env=self._variables(),
            cwd=self.cwd,
            text=True,
            capture_output=True,
            check=False,
        )
        assert process.returncode == 0, process.stderr
        assert process.stdout.splitlines()[-1] == str(after + 1), process.stdout

    @contextmanager
    def _server(self) -> Iterator[Any]:
        """The commit's own server on the data, to look into."""
        sys.path.insert(0, str(self.code))
        from hailwhale.store.embedded import EmbeddedValkey

        with EmbeddedValkey(self.data) as server:
            client = redis.Redis.from_url(server.url)
            yield client
            client.close()

    def pack(self, path: Path) -> None:
        """Put the data directory and the files into an archive that does not rot.

        Keys would expire while the archive lies there: they are made to live for ever, and how
        long each had to live is stored for the reader. The log is rewritten as commands,
        which any version of the server reads.
        """
        with self._server() as client:
            expiries = {key.decode(): client.ttl(key) for key in sorted(client.keys())}
            for key in expiries:
                client.persist(key)
            client.config_set("aof-use-rdb-preamble", "no")
            client.bgrewriteaof()
            while client.info("persistence")["aof_rewrite_in_progress"]:
                time.sleep(_POLL_S)
        living = {key: ttl_s for key, ttl_s in expiries.items() if ttl_s > 0}
        (self.data / "expiries.json").write_text(json.dumps(living, indent=0))
        for name in ("owner.lock", "valkey.log", "address", "valkey.sock"):
            with suppress(FileNotFoundError):
                (self.data / name).unlink()
        with tarfile.open(path, "w:xz", preset=9) as archive:
            archive.add(self.data, "data", filter=_plain)
            archive.add(self.cwd, "files", filter=_plain)


def shard_of(root: str) -> int:
    """The shard of a root pk, the same in every version."""
    return zlib.crc32(root.encode()) % 128


def filled(asked: Sequence[Step], data: Path) -> list[Any]:
    """Steps with the data directory in the place of `{data}`."""
    found: list[Any] = json.loads(json.dumps(list(asked)).replace("{data}", str(data)))
    return found


def _post(path: str, batch: list[Any], app: str = "whale") -> Step:
    return {"post": path, "body": events.lines(batch), "app": app}


def _found(pattern: str, made: Sequence[tuple[Step, dict[str, Any]]], command: str) -> str:
    """What a command printed, as far as it fits a pattern; "" where there is no such command."""
    for step, answer in made:
        if "run" in step and step["run"][0] == command:
            found = re.search(pattern, answer["out"])
            assert found, answer
            return found[0]
    return ""


def _plain(info: tarfile.TarInfo) -> tarfile.TarInfo:
    info.mtime, info.uid, info.gid, info.uname, info.gname = 0, 0, 0, "", ""
    return info


def _output(code: Path, *command: str) -> str:
    return subprocess.run(
        command, cwd=code, capture_output=True, text=True, check=True
    ).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
