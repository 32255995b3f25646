"""The column mapping of an import: turns the cells of a table's row into the fields of an event.

Defines the notation. A pk or a dimension is written as the documentation writes paths, with the
name of each column in braces::

    Shop                        one label, the same for every row
    Product > {sku}             a constant, then the text of column `sku`
    store > no. {store_id}      constants and columns may share a label
    ["profit > loss", "{sku}"]  a JSON list, for labels that contain a > or begin with [
    {{                          a brace in a label is written twice

A metric is a column: ``revenue=sales_value``, or ``quantity`` if both have the same name.

Takes texts. Knows nothing of files, CSV or limits: its result is parsed like any event.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from hailwhale.core.events.literals import parse_relaxed_json
from hailwhale.core.events.metrics import parse_metric_name
from hailwhale.core.time.time_formats import time_reader
from hailwhale.errors import BadInput

_TOKEN = re.compile(r"\{\{|\}\}|\{(?P<column>[^{}]+)\}|(?P<text>[^{}]+)|(?P<stray>[{}])")
_PATH_FORMS = "labels separated by > with columns in braces, such as Product > {sku}"


@dataclass(frozen=True, slots=True)
class Column:
    """A column, by its name in the header."""

    name: str


LabelTemplate = tuple[str | Column, ...]
Template = tuple[LabelTemplate, ...]
Cells = Sequence[str]
MakeFields = Callable[[Cells], dict[str, object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnMapping:
    """Map columns to the fields of an event.

    `metrics` are pairs of a metric's name and its column; `at`, `id` and `uid` are columns.
    `at_format` is how times are written: see `time_reader`. Without it they are read as those of
    events are.
    """

    pk: Template = ()
    dimensions: tuple[Template, ...] = ()
    metrics: tuple[tuple[str, Column], ...] = ()
    at: Column | None = None
    id: Column | None = None
    uid: Column | None = None
    at_format: str | None = None

    @classmethod
    def parse(
        cls,
        pk: str | None = None,
        dimensions: Iterable[str] = (),
        metrics: Iterable[str] = (),
        at: str | None = None,
        id: str | None = None,
        uid: str | None = None,
        at_format: str | None = None,
    ) -> ColumnMapping:
        """Parse a mapping; raise `BadInput` naming the text that is invalid.

        >>> ColumnMapping.parse(pk="Product > {sku}").pk
        (('Product',), (Column(name='sku'),))
        >>> ColumnMapping.parse(metrics=["revenue=sales_value"]).metrics
        (('revenue', Column(name='sales_value')),)
        """
        if at_format is not None:
            time_reader(at_format, "at-format")
            if at is None:
                raise BadInput("at-format", at_format, "--at with the column of the time")
        return cls(
            pk=_template(pk, "pk") if pk is not None else (),
            dimensions=tuple([_template(text, "dimension") for text in dimensions]),
            metrics=_metrics(metrics),
            at=None if at is None else _named(at, "at"),
            id=None if id is None else _named(id, "id"),
            uid=None if uid is None else _named(uid, "uid"),
            at_format=at_format,
        )

    @property
    def text(self) -> str:
        """Return the canonical form: equal texts give equal events from every row.

        >>> path, listed = "Product>{sku}", '["Product","{sku}"]'
        >>> ColumnMapping.parse(pk=path).text == ColumnMapping.parse(pk=listed).text
        True
        """
        parts: list[object] = [
            _plain(self.pk),
            [_plain(template) for template in self.dimensions],
            [[name, column.name] for name, column in self.metrics],
            self.at and self.at.name,
            self.id and self.id.name,
            self.uid and self.uid.name,
        ]
        if self.at_format is not None:  # the text of a mapping without one names stored imports
            parts.append(self.at_format)
        return json.dumps(parts)

    def bind(self, header: Sequence[str]) -> MakeFields:
        """Return a function that turns the cells of a row into the fields of an event.

        A path ends before its first label with an empty cell, and an empty metric or uid is
        omitted: a row does not count what it does not know. The function raises `BadInput` for a
        time that is not in the format. Raises `BadInput` for a column that is missing from the
        header or occurs twice.

        >>> mapping = ColumnMapping.parse(dimensions=["country > {country}"])
        >>> fields = mapping.bind(["country", "city"])
        >>> fields(["US", "Boston"])["dimensions"], fields(["", "Boston"])["dimensions"]
        ([('country', 'US')], [('country',)])
        """
        names = [name.strip() for name in header]
        pk = _placed(self.pk, names, "pk")
        dimensions = [_placed(template, names, "dimension") for template in self.dimensions]
        metrics = [(name, _place(column, names, "metric")) for name, column in self.metrics]
        at = _place(self.at, names, "at") if self.at else None
        read = time_reader(self.at_format, "at-format") if self.at_format else str
        id = _place(self.id, names, "id") if self.id else None
        uid = _place(self.uid, names, "uid") if self.uid else None

        def fields(cells: Cells) -> dict[str, object]:
            paths = [_path(template, cells) for template in dimensions]
            found: dict[str, object] = {
                "dimensions": [path for path in paths if path],
                "metrics": {name: cells[place] for name, place in metrics if cells[place].strip()},
            }
            if pk:
                found["pk"] = _path(pk, cells)
            if at is not None:
                found["at"] = read(cells[at])
            if id is not None:
                found["id"] = cells[id]
            if uid is not None and cells[uid].strip():
                found["uid"] = cells[uid]
            return found

        return fields


_Placed = list[list[str | int]]  # a template with the indices of its columns


def _path(template: _Placed, cells: Cells) -> tuple[str, ...]:
    labels: list[str] = []
    for label in template:
        text = _filled(label, cells)
        if not text:
            break
        labels.append(text)
    return tuple(labels)


def _filled(label: Sequence[str | int], cells: Cells) -> str:
    """Return the text of a label, empty if one of its cells is empty."""
    text = ""
    for part in label:
        piece = part if isinstance(part, str) else cells[part]
        if not isinstance(part, str) and not piece.strip():
            return ""
        text += piece
    return text


def _placed(template: Template, names: Sequence[str], option: str) -> _Placed:
    return [
        [part if isinstance(part, str) else _place(part, names, option) for part in label]
        for label in template
    ]


def _place(column: Column, names: Sequence[str], option: str) -> int:
    found = [place for place, name in enumerate(names) if name == column.name]
    if len(found) != 1:
        which = "one of the columns" if not found else "a column that occurs once, of"
        raise BadInput(option, column.name, f"{which} {', '.join(names)}")
    return found[0]


def _template(text: str, option: str) -> Template:
    if text.lstrip().startswith("["):
        texts = parse_relaxed_json(text, option)
    else:
        texts = [label.strip() for label in text.split(">")]
    if not isinstance(texts, list) or not texts:
        raise BadInput(option, text, _PATH_FORMS)
    return tuple([_label(label, option, text) for label in texts])


def _label(label: object, option: str, whole: str) -> LabelTemplate:
    if not isinstance(label, str) or not label.strip():
        raise BadInput(option, whole, _PATH_FORMS)
    parts: list[str | Column] = []
    for token in _TOKEN.finditer(label):
        if token["stray"]:
            raise BadInput(
                option,
                whole,
                "a column name in braces such as {sku}; {{ and }} for a literal brace",
            )
        if token["column"]:
            parts.append(_named(token["column"], option))
        else:
            parts.append(token["text"] or token[0][0])
    return tuple(parts)


def _metrics(texts: Iterable[str]) -> tuple[tuple[str, Column], ...]:
    found: dict[str, Column] = {}
    for text in texts:
        name, equals, column = text.partition("=")
        name = parse_metric_name(name.strip(), parameter="metric")
        if name in found:
            raise BadInput("metric", text, f"each metric only once, but {name} is repeated")
        found[name] = _named(column if equals else name, "metric")
    return tuple(found.items())


def _named(text: str, option: str) -> Column:
    if not text.strip():
        raise BadInput(option, text, "the name of a column")
    return Column(text.strip())


def _plain(template: Template) -> list[list[object]]:
    return [
        [part if isinstance(part, str) else [part.name] for part in label] for label in template
    ]
