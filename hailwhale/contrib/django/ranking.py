"""Querysets annotated with counts: database rows in the order of the store's numbers.

Translates a ranking to SQL: a CASE over the keys of the top objects.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from django.core.exceptions import FieldDoesNotExist, ImproperlyConfigured, ValidationError
from django.db import models
from django.db.models import F, Func
from django.db.models.expressions import OrderBy
from django.db.models.functions import Cast

from hailwhale.contrib.django import conf
from hailwhale.contrib.django.pks import field_of, own_pk, root_of
from hailwhale.core.events.paths import Path
from hailwhale.core.query.parameters import parse_rank
from hailwhale.core.value_parsers import parse_int
from hailwhale.services.query.results import RankedChild
from hailwhale.types import DimensionsLike, PeriodLike, ZoneLike

LIMIT = 1_000
MAX_LIMIT = 5_000  # each object is two parameters of the query, and SQLite takes 32,766
_INTEGER_BITS = 63  # that databases have for a number and take for a parameter

M = TypeVar("M", bound=models.Model)


class NumberField(models.FloatField):  # type: ignore[type-arg]
    """A counted number in a query's result: an int when whole, else a float."""

    def from_db_value(self, value: float | None, *_: object) -> object:
        """Convert a value; called by Django for each row."""
        if value is None:
            return None
        number = float(value)  # some databases have a Decimal for the type that is cast to
        return int(number) if number.is_integer() else number


class _RankingLookup(Func):
    """Looks up the value for a row's key, as `CASE key WHEN … THEN …`.

    It is one expression, because Django takes half a second to compile a thousand `When`.
    """

    def __init__(self, key: str, pairs: Sequence[tuple[object, float]], rest: float | None) -> None:
        """Take `pairs` of keys and values; all other rows get `rest`."""
        super().__init__(F(key), output_field=models.FloatField())
        self.pairs = pairs
        self.rest = rest

    def as_sql(self, compiler: Any, connection: Any, *_: Any, **__: Any) -> tuple[str, Any]:
        """Compile to SQL; called by Django for each query."""
        if not self.pairs:
            return "%s", (self.rest,)
        (column,) = self.get_source_expressions()
        sql, params = compiler.compile(column)
        prepared = column.output_field.get_db_prep_value
        told = [each for key, value in self.pairs for each in (prepared(key, connection), value)]
        cases = " WHEN %s THEN %s" * len(self.pairs)
        return f"CASE {sql}{cases} ELSE %s END", (*params, *told, self.rest)


class Ranked(F):
    """An annotation to sort by; rows outside the top N come after it."""

    def desc(self, **_: Any) -> OrderBy:
        """Sort the largest first."""
        return super().desc(nulls_last=True)

    def asc(self, **_: Any) -> OrderBy:
        """Sort the smallest first."""
        return super().asc(nulls_first=True)


def with_counted(
    queryset: models.QuerySet[M],
    *,
    period: PeriodLike | None = None,
    dimension: DimensionsLike | None = None,
    tz: ZoneLike | None = None,
    limit: int = LIMIT,
    **metrics: str,
) -> models.QuerySet[M]:
    """Annotate a queryset with a value for each name: `with_counted(found, earned="revenue")`.

    Each value is a metric or a formula over a `period` (`1d:1mo`), at a `dimension` if one is
    given. The store is queried now, for the `limit` objects with the largest values (of the model:
    whatever the queryset filters). An object never counted has 0. If more than `limit` objects were
    counted, those outside the top have None: all that is known is that they are less.
    """
    parse_int(limit, "limit", 1, MAX_LIMIT, default=LIMIT)
    field = _key(queryset.model)
    annotations = {}
    for name, metric in metrics.items():
        ranked = _ranked(
            pk=root_of(queryset.model),
            dimension=dimension,
            metric=metric,
            period=period,
            of="pks",
            limit=limit + 1,
            tz=tz,
        )
        pairs = tuple(
            (key, float(child.comparison.value or 0))
            for child in ranked[:limit]
            for key in _keys(field, child.path)
        )
        rest = 0.0 if len(ranked) <= limit else None
        annotations[name] = Cast(
            _RankingLookup(field.name, pairs, rest), output_field=NumberField()
        )
    return queryset.annotate(**annotations)


def _ranked(**asked: object) -> Sequence[RankedChild]:
    services = conf.whale().services
    return services.ranking.rank(parse_rank(asked, services.settings.limits)).children


def _key(model: type[models.Model]) -> models.Field[Any, Any]:
    """Return the field whose values are the last labels of pks."""
    name = field_of(model)
    try:
        field = model._meta.pk if name == "pk" else model._meta.get_field(name)
    except FieldDoesNotExist as fault:
        raise ImproperlyConfigured(f"{model._meta.label}.hailwhale_field: {fault}") from fault
    regular = getattr(model, "hailwhale_pk", own_pk) is own_pk
    if not regular or not isinstance(field, models.Field):
        raise ImproperlyConfigured(
            f"{model._meta.label} cannot be ordered by counts: its pks must consist of "
            "hailwhale_root and hailwhale_field, and hailwhale_field must be a field of the model"
        )
    return field


def _keys(field: models.Field[Any, Any], pk: Path) -> Iterator[object]:
    """Yield the field value that a pk stands for, if it stands for one.

    Anybody may have counted labels that no object has, and labels past a limit are counted as
    `_other`.
    """
    label = pk[-1]
    try:
        key = field.to_python(label)
        field.run_validators(key)
    except ValidationError:
        return
    if str(key) == label and not (isinstance(key, int) and key.bit_length() > _INTEGER_BITS):
        yield key


class CountedQuerySet(models.QuerySet[M]):
    """A queryset that can be sorted by counts."""

    def with_counted(self, **asked: Any) -> models.QuerySet[M]:
        """Annotate a metric or formula by name: `.with_counted(earned="revenue", period="today")`.

        See `hailwhale.contrib.django.ranking.with_counted`.
        """
        return with_counted(self, **asked)

    def order_by_counted(self, metric: str = "-hits", **asked: Any) -> models.QuerySet[M]:
        """Sort by a metric or formula; a minus puts the largest first: `"-revenue"`.

        The values are annotated as `counted`. Equal values are sorted by primary key.
        """
        name = metric.strip().removeprefix("-")
        by = Ranked("counted")
        order = by.asc() if name == metric.strip() else by.desc()
        return self.with_counted(counted=name, **asked).order_by(order, "pk")


CountedManager = models.Manager.from_queryset(CountedQuerySet)
