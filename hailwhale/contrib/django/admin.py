"""HailWhale in Django's admin: sortable columns in the list, a graph on each object's page."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.utils import flatten_fieldsets
from django.db import models
from django.db.models import Value
from django.http import HttpRequest
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

from hailwhale.contrib.django import html
from hailwhale.contrib.django.ranking import NumberField, Ranked, with_counted
from hailwhale.errors import StoreUnavailable

log = logging.getLogger(__name__)

_GRAPH = "counted_graph"
_NO_NUMBER = "–"
# As wide as the form allows and no wider, so that the label next to it keeps its place.
_PLACE = "display: grid; grid-template-columns: minmax(0, 720px)"
_TITLE_CHARS = 100


class CountedAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """A ModelAdmin that shows the counts of its objects.

    `counted_columns` maps the names of columns to metrics or formulas, over `counted_period`.
    `counted_limit` is how many objects get a number: those with the largest. An object's graph
    shows the same metrics and period, unless `counted_graph_options` overrides them with the
    parameters of /graph.js; None disables the graph.
    """

    counted_columns: ClassVar[Mapping[str, str]] = {"hits": "hits"}
    counted_period: ClassVar[str] = "1d:1mo"
    counted_limit: ClassVar[int] = 1_000
    counted_graph_options: ClassVar[Mapping[str, Any] | None] = {}

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Return the objects; in the list, annotated with the columns' numbers."""
        queryset = super().get_queryset(request)
        match = request.resolver_match
        if match is None or not (match.url_name or "").endswith("_changelist"):
            return queryset
        if not self.counted_columns:
            return queryset  # of any model: one with pks of its own making cannot be ordered
        names = {_annotation(name): metric for name, metric in self.counted_columns.items()}
        try:
            return with_counted(
                queryset, period=self.counted_period, limit=self.counted_limit, **names
            )
        except StoreUnavailable as fault:
            log.warning("%s; the list is shown without its counted columns", fault)
            text = "The counted columns are empty: HailWhale's store does not answer."
            messages.warning(request, text, fail_silently=True)
            nothing = Value(None, output_field=NumberField())
            return queryset.annotate(**dict.fromkeys(names, nothing))

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """Return the columns, followed by the counted ones."""
        return [*super().get_list_display(request), *map(_column, self.counted_columns)]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Return the read-only fields, with the graph if there is an object."""
        fields = super().get_readonly_fields(request, obj)
        return [*fields, _GRAPH] if self._has_graph(obj) else [*fields]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return the fieldsets, with the graph in a fieldset of its own at the end."""
        fieldsets = super().get_fieldsets(request, obj)
        if not self._has_graph(obj):
            return [*_without_graph(fieldsets)]  # of an object that is only being added
        if _GRAPH in flatten_fieldsets(fieldsets):
            return fieldsets
        return [*fieldsets, (None, {"fields": [_GRAPH]})]

    @admin.display(description="counted")
    def counted_graph(self, obj: models.Model) -> SafeString:
        """Return the graph of an object."""
        asked: dict[str, Any] = {
            "metrics": list(self.counted_columns.values()) or "hits",
            "period": self.counted_period,
            "title": "".join(filter(str.isprintable, str(obj)))[:_TITLE_CHARS],
        }
        tag = html.graph(obj, **{**asked, **(self.counted_graph_options or {})})
        return format_html('<div style="{}">{}</div>', _PLACE, tag)

    def _has_graph(self, obj: models.Model | None) -> bool:
        return obj is not None and self.counted_graph_options is not None


def _without_graph(fieldsets: Any) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Yield the fieldsets without the graph, also where it is part of a line."""
    for title, options in fieldsets:
        lines = [
            line if isinstance(line, str) else [name for name in line if name != _GRAPH]
            for line in options["fields"]
            if line != _GRAPH
        ]
        if fields := [line for line in lines if line]:
            yield title, {**options, "fields": fields}


def _annotation(name: str) -> str:
    return f"hailwhale_{name}"


@cache  # the admin compares them: of a name there is to be one
def _column(name: str) -> Callable[[models.Model], str]:
    @admin.display(description=name.replace("_", " "), ordering=Ranked(_annotation(name)))
    def column(obj: models.Model) -> str:
        number = getattr(obj, _annotation(name), None)
        return _NO_NUMBER if number is None else _shown(number)

    column.__name__ = name
    return column


def _shown(number: float) -> str:
    """Format a number with thousands separators; a fraction has 2 decimals, or 4 below 10."""
    decimals = 0 if number == int(number) else 2 if abs(number) >= 10 else 4
    return number_format(round(number, decimals), decimals, force_grouping=True)
