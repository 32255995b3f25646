"""Facade for sealed URLs, a part of `Whale`: pixels and graphs for public pages.

It passes values on to `services.security`, and has no logic of its own. It needs the keys
(`hailwhale keys new`) but not the store.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from html import escape
from typing import Unpack

from hailwhale.core.time.period_text import plain_arguments
from hailwhale.default_instance import ClassOrInstance, either
from hailwhale.services.security.sealed_tokens import TokenSealer, sealing_of
from hailwhale.types import (
    DimensionsLike,
    FormulasLike,
    GraphOptions,
    LengthLike,
    MetricsLike,
    PathLike,
    PeriodLike,
)


class SealedUrls(ClassOrInstance):
    """Creates sealed URLs, which nobody can read or change."""

    _sealing: TokenSealer | None = None

    @property
    def sealing(self) -> TokenSealer:
        """Return the sealer that uses the keys of the settings."""
        if self._sealing is None:
            self._sealing = sealing_of(self.settings, time.time)
        return self._sealing

    @either
    def pixel_url(
        self,
        pk: PathLike | None = None,
        dimensions: DimensionsLike | None = None,
        metrics: MetricsLike | None = None,
        *,
        dimension: DimensionsLike | None = None,
        metric: MetricsLike | None = None,
        slots: Sequence[str] = (),
        expires: LengthLike | None = None,
        once: bool = False,
    ) -> str:
        """Return the URL of a pixel that counts exactly this, whoever loads it.

        Args:
            pk: What the pixel counts: a label such as "Signup", or a path of labels.
            dimensions: What it can be split by: a label, a path of labels, a mapping such as
                {"country": "US"}, or a list of paths.
            metrics: Amounts by name, such as {"dollars": 5}, or names that count 1 each.
            dimension, metric: Aliases of `dimensions` and `metrics`; give only one of each.
            slots: What the page may add to the URL: names of dimensions (`&country=US` counts
                country > US), or "uid".
            expires: After how long the pixel counts no more: a length such as "30d", or a
                timedelta. None is never.
            once: Whether to count once however often it is loaded; it expires after 23 hours at
                the latest.

        Returns:
            An absolute URL if HAILWHALE_PUBLIC_URL is set, else a path.

        Raises:
            BadInput: A parameter has an invalid value.
            BadSetting: There is no key to seal with; `hailwhale keys new` makes one.

        Example:
            >>> from hailwhale import Whale
            >>> url = Whale.pixel_url("Signup", metrics={"dollars": 5}, expires="30d")
            >>> url.startswith("https://hw.example.com/pixel/"), url.endswith(".gif")
            (True, True)
        """
        fields = plain_arguments(
            pk=pk, dimensions=dimensions, metrics=metrics, dimension=dimension, metric=metric
        )
        length = plain_arguments(expires=expires).get("expires")
        token = self.sealing.pixel(fields, slots, length, once=once)
        return f"{self.settings.home}/pixel/{token}.gif"

    @either
    def pixel_tag(
        self,
        pk: PathLike | None = None,
        dimensions: DimensionsLike | None = None,
        metrics: MetricsLike | None = None,
        *,
        dimension: DimensionsLike | None = None,
        metric: MetricsLike | None = None,
        slots: Sequence[str] = (),
        expires: LengthLike | None = None,
        once: bool = False,
    ) -> str:
        """Return the `<img>` element of the pixel that `pixel_url` makes.

        Args:
            pk: What the pixel counts: a label such as "Signup", or a path of labels.
            dimensions: What it can be split by: a label, a path of labels, a mapping such as
                {"country": "US"}, or a list of paths.
            metrics: Amounts by name, such as {"dollars": 5}, or names that count 1 each.
            dimension, metric: Aliases of `dimensions` and `metrics`; give only one of each.
            slots: What the page may add to the URL: names of dimensions (`&country=US` counts
                country > US), or "uid".
            expires: After how long the pixel counts no more: a length such as "30d", or a
                timedelta. None is never.
            once: Whether to count once however often it is loaded; it expires after 23 hours at
                the latest.

        Returns:
            An `<img>` element, escaped: mark it as safe in a template.

        Raises:
            BadInput: A parameter has an invalid value.
            BadSetting: There is no key to seal with; `hailwhale keys new` makes one.

        Example:
            >>> from hailwhale import Whale
            >>> Whale.pixel_tag("Signup", once=True).endswith('.gif" width="1" height="1" alt="">')
            True
        """
        url = self.pixel_url(
            pk,
            dimensions,
            metrics,
            dimension=dimension,
            metric=metric,
            slots=slots,
            expires=expires,
            once=once,
        )
        return f'<img src="{escape(url)}" width="1" height="1" alt="">'

    @either
    def sealed_graph_url(
        self,
        pk: PathLike | None = None,
        dimensions: DimensionsLike | None = None,
        metrics: FormulasLike | None = None,
        period: PeriodLike | None = None,
        depth: int | None = None,
        *,
        expires: LengthLike | None = None,
        **options: Unpack[GraphOptions],
    ) -> str:
        """Return the URL of a script that shows exactly this graph, whoever's page it is on.

        The token in the URL also opens /plotpoints, /totals and /graph.svg, which answer what was
        sealed.

        Args:
            pk: What the graph shows: a label such as "Shop", or a path of labels.
            dimensions: The dimensions to show: a label, a path of labels, a mapping or a list of
                paths. None is the overall, "_".
            metrics: Metrics or formulas: a list, or text with commas between. None is "hits".
            period: A period such as "1d:1mo", a Period, a timedelta, a date or two dates. None is
                "1d:1mo".
            depth: How many levels of descendants to add. None is 0.
            expires: After how long the graph shows no more: a length such as "30d", or a timedelta.
                None is never.
            options: The other parameters of /plotpoints and /graph.js, such as `title`, `height`
                in CSS pixels, `view` or `live`; see `hailwhale.types.GraphOptions`.

        Returns:
            An absolute URL if HAILWHALE_PUBLIC_URL is set, else a path.

        Raises:
            BadInput: A parameter has an invalid value.
            BadSetting: There is no key to seal with; `hailwhale keys new` makes one.

        Example:
            >>> from hailwhale import Whale
            >>> url = Whale.sealed_graph_url("Shop", metrics="dollars", depth=1)
            >>> url.startswith("https://hw.example.com/graph.js?token=")
            True
        """
        fields = plain_arguments(
            pk=pk, dimensions=dimensions, metrics=metrics, period=period, depth=depth, **options
        )
        length = plain_arguments(expires=expires).get("expires")
        return f"{self.settings.home}/graph.js?token={self.sealing.graph(fields, length)}"

    @either
    def sealed_graph_tag(
        self,
        pk: PathLike | None = None,
        dimensions: DimensionsLike | None = None,
        metrics: FormulasLike | None = None,
        period: PeriodLike | None = None,
        depth: int | None = None,
        *,
        expires: LengthLike | None = None,
        **options: Unpack[GraphOptions],
    ) -> str:
        """Return the `<script>` element of the graph that `sealed_graph_url` makes.

        Args:
            pk: What the graph shows: a label such as "Shop", or a path of labels.
            dimensions: The dimensions to show: a label, a path of labels, a mapping or a list of
                paths. None is the overall, "_".
            metrics: Metrics or formulas: a list, or text with commas between. None is "hits".
            period: A period such as "1d:1mo", a Period, a timedelta, a date or two dates. None is
                "1d:1mo".
            depth: How many levels of descendants to add. None is 0.
            expires: After how long the graph shows no more: a length such as "30d", or a timedelta.
                None is never.
            options: The other parameters of /plotpoints and /graph.js, such as `title`, `height`
                in CSS pixels, `view` or `live`; see `hailwhale.types.GraphOptions`.

        Returns:
            A `<script>` element, escaped: mark it as safe in a template.

        Raises:
            BadInput: A parameter has an invalid value.
            BadSetting: There is no key to seal with; `hailwhale keys new` makes one.

        Example:
            >>> from hailwhale import Whale
            >>> Whale.sealed_graph_tag("Shop", metrics="dollars").startswith("<script async src=")
            True
        """
        url = self.sealed_graph_url(
            pk, dimensions, metrics, period, depth, expires=expires, **options
        )
        return f'<script async src="{escape(url)}"></script>'
