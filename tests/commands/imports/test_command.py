"""`hailwhale import`: what it says, and that killing it costs and doubles nothing."""

from __future__ import annotations

import gzip
import io
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import pytest
import redis

from hailwhale.cli import main
from hailwhale.store.embedded import EmbeddedValkey
from hailwhale.store.redis.keys import Keys
from hailwhale.store.redis.store import RedisStore
from tests.deploy.running import DEADLINE_S
from tests.services.imports.plain_sums import Counted, expected, stored

LOOK_S = 0.002
CSV = """\
sku,country,amount,no,sold_at
a1,US,19.99,1,2026-03-01T10:00:00Z
a1,,5,,2026-03-01T11:00:00Z
a2,"FR",1.10,2,2026-03-02
"""
MAPPING = [
    *("--pk", "Product > {sku}"),
    *("--dimension", "country > {country}"),
    *("--metric", "revenue=amount"),
    *("--metric", "no"),
    *("--at", "sold_at"),
]
CSV_EVENTS = [
    Counted(
        ("Product", "a1"),
        (("country", "US"),),
        {"revenue": Decimal("19.99"), "no": Decimal(1)},
        "2026-03-01",
    ),
    Counted(("Product", "a1"), (("country",),), {"revenue": Decimal(5)}, "2026-03-01"),
    Counted(
        ("Product", "a2"),
        (("country", "FR"),),
        {"revenue": Decimal("1.1"), "no": Decimal(2)},
        "2026-03-02",
    ),
]


@pytest.fixture(autouse=True)
def environment(
    monkeypatch: pytest.MonkeyPatch, valkey: EmbeddedValkey, namespace: str, tmp_path: Path
) -> None:
    monkeypatch.setenv("HAILWHALE_REDIS_URL", valkey.url)
    monkeypatch.setenv("HAILWHALE_NAMESPACE", namespace)
    monkeypatch.setenv("HAILWHALE_ROLLUPS", "1d:100y")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def imported(client: redis.Redis, namespace: str) -> RedisStore:
    """The store that the command counts in."""
    return RedisStore(client, Keys(namespace))


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Runs `hailwhale import` here: its exit code, what it printed and what went to stderr."""

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(["import", *arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return run


Said = Callable[..., tuple[int, str, str]]


def hits(store: RedisStore, pk: str) -> Decimal:
    return stored(store, [((pk,), (), "", "hits")]).get(((pk,), (), "", "hits"), Decimal(0))


def test_a_table_is_counted_as_its_mapping_says(said: Said, imported: RedisStore) -> None:
    Path("sales.csv").write_text(CSV)
    code, out, err = said("sales.csv", *MAPPING)
    assert code == 0
    assert out.startswith("sales.csv: 3 rows, 3 counted, 0 rejected, ")
    assert out.endswith(" rows/s\n")
    assert err == ""
    sums = expected(CSV_EVENTS)
    assert stored(imported, sums) == sums


@pytest.mark.parametrize(
    ("name", "options"),
    [("e.ndjson", []), ("e.jsonl.gz", []), ("e", []), ("e.csv", ["--format", "ndjson"])],
)
def test_lines_of_json_are_counted_as_count_would(
    said: Said, imported: RedisStore, name: str, options: list[str]
) -> None:
    text = '{"pk": "Shop", "dimension": {"a": "b"}, "metric": {"x": 0.1}}\n{"pk": ["Shop", 1]}\n'
    content = gzip.compress(text.encode()) if name.endswith(".gz") else text.encode()
    Path(name).write_bytes(content)
    assert said(name, *options)[0] == 0
    cells = [
        (("Shop",), (), "", "hits"),
        (("Shop",), ("a", "b"), "", "x"),
        (("Shop", "1"), (), "", "hits"),
    ]
    assert list(stored(imported, cells).values()) == [2, Decimal("0.1"), 1]


def test_a_file_that_is_imported_counts_nothing_again_wherever_it_lies(
    said: Said, imported: RedisStore
) -> None:
    Path("sales.csv").write_text(CSV)
    said("sales.csv", *MAPPING)
    Path("copy.csv.gz").write_bytes(gzip.compress(CSV.encode()))
    for name in ("sales.csv", "copy.csv.gz"):
        code, out, _ = said(name, *MAPPING)
        assert (code, out) == (
            0,
            f"{name} is already imported: nothing counted (--again counts it again)\n",
        )
    assert hits(imported, "Product") == 3


def test_again_counts_an_imported_file_once_more_each_time(
    said: Said, imported: RedisStore
) -> None:
    Path("sales.csv").write_text(CSV)
    for times in (1, 2, 3):
        assert "3 counted" in said("sales.csv", *MAPPING, "--again")[1]
        assert hits(imported, "Product") == 3 * times
    assert "already" in said("sales.csv", *MAPPING)[1]


def test_with_another_mapping_or_name_it_is_another_import(
    said: Said, imported: RedisStore
) -> None:
    Path("sales.csv").write_text(CSV)
    for options in ([], ["--pk", "Shop"], ["--pk", "Shop", "--name", "x"], ["--name", "y"]):
        assert "3 counted" in said("sales.csv", *options)[1]
    assert "already" in said("sales.csv", "--name", "y")[1]
    assert hits(imported, "_") == 6
    assert hits(imported, "Shop") == 6


def test_rejected_rows_are_reported_and_kept_and_the_others_counted(
    said: Said, imported: RedisStore
) -> None:
    Path("sales.csv").write_text(CSV + "a3,US,much,1,2026-03-01\na4,US\na5,US,1,1,2026-03-03\n")
    code, out, err = said("sales.csv", *MAPPING, "--rejects", "rejects")
    assert code == 1
    assert out.startswith("sales.csv: 6 rows, 4 counted, 2 rejected, ")
    assert err.splitlines() == [
        "line 5: metrics: got 'much'; expected a number below 10^30 with at most 30 decimals",
        "line 6: row: got '2 cells'; expected 5 cells, as in the header",
    ]
    rejects = [json.loads(line) for line in Path("rejects").read_text().splitlines()]
    assert [(reject["line"], reject["error"]["parameter"]) for reject in rejects] == [
        (5, "metrics"),
        (6, "row"),
    ]
    assert hits(imported, "Product") == 4


def test_the_first_twenty_of_many_rejected_rows_are_reported(said: Said) -> None:
    Path("e.ndjson").write_text("{\n" * 50 + '{"pk": "Shop"}\n')
    code, _, err = said("e.ndjson", "--rejects", "rejects")
    assert code == 1
    assert [line.split(":")[0] for line in err.splitlines()[:20]] == [
        f"line {number}" for number in range(1, 21)
    ]
    assert err.splitlines()[20:] == [
        "more rows were rejected; --rejects FILE writes all of them to a file"
    ]
    assert len(Path("rejects").read_text().splitlines()) == 50


def test_an_import_with_rejected_rows_says_so_when_it_is_started_again(said: Said) -> None:
    Path("e.ndjson").write_text('{\n{"pk": "Shop"}\n')
    said("e.ndjson", "--rejects", "rejects")
    kept = Path("rejects").read_text()
    code, out, err = said("e.ndjson", "--rejects", "rejects")
    assert (code, err) == (1, "")
    assert "already" in out
    assert Path("rejects").read_text() == kept


def test_old_rows_are_counted_for_all_time_with_a_word_on_it(
    said: Said, imported: RedisStore
) -> None:
    Path("e.ndjson").write_text('{"pk": "Shop", "at": "1901-01-01"}\n{"pk": "Shop"}\n')
    out = said("e.ndjson")[1]
    assert out.splitlines()[1].startswith("1 rows are older than every rollup with dates retains")
    assert hits(imported, "Shop") == 2


def stdin(content: bytes) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(content))


def test_times_are_read_in_the_format_that_is_named(said: Said, tmp_path: Path) -> None:
    (tmp_path / "life.csv").write_text("country,year\nGhana,31/12/1952\nGhana,1957\n")
    mapping = ("--pk", "Life", "--at", "year", "--at-format", "%d/%m/%Y")
    code, out, err = said("life.csv", *mapping)
    assert code == 1
    assert out.startswith("life.csv: 2 rows, 1 counted, 1 rejected")
    assert "line 3: at: got '1957'; expected a time in the format %d/%m/%Y" in err


def test_the_months_of_rows_past_every_rollup_are_told(
    said: Said, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HAILWHALE_ROLLUPS", "1d:1y")
    months_apart = range(946_684_800, 970_000_000, 5_000_000)
    times = ["86400", "86401", "1000000000", *map(str, months_apart)]
    (tmp_path / "old.csv").write_text("\n".join(["when", *times, ""]))
    code, out, _ = said("old.csv", "--pk", "Old", "--at", "when", "--at-format", "epoch")
    assert code == 0
    told = out.splitlines()[1]
    assert told.startswith(
        "8 rows are older than every rollup with dates retains: 2 in 1970-01, 1 in "
    )
    assert "the others in 4 more months. They count only in the period all" in told
    assert told.endswith("name their format with --at-format")


def test_stdin_is_counted_every_time_and_reported_as_not_resumable(
    said: Said, imported: RedisStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for times in (1, 2):
        monkeypatch.setattr(sys, "stdin", stdin(b'{"pk": "Shop"}\n'))
        code, out, err = said("-")
        assert (code, err) == (0, "hailwhale: an import from stdin cannot be resumed\n")
        assert out.startswith("-: 1 rows, 1 counted")
        assert hits(imported, "Shop") == times


def test_stdin_with_a_name_is_counted_once(
    said: Said, imported: RedisStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for word in ("1 counted", "already"):
        monkeypatch.setattr(sys, "stdin", stdin(b"a\nx\n"))
        code, out, err = said("-", "--format", "csv", "--pk", "{a}", "--name", "march")
        assert (code, err) == (0, "")
        assert word in out
    assert hits(imported, "x") == 1


@pytest.mark.parametrize(
    ("arguments", "said_of"),
    [
        (["missing.csv"], "file: got 'missing.csv'"),
        (["."], "file: got '.'"),
        (["empty.csv"], "file: got 'no header'"),
        (["cut.gz"], "file: got"),
        (["e.ndjson", "--pk", "{sku}"], "pk: got '{sku}'; expected --format csv"),
        (["sales.csv", "--pk", "{sku"], "pk: got '{sku'"),
        (["sales.csv", "--metric", "x=y"], "metric: got 'y'; expected one of the columns sku,"),
        (["sales.csv", "--rejects", "sales.csv"], "rejects: got 'sales.csv'"),
        (["sales.csv", "--rejects", "no/where"], "rejects: got 'no/where'"),
        (["sales.csv", "--name", ""], "name: got ''"),
        (["-", "--again"], "again: got '-'"),
    ],
)
def test_an_invalid_import_is_one_line_on_stderr_and_counts_nothing(
    said: Said, client: redis.Redis, namespace: str, arguments: list[str], said_of: str
) -> None:
    Path("sales.csv").write_text(CSV)
    Path("e.ndjson").write_text("{}\n")
    Path("empty.csv").write_text("")
    Path("cut.gz").write_bytes(gzip.compress(b"{}\n")[:-4])
    code, out, err = said(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith(f"hailwhale: {said_of}")
    assert err.count("\n") == 1
    assert list(client.scan_iter(f"{namespace}:{{*")) == []


def lines_and_events(size: int, seed: int) -> tuple[list[str], list[Counted]]:
    """NDJSON over eight root pks, some lines broken and some with an id, and its events.

    A row counts in 128 places, so that a block holds few of them and an import has many steps.
    """
    rng = random.Random(seed)
    lines: list[str] = []
    events: list[Counted] = []
    for number in range(size):
        if rng.random() < 0.02:
            lines.append(rng.choice(['{"pk": ', '{"pk": "Shop", "metrics": {"x": "many"}}']))
            continue
        pk = (f"Shop {rng.randrange(8)}", *"1234567")
        side = rng.choice("ÅB")
        leaves = tuple([(name, side, "x") for name in "abcde"])
        cents = Decimal(rng.randrange(-500, 100_000)) / 100
        day = f"2025-03-{rng.randrange(1, 9):02}"
        fields = {"pk": pk, "dimensions": leaves, "metrics": {"revenue": str(cents)}, "at": day}
        if rng.random() < 0.01:
            fields["id"] = f"id {number}"
        lines.append(json.dumps(fields))
        events.append(Counted(pk, leaves, {"revenue": cents}, day))
    return lines, events


@pytest.fixture
def script_calls(client: redis.Redis) -> Callable[[], int]:
    """How many steps the server has taken so far."""

    def calls() -> int:
        stats = client.info("commandstats")
        return int(stats.get("cmdstat_evalsha", {}).get("calls", 0))

    return calls


def killed_after(process: subprocess.Popen[bytes], calls: Callable[[], int], more: int) -> bool:
    """Kill a process once the store took so many more steps; False when it ended before."""
    deadline_s = time.monotonic() + DEADLINE_S
    target = calls() + more
    while process.poll() is None and calls() < target:
        assert time.monotonic() < deadline_s, "the import does not come to its next step"
        with suppress(subprocess.TimeoutExpired):
            process.wait(LOOK_S)
    process.send_signal(signal.SIGKILL)
    return process.wait(DEADLINE_S) == -signal.SIGKILL


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts real `hailwhale import` processes; none outlives the test."""
    started: list[subprocess.Popen[bytes]] = []

    def start_one(*arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "hailwhale.cli", "import", *arguments]
        paths = os.pathsep.join(map(os.path.abspath, sys.path))
        environ = {**os.environ, "PYTHONPATH": paths}
        started.append(
            subprocess.Popen(
                command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
        )
        return started[-1]

    yield start_one
    for process in started:
        process.kill()
        process.wait(DEADLINE_S)


def test_imports_killed_eight_times_count_every_row_exactly_once(
    start: Callable[..., subprocess.Popen[bytes]],
    script_calls: Callable[[], int],
    imported: RedisStore,
) -> None:
    rng = random.Random(16)
    kills = 0
    events: list[Counted] = []
    while kills < 8:  # an import may get to its end between two kills: then another follows
        lines, more = lines_and_events(900, seed=len(events))
        events += more
        Path("e.ndjson").write_text("\n".join(lines))
        process = start("e.ndjson", "--rejects", "rejects")
        while kills < 8 and killed_after(process, script_calls, rng.randrange(1, 40)):
            kills += 1
            process = start("e.ndjson", "--rejects", "rejects")
        assert process.wait(DEADLINE_S) == 1
        rejects = [json.loads(line)["line"] for line in Path("rejects").read_text().splitlines()]
        assert rejects == [n for n, line in enumerate(lines, 1) if not line.startswith('{"pk": ["')]
    sums = expected(events)
    assert stored(imported, sums) == sums
    assert imported.stats.loads() == []
