"""`Whale`'s queries for labels and events: pks, dimensions, metrics and the last events.

Facades: they pass values on to the parsers and services.
"""

from __future__ import annotations

from hailwhale.core.events.paths import parse_pk
from hailwhale.core.query.parameters import parse_children, parse_spy
from hailwhale.core.time.period_text import plain_arguments
from hailwhale.default_instance import ClassOrInstance, either
from hailwhale.services.json_shapes import events_json, known_json, pks_json, subdimensions_json
from hailwhale.types import DimensionsLike, Known, PathLike, SpyEvent, Subdimensions


class LabelMethods(ClassOrInstance):
    """Queries which labels and events were counted."""

    @either
    def subdimensions(
        self,
        pk: PathLike | None = None,
        dimensions: DimensionsLike | None = None,
        depth: int | None = None,
        *,
        dimension: DimensionsLike | None = None,
    ) -> Subdimensions:
        """Return the dimensions that are known below others.

        Args:
            pk: What is asked about: a label such as "Shop", or a path of labels such as ["Product",
                7]. None is the unnamed pk, "_".
            dimensions: The dimensions to answer for: a label, a path of labels, a mapping such as
                {"country": "US"}, or a list of paths. None is the overall, "_".
            depth: How many levels down. None is 1.
            dimension: An alias of `dimensions`; give one of the two.

        Returns:
            `{dimension: [dimension, ...]}`: below each dimension asked for, in the order of their
            labels, keyed as in `totals`.

        Raises:
            BadInput: A parameter has an invalid value.
            StoreUnavailable: The store does not answer.

        Example:
            >>> from hailwhale import Whale
            >>> Whale.count_now("Mug", {"country": "US"})
            True
            >>> Whale.subdimensions("Mug", depth=2)
            {'_': ['country', '["country", "US"]']}
        """
        fields = plain_arguments(pk=pk, dimensions=dimensions, depth=depth, dimension=dimension)
        services = self.services
        question = parse_children(fields, services.settings.limits)
        return subdimensions_json(services.reporting.subdimensions(question))

    @either
    def pks(
        self,
        pk: PathLike | None = None,
    ) -> list[list[str]]:
        """Return the pks that are known one level below a pk.

        Args:
            pk: The pk to look below: a label such as "Shop", or a path of labels. None returns the
                root pks.

        Returns:
            A path of labels for each pk, in the order of their labels.

        Raises:
            BadInput: A parameter has an invalid value.
            StoreUnavailable: The store does not answer.

        Example:
            >>> from hailwhale import Whale
            >>> Whale.count_now(["Mug", 7])
            True
            >>> Whale.pks("Mug")
            [['Mug', '7']]
        """
        services = self.services
        above = () if pk is None or pk == "" else parse_pk(pk, services.settings.limits)
        return pks_json(services.reporting.pks(above))

    @either
    def known(
        self,
        pk: PathLike | None = None,
    ) -> Known:
        """Return what can be asked about a pk.

        Args:
            pk: What is asked about: a label such as "Shop", or a path of labels such as ["Product",
                7]. None is the unnamed pk, "_".

        Returns:
            `metrics`, the names of the metrics that were counted; `dimensions`, the first labels of
            its dimensions; and `decision`, whether options are counted under it.

        Raises:
            BadInput: A parameter has an invalid value.
            StoreUnavailable: The store does not answer.

        Example:
            >>> from hailwhale import Whale
            >>> Whale.count_now("Mug", {"country": "US"}, {"revenue": 9.5})
            True
            >>> Whale.known("Mug")
            {'metrics': ['hits', 'revenue'], 'dimensions': ['country'], 'decision': False}
        """
        services = self.services
        return known_json(services.reporting.known(parse_pk(pk, services.settings.limits)))

    @either
    def spy(
        self,
        pk: PathLike | None = None,
        uid: str | int | None = None,
        limit: int | None = None,
    ) -> list[SpyEvent]:
        """Return the last events at or below a pk, newest first.

        Only the latest events are kept, and during bursts only the newest of those. Events that are
        still buffered are not among them.

        Args:
            pk: What is asked about: a label such as "Shop", or a path of labels such as ["Product",
                7]. None is the unnamed pk, "_".
            uid: Return the events of this visitor alone.
            limit: How many events to return, from 1 to 1,000. None is 100.

        Returns:
            A mapping for each event: `at` in epoch seconds, `pk` and `dimensions` as paths,
            `metrics` by name and, where the event had a uid, the hash `visitor`. Private values are
            `"***"`.

        Raises:
            BadInput: A parameter has an invalid value.
            StoreUnavailable: The store does not answer.

        Example:
            >>> from hailwhale import Whale
            >>> Whale.count_now("Mug", "blue")
            True
            >>> Whale.spy("Mug", limit=1)
            [{'at': 1773576630, 'pk': ['Mug'], 'dimensions': [['blue']], 'metrics': {'hits': 1}}]
        """
        services = self.services
        question = parse_spy(plain_arguments(pk=pk, uid=uid, limit=limit), services.settings.limits)
        return events_json(services.spying.recent(question))
