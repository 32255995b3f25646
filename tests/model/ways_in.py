"""Ways in: each takes events and sends them to a service; none of them computes anything."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path as FilePath
from threading import Thread
from typing import Any
from urllib.parse import urlencode
from wsgiref.simple_server import WSGIRequestHandler, make_server

from hailwhale import Client
from hailwhale.core.events.limits import DEFAULT_LIMITS
from hailwhale.core.statsd.aggregate import MetricNaming
from hailwhale.services.container import Services
from hailwhale.services.imports.column_mapping import ColumnMapping
from hailwhale.services.imports.file_formats import NdjsonFormat
from hailwhale.services.imports.importer import Importer
from hailwhale.services.imports.row_readers import csv_rows, ndjson_rows
from hailwhale.services.imports.tail import LogTailer
from hailwhale.services.ingest.statsd import StatsdIntake
from hailwhale.web.apps import hail_app, whale_app
from tests.model.streams import Sent
from tests.web.client import FORM, LINES
from tests.web.client import Client as Web

_PLAIN = re.compile(r"[A-Za-z]+")
_names = (f"model {number}" for number in count())


@dataclass
class Entrance:
    """Services, both apps on them, a folder for files, and the URL of an HTTP server."""

    services: Services
    folder: FilePath
    url: str = ""

    def __post_init__(self) -> None:
        self.whale, self.hail = Web(whale_app(self.services)), Web(hail_app(self.services))


Way = Callable[[Entrance, Sequence[Sent]], None]


def _fields(event: Sent) -> dict[str, Any]:
    fields: dict[str, Any] = {"pk": list(event.pk)}
    if event.dimensions:
        fields["dimensions"] = [list(path) for path in event.dimensions]
    if event.metrics:
        fields["metrics"] = dict(event.metrics)
    if event.at_s is not None:
        fields["at"] = datetime.fromtimestamp(event.at_s, UTC).isoformat()
    return fields


def _texts(event: Sent) -> dict[str, str]:
    """Parameters of a URL or a form."""
    return {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in _fields(event).items()
    }


def _answered(answer: Any, events: int = 1) -> None:
    assert answer.status == 200, answer.text
    if answer.headers["content-type"] == "application/json":
        assert answer.json["accepted"] == events, answer.text


def by_get(entrance: Entrance, events: Sequence[Sent]) -> None:
    for event in events:
        _answered(entrance.hail.get("/count", _texts(event)))


def by_gif(entrance: Entrance, events: Sequence[Sent]) -> None:
    for event in events:
        _answered(entrance.whale.get("/count.gif", _texts(event)))


def by_tracker(entrance: Entrance, events: Sequence[Sent]) -> None:
    for event in events:
        _answered(entrance.hail.get("/tracker", _texts(event)))


def by_form(entrance: Entrance, events: Sequence[Sent]) -> None:
    for event in events:
        _answered(entrance.whale.post("/count_now", urlencode(_texts(event)), FORM))


def by_object(entrance: Entrance, events: Sequence[Sent]) -> None:
    for event in events:
        _answered(entrance.hail.post("/count", _fields(event)))


def by_array(entrance: Entrance, events: Sequence[Sent]) -> None:
    _answered(entrance.hail.post("/count", [_fields(event) for event in events]), len(events))


def by_lines(entrance: Entrance, events: Sequence[Sent]) -> None:
    text = "\n".join(json.dumps(_fields(event)) for event in events)
    _answered(entrance.whale.post("/count_now", text, LINES), len(events))


def by_pixel(entrance: Entrance, events: Sequence[Sent]) -> None:
    for event in events:
        fields = _fields(event)
        at = {"at": fields.pop("at")} if "at" in fields else {}
        if at:  # a pixel counts at the time at which it is loaded
            _answered(entrance.hail.post("/count", {**fields, **at}))
        else:
            token = entrance.services.sealing.pixel(fields)
            _answered(entrance.hail.get(f"/pixel/{token}.gif"))


def by_library(entrance: Entrance, events: Sequence[Sent]) -> None:
    for number, event in enumerate(events):
        services = entrance.services
        count_in = services.counting.count_now if number % 2 else services.hail.count
        count_in(_fields(event))


def by_client(entrance: Entrance, events: Sequence[Sent]) -> None:
    with Client(entrance.url) as client:
        for event in events:
            fields = _fields(event)
            at = fields.pop("at", datetime.fromtimestamp(entrance.services.clock(), UTC))
            assert client.count(**fields, at=at)
        assert client.flush()
        assert client.stats.dropped == client.stats.refused == 0


def by_import(entrance: Entrance, events: Sequence[Sent]) -> None:
    text = "\n".join(json.dumps(_fields(event)) for event in events)
    _import(entrance, ndjson_rows(io.BytesIO(text.encode())), len(events))


def by_table(entrance: Entrance, events: Sequence[Sent]) -> None:
    """A CSV file of one event each, whose cells a mapping puts together again."""
    for event in events:
        cells = {f"p{number}": label for number, label in enumerate(event.pk)}
        paths = []
        for number, path in enumerate(event.dimensions):
            names = [f"d{number}{level}" for level in range(len(path))]
            cells |= dict(zip(names, path, strict=True))
            paths.append(json.dumps([f"{{{name}}}" for name in names]))
        metrics = [f"{name}=m{number}" for number, name in enumerate(event.metrics)]
        cells |= {f"m{number}": text for number, text in enumerate(event.metrics.values())}
        at = event.at_s if event.at_s is not None else int(entrance.services.clock())
        cells["at"] = str(at)
        table = io.StringIO()
        csv.writer(table).writerows([list(cells), list(cells.values())])
        mapping = ColumnMapping.parse(
            pk=json.dumps([f"{{p{number}}}" for number in range(len(event.pk))]),
            dimensions=paths,
            metrics=metrics,
            at="at",
            at_format="epoch",
        )
        _import(entrance, csv_rows(io.BytesIO(table.getvalue().encode()), mapping), 1)


def _import(entrance: Entrance, rows: Iterator[Any], events: int) -> None:
    def refused(line: int, fault: Exception) -> None:
        raise AssertionError(line) from fault

    report = _importer(entrance.services).run(next(_names), rows, refused, lambda _: None)
    assert report.counted == events


def _importer(services: Services) -> Importer:
    return Importer(
        commits=services.store.commits,
        imports=services.store.imports,
        grid=services.settings.zone,
        rollups=services.settings.rollups,
        limits=services.settings.limits,
        clock=services.clock,
        name_of=services.visitors.name,
    )


def by_tail(entrance: Entrance, events: Sequence[Sent]) -> None:
    path = entrance.folder / f"{next(_names)}.log"
    lines = [json.dumps(_fields(event) | {"_": path.name}) for event in events]
    path.write_text("\n".join([*lines, ""]))
    tailer = LogTailer(
        path=path,
        reading=NdjsonFormat(),
        importing=_importer(entrance.services),
        clock_s=entrance.services.clock,
    )
    while tailer.look():
        pass
    tailer.close()


def by_statsd(entrance: Entrance, events: Sequence[Sent]) -> None:
    """Counters of those that a client of StatsD can send; the others as objects."""
    services = entrance.services
    intake = StatsdIntake(
        hail=services.hail,
        counting=services.counting,
        refused=lambda reason, number: None,
        naming=MetricNaming(),
        limits=DEFAULT_LIMITS,
        clock=services.clock,
    )
    for event in events:
        if _is_counter(event):
            [(name, text)] = event.metrics.items()
            tags = ",".join(f"{key}:{value}" for key, value in event.dimensions)
            line = f"{'.'.join(event.pk)}.{name}:{text}|c" + (f"|#{tags}" if tags else "")
            intake.feed(line.encode())
        else:
            by_object(entrance, [event])
    assert intake.flush()


def _is_counter(event: Sent) -> bool:
    words = [*event.pk, *event.metrics, *(label for path in event.dimensions for label in path)]
    return (
        event.at_s is None
        and len(event.metrics) == 1
        and "hits" not in event.metrics
        and all(len(path) == 2 for path in event.dimensions)
        and all(_PLAIN.fullmatch(word) for word in words)
        and all(re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text) for text in event.metrics.values())
    )


WAYS_IN: tuple[Way, ...] = (
    *(by_get, by_gif, by_tracker, by_form, by_object, by_array, by_lines, by_pixel, by_library),
    *(by_client, by_import, by_table, by_tail, by_statsd),
)


BUFFERED: tuple[Way, ...] = (by_get, by_tracker, by_object, by_array)


class _Silent(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def served(app: Any) -> Iterator[str]:
    """The URL of an HTTP server of an app, for the client."""
    with make_server("127.0.0.1", 0, app, handler_class=_Silent) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
