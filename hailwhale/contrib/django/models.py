"""The model mixin `Counted`: objects that count their events and answer queries about them.

It passes the object's pk to the public API and has no logic of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from functools import wraps
from typing import Any, ClassVar, ParamSpec, TypeVar

from asgiref.sync import sync_to_async
from django.db import models, router
from django.utils.asyncio import async_unsafe

from hailwhale.contrib.django import conf, on_commit
from hailwhale.contrib.django.pks import own_pk, pk_of
from hailwhale.contrib.django.ranking import CountedManager
from hailwhale.core.events.paths import parse_dimensions
from hailwhale.types import (
    DimensionsLike,
    FormulasLike,
    MetricsLike,
    Number,
    Plotpoints,
    RankRow,
    Subdimensions,
    Totals,
)

P = ParamSpec("P")
R = TypeVar("R")


def _awaited(method: Callable[P, R]) -> Callable[P, Coroutine[Any, Any, R]]:
    """Return a method as a coroutine; it runs in Django's sync thread, so in its transaction."""

    @wraps(method)
    async def called(*args: P.args, **kwargs: P.kwargs) -> R:
        return await sync_to_async(method)(*args, **kwargs)

    return called


class Counted(models.Model):
    """A model whose objects are counted as `["shop.Product", "7"]`: the model's label and the pk.

    `hailwhale_root` sets another prefix (`"Product"`, or a list of labels), and `hailwhale_field`
    the field to use in place of the primary key. `hailwhale_pk` may be overridden altogether.

    Arguments are those of `hailwhale.whale.Whale` without its `pk`. Each method that waits for the
    store has a coroutine twin, prefixed with `a`. In a running event loop the blocking one raises
    `SynchronousOnlyOperation`, as Django's own methods do.
    """

    hailwhale_root: ClassVar[str | Sequence[str]] = ()
    hailwhale_field: ClassVar[str] = "pk"
    hailwhale_pk = own_pk

    objects = CountedManager()

    class Meta:
        abstract = True

    @async_unsafe
    def count_now(
        self,
        dimensions: DimensionsLike | None = None,
        metrics: MetricsLike | None = None,
        **event: Any,
    ) -> bool | None:
        """Count one event of this object when the current transaction is committed.

        A rollback counts nothing; without a transaction the event counts at once. A deferred event
        keeps the time of the call. If the store is unavailable at commit, it is logged as an error.
        `event` are the further parameters: `metric`, `dimension`, `at`, `id`, `uid`.
        """
        fields = {"dimensions": dimensions, "metrics": metrics, **event}
        return on_commit.count(self._event(fields), self._using())

    @async_unsafe
    def count_related(
        self,
        other: object,
        dimensions: DimensionsLike | None = None,
        metrics: MetricsLike | None = None,
        **event: Any,
    ) -> bool | None:
        """Count as `count_now`, also by another object: `product.count_related(customer, …)`.

        The other's pk is a dimension, `shop.Customer > 12`: `product.rank("shop.Customer")` ranks
        the customers of this product.
        """
        limits = conf.whale().settings.limits
        asked = event.pop("dimension", None) if dimensions is None else dimensions
        paths = [list(path) for path in parse_dimensions(asked, limits)]
        return self.count_now([*paths, pk_of(other)], metrics, **event)

    @async_unsafe
    def update_count_to(
        self,
        dimensions: DimensionsLike | None = None,
        metrics: MetricsLike | None = None,
        **event: Any,
    ) -> None:
        """Set all-time totals to these values when the transaction is committed."""
        fields = {"dimensions": dimensions, "metrics": metrics, **event}
        on_commit.update_count_to(self._event(fields), self._using())

    @async_unsafe
    def totals(self, *args: Any, **asked: Any) -> Totals:
        """Return `{period: {dimension: {metric: number}}}`, as `Whale.totals`."""
        return conf.whale().totals(self.hailwhale_pk(), *args, **asked)

    @async_unsafe
    def total(self, metric: FormulasLike | None = None, *args: Any, **asked: Any) -> Number:
        """Return one number: `product.total("revenue", "1d:1mo")`."""
        return conf.whale().total(self.hailwhale_pk(), metric, *args, **asked)

    @async_unsafe
    def today(self, metric: FormulasLike | None = None, *args: Any, **asked: Any) -> Number:
        """Return the total of one metric or formula since midnight in the service's time zone."""
        return conf.whale().today(self.hailwhale_pk(), metric, *args, **asked)

    @async_unsafe
    def yesterday(self, metric: FormulasLike | None = None, *args: Any, **asked: Any) -> Number:
        """Return the total of one metric or formula over the day before today."""
        return conf.whale().yesterday(self.hailwhale_pk(), metric, *args, **asked)

    @async_unsafe
    def plotpoints(self, *args: Any, **asked: Any) -> Plotpoints:
        """Return `{dimension: {metric: [[epoch ms, number], …]}}`, as `Whale.plotpoints`."""
        return conf.whale().plotpoints(self.hailwhale_pk(), *args, **asked)

    @async_unsafe
    def rank(self, *args: Any, **asked: Any) -> list[RankRow]:
        """Rank the children of a dimension of this object, as `Whale.rank`."""
        return conf.whale().rank(self.hailwhale_pk(), *args, **asked)

    @async_unsafe
    def subdimensions(self, *args: Any, **asked: Any) -> Subdimensions:
        """Return the known dimensions of this object, as `Whale.subdimensions`."""
        return conf.whale().subdimensions(self.hailwhale_pk(), *args, **asked)

    acount_now = _awaited(count_now)
    acount_related = _awaited(count_related)
    aupdate_count_to = _awaited(update_count_to)
    atotals = _awaited(totals)
    atotal = _awaited(total)
    atoday = _awaited(today)
    ayesterday = _awaited(yesterday)
    aplotpoints = _awaited(plotpoints)
    arank = _awaited(rank)
    asubdimensions = _awaited(subdimensions)

    def _event(self, fields: dict[str, Any]) -> dict[str, Any]:
        given = {name: value for name, value in fields.items() if value is not None}
        return {"pk": self.hailwhale_pk(), **given}

    def _using(self) -> str:
        """Return the database whose transaction this object is part of."""
        return self._state.db or router.db_for_write(type(self), instance=self)
