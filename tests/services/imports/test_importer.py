"""Importing: every row counts exactly once, whatever happens between its steps."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
import redis
from hypothesis import given, settings
from hypothesis import strategies as st

from hailwhale.core.events.event import parse_event
from hailwhale.core.events.limits import DEFAULT_LIMITS, Limits
from hailwhale.core.events.paths import expand, prefixes
from hailwhale.core.time.calendar_grid import UTC
from hailwhale.core.time.rollups import ALL, DEFAULT_ROLLUPS, Rollup
from hailwhale.errors import BadInput, StoreUnavailable
from hailwhale.services.container import Services
from hailwhale.services.imports import importer
from hailwhale.services.imports.importer import Importer, ImportReport, examine
from hailwhale.services.imports.row_readers import InputRow
from hailwhale.store.protocol import Store
from hailwhale.store.redis.keys import Keys
from hailwhale.store.redis.store import RedisStore
from hailwhale.store.types import CellQuery, ChunkAddress, CommitStep, ImportBlock
from tests.conftest import NOW_S, Clock
from tests.parts import FailsOnce, watched
from tests.services.imports.plain_sums import Counted, expected, stored

BROKEN = BadInput("event", "{", "an object")


def importing_on(
    store: Store,
    clock: Callable[[], float] | None = None,
    limits: Limits = DEFAULT_LIMITS,
    rollups: Sequence[Rollup] = DEFAULT_ROLLUPS,
) -> Importer:
    return Importer(
        commits=store.commits,
        imports=store.imports,
        grid=UTC,
        rollups=rollups,
        limits=limits,
        clock=clock or Clock(),
        name_of=str,
    )


def run(
    importing_: Importer,
    rows: Iterable[InputRow],
    name: str = "sales",
    refused: Callable[[int, BadInput], None] = lambda line, fault: None,
) -> ImportReport:
    """One run as the command does it: what is after the last line, to the end."""
    after = importing_.last_line(name)
    rest = (row for row in rows if row.line > after)
    return importing_.run(name, rest, refused, lambda report: None)


def sample(size: int, seed: int, *, ids: bool = False) -> tuple[list[InputRow], list[Counted]]:
    """Rows of a seeded import, some of them broken, and the events among them."""
    rng = random.Random(seed)
    rows: list[InputRow] = []
    events: list[Counted] = []
    for line in range(2, 2 + size):
        if rng.random() < 0.1:
            rows.append(InputRow(line, 1, BROKEN))
            continue
        root = rng.choice(["Shop", "Web", "Kiosk"])
        leaves = (("country", rng.choice(["US", "FR"])), ("device", rng.choice(["a", "b"]), "x"))
        cents = Decimal(rng.randrange(-500, 5_000)) / 100
        day = f"2026-03-{rng.randrange(1, 15):02}"
        fields: dict[str, object] = {
            "pk": [root, str(rng.randrange(3))],
            "dimensions": [list(leaf) for leaf in leaves],
            "metrics": {"revenue": str(cents)},
            "at": f"{day}T{rng.randrange(24):02}:30:00Z",
        }
        if ids and rng.random() < 0.5:
            fields["id"] = f"id {line}"
        rows.append(InputRow(line, 100, fields))
        pk = (root, str(fields["pk"][1]))  # type: ignore[index]
        events.append(Counted(pk, leaves, {"revenue": cents}, day))
    return rows, events


def failing_at(store: Store, number: int, when: str) -> tuple[Store, FailsOnce]:
    """A store that does not answer at one of its steps: before it did it, or after."""
    steps = FailsOnce(number, after=when == "after")
    return watched(store, steps, "commits", "imports"), steps


MakeSmall = Callable[[str], RedisStore]


@pytest.fixture
def make_small(client: redis.Redis, namespace: str) -> MakeSmall:
    """Makes fresh stores whose steps are so small that most commits leave a plan of chunks."""
    return lambda name: RedisStore(client, Keys(f"{namespace}-{name}"), chunk_cells=100)


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importer, "BLOCK_ROWS", 5)


def test_every_row_is_counted_wherever_it_belongs(store: RedisStore) -> None:
    rows, events = sample(300, seed=1)
    report = run(importing_on(store), rows)
    sums = expected(events)
    assert stored(store, sums) == sums
    assert report == ImportReport(
        line=301, rows=300, counted=len(events), rejected=300 - len(events)
    )
    assert store.stats.loads() == []


def test_an_import_that_is_finished_counts_nothing_again(store: RedisStore) -> None:
    rows, events = sample(60, seed=2)
    run(importing_on(store), rows)
    assert run(importing_on(store), rows) == ImportReport()
    sums = expected(events)
    assert stored(store, sums) == sums


def test_under_another_name_the_same_rows_count_again(store: RedisStore) -> None:
    rows, events = sample(60, seed=3)
    run(importing_on(store), rows)
    run(importing_on(store), rows, name="sales again")
    sums = expected([*events, *events])
    assert stored(store, sums) == sums


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_store_that_is_gone_at_any_step_costs_and_doubles_nothing(
    make_small: MakeSmall, when: str
) -> None:
    rows, events = sample(16, seed=4, ids=True)
    sums = expected(events)
    failed = 0
    while True:
        store = make_small(f"{failed}")
        failing, steps = failing_at(store, failed + 1, when)
        first = ImportReport()
        with suppress(StoreUnavailable):
            first = run(importing_on(failing), rows)
        if steps.calls <= failed:
            break
        again = run(importing_on(store), rows)
        assert stored(store, sums) == sums, f"lost or doubled at step {failed + 1}"
        assert again.counted + again.before + again.rejected == again.rows
        assert store.stats.loads() == []
        failed += 1
    assert first.counted == len(events)
    assert failed > 20


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_store_that_is_gone_again_and_again_only_slows_an_import_down(
    make_small: MakeSmall, when: str
) -> None:
    rows, events = sample(60, seed=5, ids=True)
    store, rng = make_small("again"), random.Random(6)
    cut_short = 0
    while cut_short < 30:
        failing, _ = failing_at(store, rng.randrange(1, 25), when)
        with suppress(StoreUnavailable):
            run(importing_on(failing), rows)
            break
        cut_short += 1
    run(importing_on(store), rows)
    sums = expected(events)
    assert stored(store, sums) == sums
    assert cut_short > 5


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("meet_at", range(1, 40, 3))
def test_two_runs_of_one_import_at_once_count_it_once(make_small: MakeSmall, meet_at: int) -> None:
    rows, events = sample(40, seed=7)
    store = make_small("two")

    def with_another_run_in_between() -> Iterator[InputRow]:
        for row in rows:
            if row.line == meet_at:
                run(importing_on(store), rows)
            yield row

    report = importing_on(store).run(
        "sales", with_another_run_in_between(), lambda line, fault: None, lambda report: None
    )
    sums = expected(events)
    assert stored(store, sums) == sums
    assert report.counted + report.before == len(events)


@pytest.mark.usefixtures("small_blocks")
def test_no_row_counts_twice_when_limits_and_time_change_during_an_interrupted_import(
    make_small: MakeSmall,
) -> None:
    labels = [f"{'long' * (line % 3)} {line}" for line in range(30)]
    rows = [
        InputRow(line + 1, 10, {"pk": ["Shop", label], "at": NOW_S + 86_400 + line % 4})
        for line, label in enumerate(labels)
    ]
    for fail_at in range(1, 30):
        store = make_small(f"{fail_at}")
        first, _ = failing_at(store, fail_at, "after")
        with suppress(StoreUnavailable):
            strict = replace(DEFAULT_LIMITS, label_bytes=6)
            run(importing_on(first, limits=strict), rows)
        run(importing_on(store, Clock(NOW_S + 10)), rows)
        asks = [
            CellQuery(ChunkAddress(("Shop", label), (), "all", 0), [(0, "hits")])
            for label in labels
        ]
        counts = [values[0] for values in store.cells.read(asks)]
        assert set(counts) <= {None, Decimal(1)}, f"doubled at step {fail_at}"


def test_an_id_counts_once_within_a_file_and_across_other_inputs(services: Services) -> None:
    services.counting.count_now({"pk": "Shop", "id": "known"})
    rows = [
        InputRow(1, 10, {"pk": "Shop"}),
        InputRow(2, 10, {"pk": "Shop", "id": "known"}),
        InputRow(3, 10, {"pk": "Shop", "id": "new"}),
        InputRow(4, 10, {"pk": "Shop", "id": "new"}),
        InputRow(5, 10, {"pk": "Shop", "id": None}),
    ]
    report = run(importing_on(services.store), rows)
    assert (report.counted, report.before) == (3, 2)
    services.counting.count_now({"pk": "Shop", "id": "new"})
    assert stored(services.store, [(("Shop",), (), "", "hits")]) == {
        (("Shop",), (), "", "hits"): Decimal(4)
    }


def test_rejected_rows_are_reported_by_line_and_no_other_row_is_lost(store: RedisStore) -> None:
    rows = [
        InputRow(1, 10, {"pk": "Shop"}),
        InputRow(2, 10, BROKEN),
        InputRow(4, 10, {"pk": "Shop", "metrics": {"a/b": 1}}),
        InputRow(5, 10, {"pk": "Shop", "at": "2026-03-17"}),
        InputRow(6, 70_000, {"pk": "Shop"}),
        InputRow(7, 10, {"pk": "Shop"}),
    ]
    told: list[tuple[int, str]] = []
    report = run(
        importing_on(store), rows, refused=lambda line, fault: told.append((line, fault.parameter))
    )
    assert told == [(2, "event"), (4, "metrics"), (5, "at"), (6, "event")]
    assert (report.rows, report.counted, report.rejected) == (6, 2, 4)


def test_a_rejected_row_is_reported_before_it_is_recorded_as_read(
    make_small: MakeSmall, small_blocks: None
) -> None:
    store = make_small("order")
    told: list[int] = []
    rows = [InputRow(line, 1, BROKEN) for line in range(1, 14)]
    failing, _ = failing_at(store, 3, "before")
    with pytest.raises(StoreUnavailable):
        run(importing_on(failing), rows, refused=lambda line, _: told.append(line))
    last = importing_on(store).last_line("sales")
    assert last == 5
    assert told[:last] == [1, 2, 3, 4, 5]


def test_progress_of_an_import_is_reported_after_it_is_stored(
    make_small: MakeSmall, small_blocks: None
) -> None:
    store = make_small("progress")
    seen: list[tuple[int, int]] = []
    importing_ = importing_on(store)

    def settled(report: ImportReport) -> None:
        seen.append((report.line, importing_.last_line("sales")))

    rows = [InputRow(line, 1, {"pk": "Shop"}) for line in range(1, 13)]
    importing_.run("sales", rows, lambda line, fault: None, settled)
    assert seen == [(5, 5), (10, 10), (12, 12)]


def test_rows_past_every_retention_are_counted_for_all_time_and_reported(store: RedisStore) -> None:
    rows = [InputRow(1, 1, {"pk": "Shop", "at": "1999-12-31"}), InputRow(2, 1, {"pk": "Shop"})]
    report = run(importing_on(store), rows)
    assert (report.counted, report.undated) == (2, {"1999-12": 1})
    undated = importing_on(store, rollups=[ALL])
    assert run(undated, rows, name="no dates at all").undated == {}


@pytest.mark.parametrize(
    ("fields", "rows_a_block"),
    [
        ({"pk": "Shop"}, 5_000),
        ({"pk": ["a"] * 5, "dimensions": {"tag": [str(n) for n in range(9)]}}, 455),
        ({"pk": "Shop", "dimension": [["a", str(n)] for n in range(24)]}, 511),
    ],
)
def test_a_block_holds_so_few_rows_that_its_step_is_bounded(
    monkeypatch: pytest.MonkeyPatch,
    store: RedisStore,
    fields: dict[str, object],
    rows_a_block: int,
) -> None:
    blocks: list[ImportBlock | None] = []
    commit = store.commits.commit

    def noting(step: CommitStep, now_s: int) -> Any:
        blocks.append(step.block)
        return commit(step, now_s)

    monkeypatch.setattr(store.commits, "commit", noting)
    rows = [InputRow(line, 1, fields) for line in range(1, 5_002)]
    run(importing_on(store), rows[: rows_a_block + 1])
    lines = [rows_a_block, rows_a_block + 1]
    assert blocks == [ImportBlock("sales", 2 * line + 1) for line in lines]


LABELS = st.sampled_from(["a", "b", "_", 7, True])
LEAVES = st.one_of(LABELS, st.lists(LABELS, max_size=3), st.none())
DIMENSIONS = st.one_of(
    LEAVES,
    st.lists(st.lists(LABELS, min_size=1, max_size=3), max_size=3),
    st.recursive(LEAVES, lambda below: st.dictionaries(st.sampled_from("abc"), below, max_size=3)),
)


@settings(max_examples=300, deadline=None)
@given(st.one_of(LABELS, st.lists(LABELS, min_size=1, max_size=4)), DIMENSIONS)
def test_the_cost_of_a_row_is_never_taken_for_less_than_it_is(
    pk: object, dimensions: object
) -> None:
    fields = {"pk": pk, "dimensions": dimensions}
    nodes = importer._nodes(fields)
    with suppress(BadInput):
        event = parse_event(fields, NOW_S)
        assert nodes >= len(prefixes(event.pk)) * len(expand(event.dimensions))


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ((b"a,b\n", "csv"), (b"a,b\n", "csv"), True),
        ((b"a,b\n", "csv"), (b"a,b\n", "csv, but otherwise"), False),
        ((b"a,b\n", "csv"), (b"a,b\n\n", "csv"), False),
        ((b"b", "a"), (b"", "ab"), False),
    ],
)
def test_an_import_is_named_by_its_content_and_its_mapping(
    one: tuple[bytes, str], other: tuple[bytes, str], equal: bool
) -> None:
    names = [examine(BytesIO(content), mapping).name for content, mapping in (one, other)]
    assert (names[0] == names[1]) is equal
