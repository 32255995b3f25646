"""Ways out: each asks a question and returns the numbers of its answer, None for a refusal.

A number of a bucket is None where there is none, and a missing list of buckets or total is None.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from prometheus_client.openmetrics.parser import text_string_to_metric_families

from hailwhale.core.graphite.paths import SeriesPath
from hailwhale.core.query.parameters import parse_plot, parse_totals
from hailwhale.errors import BadInput
from hailwhale.services.json_shapes import plotpoints_json, totals_json
from tests.model.counts import Path
from tests.model.streams import Question
from tests.model.ways_in import Entrance

Number = Fraction | None


@dataclass(frozen=True)
class Answered:
    """The numbers of an answer; `starts_s` are of its buckets; `is_float` if it has 17 digits."""

    total: Number = None
    has_total: bool = False
    starts_s: tuple[int, ...] | None = None
    values: tuple[Number, ...] = ()
    by_zero_is_0: bool = True
    is_float: bool = False
    own_buckets: bool = False  # the answer chooses them; its last point tells no end


Refused = str
SILENT = "no question: "  # what a way cannot be asked
Way = Callable[[Entrance, Question], Answered | Refused]


def _fields(question: Question) -> dict[str, Any]:
    fields = {
        "pk": list(question.pk),
        "dimensions": [list(question.dimension) or ["_"]],
        "metrics": [question.formula.text],
        "period": question.span.text,
    }
    return fields | ({"tz": question.zone} if question.zone else {})


def _texts(question: Question, **more: str) -> dict[str, str]:
    texts = {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in _fields(question).items()
    }
    return texts | more


def _number(value: Any) -> Number:
    return None if value is None or value == "" else Fraction(str(value))


def totals(entrance: Entrance, question: Question) -> Answered | Refused:
    answer = entrance.whale.get("/totals", _texts(question))
    if answer.status == 400:
        return str(answer.error["message"])
    [[values]] = [list(each.values()) for each in answer.json.values()]
    return Answered(_number(values[question.formula.text]), has_total=True)


def totals_csv(entrance: Entrance, question: Question) -> Answered | Refused:
    answer = entrance.whale.get("/totals", _texts(question, format="csv"))
    if answer.status == 400:
        return str(answer.error["message"])
    [row] = csv.DictReader(io.StringIO(answer.text))
    return Answered(_number(row["value"]), has_total=True)


def totals_posted(entrance: Entrance, question: Question) -> Answered | Refused:
    answer = entrance.whale.post("/totals", _fields(question))
    if answer.status == 400:
        return str(answer.error["message"])
    [[values]] = [list(each.values()) for each in answer.json.values()]
    return Answered(_number(values[question.formula.text]), has_total=True)


def library_totals(entrance: Entrance, question: Question) -> Answered | Refused:
    try:
        found = totals_json(entrance.services.reporting.totals(parse_totals(_fields(question))))
    except BadInput as fault:
        return fault.message
    [[values]] = [list(each.values()) for each in found.values()]
    return Answered(_number(values[question.formula.text]), has_total=True)


def plotpoints(entrance: Entrance, question: Question) -> Answered | Refused:
    answer = entrance.whale.get("/plotpoints", _texts(question))
    if answer.status == 400:
        return str(answer.error["message"])
    [series] = answer.json.values()
    return _series(series[question.formula.text])


def library_plotpoints(entrance: Entrance, question: Question) -> Answered | Refused:
    try:
        answer = entrance.services.reporting.plotpoints(parse_plot(_fields(question)))
        found = plotpoints_json(answer)
    except BadInput as fault:
        return fault.message
    [series] = found.values()
    return _series(series[question.formula.text])


def _series(points: Any) -> Answered:
    starts = tuple(int(at_ms) // 1000 for at_ms, _ in points)
    return Answered(starts_s=starts, values=tuple(_number(value) for _, value in points))


def graph(entrance: Entrance, question: Question) -> Answered | Refused:
    answer = entrance.whale.get("/graph.json", _texts(question))
    if answer.status == 400:
        return str(answer.error["message"])
    [series] = answer.json["series"]
    return Answered(
        total=_number(series["total"]),
        has_total=True,
        starts_s=tuple(int(at_ms) // 1000 for at_ms in answer.json["starts_ms"]),
        values=tuple(map(_number, series["values"])),
        by_zero_is_0=False,
    )


def ranked(entrance: Entrance, question: Question) -> Answered | Refused:
    """The row of the dimension among the children of the dimension above it."""
    if not question.dimension:
        return f"{SILENT}the overall is no child"
    texts = _texts(question, limit="0", threshold="0")
    above = question.dimension[:-1]
    texts["dimensions"] = json.dumps([list(above) or ["_"]])
    answer = entrance.whale.get("/rank", texts)
    if answer.status == 400:
        return str(answer.error["message"])
    assert answer.status == 200, (answer.status, answer.text, texts)
    path = question.dimension
    written = json.dumps(list(path), ensure_ascii=False)
    named = {written, path[0]} if len(path) == 1 else {written}
    rows = [row for row in answer.json if row["dimension"] in named]
    if len(rows) != 1:
        return f"{SILENT}a child of no weight is not ranked"
    return Answered(_number(rows[0]["value"]), has_total=True, by_zero_is_0=False)


def rendered(entrance: Entrance, question: Question) -> Answered | Refused:
    if not question.span.edges:
        return f"{SILENT}Graphite has no period all"
    first_s, *_, last_s = question.span.edges
    asked = {
        "target": SeriesPath(question.pk, question.dimension, question.formula.text).path,
        "from": str(first_s),
        "until": str(last_s),
        "maxDataPoints": "400",
    }
    answer = entrance.whale.get("/render", asked | ({"tz": question.zone} if question.zone else {}))
    if answer.status == 400:
        return str(answer.error["message"])
    if not answer.json:
        return f"{SILENT}what is yet to come is not rendered"
    [curve] = answer.json
    return Answered(
        starts_s=tuple(int(at_s) for _, at_s in curve["datapoints"]),
        values=tuple(_number(value) for value, _ in curve["datapoints"]),
        by_zero_is_0=False,
        own_buckets=True,
    )


def prometheus(entrance: Entrance, question: Question) -> Answered | Refused:
    answer = entrance.whale.get("/prometheus", _texts(question))
    if answer.status == 400:
        return str(answer.error["message"])
    families = text_string_to_metric_families(answer.text)  # type: ignore[no-untyped-call]
    [[sample]] = [family.samples for family in families]
    value = None if sample.value != sample.value else Fraction(sample.value)
    return Answered(value, has_total=True, by_zero_is_0=False, is_float=True)


def labels_below(entrance: Entrance, pk: Path, dimension: Path | None) -> frozenset[str]:
    """The known labels below a pk (`dimension` None) or below a dimension of it."""
    if dimension is None:
        found = entrance.whale.get("/pks", {"pk": json.dumps(list(pk))} if pk else {}).json["pks"]
        return frozenset(path[-1] for path in found)
    asked = {"pk": list(pk), "dimensions": [list(dimension) or ["_"]]}
    [below] = entrance.whale.post("/subdimensions", asked).json.values()
    paths = (json.loads(each) if each.startswith("[") else [each] for each in below)
    return frozenset(path[-1] for path in paths)


WAYS_OUT: tuple[Way, ...] = (
    *(totals, totals_csv, totals_posted, library_totals, plotpoints, library_plotpoints),
    *(graph, ranked, rendered, prometheus),
)
