"""The library's door to sealed URLs, a part of `Whale`: pixels and graphs for public pages.

A facade: it hands values on to `services.sealing`, and has no logic of its own. It needs the keys
(`hailwhale keys new`) and nothing of the store.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from html import escape

from hailwhale.default_instance import ClassOrInstance, either, given
from hailwhale.services.security.sealed_tokens import TokenSealer, sealing_of


class SealedUrls(ClassOrInstance):
    """Makes URLs that nobody can read or change."""

    _sealing: TokenSealer | None = None

    @property
    def sealing(self) -> TokenSealer:
        """What seals, by the keys of the settings."""
        if self._sealing is None:
            self._sealing = sealing_of(self.settings, time.time)
        return self._sealing

    @either
    def pixel_url(
        self,
        pk: object = None,
        dimensions: object = None,
        metrics: object = None,
        *,
        dimension: object = None,
        metric: object = None,
        slots: Sequence[str] = (),
        expires: object = None,
        once: bool = False,
    ) -> str:
        """The URL of a pixel that counts exactly this, whoever loads it.

        `slots` names what the page may add to the URL: dimensions (`&country=US` counts
        `country > US`) and `uid`. It `expires` after a length such as "30d" (None: never). With
        `once` it counts once however often it is loaded, and expires in 23 hours at the latest.
        """
        fields = given(pk=pk, dimensions=dimensions, metrics=metrics)
        fields |= given(dimension=dimension, metric=metric)
        token = self.sealing.pixel(fields, slots, expires, once=once)
        return f"{self.settings.home}/pixel/{token}.gif"

    @either
    def pixel_tag(
        self,
        pk: object = None,
        dimensions: object = None,
        metrics: object = None,
        *,
        dimension: object = None,
        metric: object = None,
        slots: Sequence[str] = (),
        expires: object = None,
        once: bool = False,
    ) -> str:
        """The `<img>` for a template, of the pixel that `pixel_url` makes."""
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
        self, /, pk: object = None, *, expires: object = None, **asked: object
    ) -> str:
        """The URL of a script that shows exactly this graph, whoever's page it is on.

        `asked` are the parameters of /graph.js, except `target` and `hwurl`. The token in the URL
        is as good for /plotpoints, /totals and /graph.svg, which answer what was sealed.
        """
        token = self.sealing.graph(given(pk=pk, **asked), expires)
        return f"{self.settings.home}/graph.js?token={token}"

    @either
    def sealed_graph_tag(
        self, /, pk: object = None, *, expires: object = None, **asked: object
    ) -> str:
        """The `<script>` for a template, of the graph that `sealed_graph_url` makes."""
        url = self.sealed_graph_url(pk, expires=expires, **asked)
        return f'<script async src="{escape(url)}"></script>'
