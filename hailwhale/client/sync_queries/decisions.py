"""Decision queries: an option for a visitor, and the evidence for each option."""

from __future__ import annotations

from typing import Literal, overload

from hailwhale.client.sync_queries.base import QueryBase
from hailwhale.core.time.period_text import plain_arguments
from hailwhale.types import (
    DimensionsLike,
    LengthLike,
    OptionNumbers,
    OptionsLike,
    PathLike,
    Reasons,
    ThresholdLike,
)


class DecisionQueries(QueryBase):
    """Asks for decisions."""

    @overload
    def decide(
        self,
        pk: PathLike | None = None,
        options: OptionsLike | None = None,
        dimensions: DimensionsLike | None = None,
        *,
        by_metric: str | None = None,
        goal: Literal["max", "min"] | None = None,
        weights: OptionNumbers | None = None,
        holdout: ThresholdLike | None = None,
        minimum: OptionNumbers | None = None,
        maximum: OptionNumbers | None = None,
        half_life: LengthLike | None = None,
        delay: LengthLike | None = None,
        explore: bool | None = None,
        uid: str | int | None = None,
        slots: None = None,
        log: bool | None = None,
        reasons: bool | None = None,
        option: OptionsLike | None = None,
        dimension: DimensionsLike | None = None,
        known_data: DimensionsLike | None = None,
    ) -> str: ...

    @overload
    def decide(
        self,
        pk: PathLike | None = None,
        options: OptionsLike | None = None,
        dimensions: DimensionsLike | None = None,
        *,
        by_metric: str | None = None,
        goal: Literal["max", "min"] | None = None,
        weights: OptionNumbers | None = None,
        holdout: ThresholdLike | None = None,
        minimum: OptionNumbers | None = None,
        maximum: OptionNumbers | None = None,
        half_life: LengthLike | None = None,
        delay: LengthLike | None = None,
        explore: bool | None = None,
        uid: str | int | None = None,
        slots: int,
        log: bool | None = None,
        reasons: bool | None = None,
        option: OptionsLike | None = None,
        dimension: DimensionsLike | None = None,
        known_data: DimensionsLike | None = None,
    ) -> list[str]: ...

    def decide(
        self,
        pk: PathLike | None = None,
        options: OptionsLike | None = None,
        dimensions: DimensionsLike | None = None,
        *,
        by_metric: str | None = None,
        goal: Literal["max", "min"] | None = None,
        weights: OptionNumbers | None = None,
        holdout: ThresholdLike | None = None,
        minimum: OptionNumbers | None = None,
        maximum: OptionNumbers | None = None,
        half_life: LengthLike | None = None,
        delay: LengthLike | None = None,
        explore: bool | None = None,
        uid: str | int | None = None,
        slots: int | None = None,
        log: bool | None = None,
        reasons: bool | None = None,
        option: OptionsLike | None = None,
        dimension: DimensionsLike | None = None,
        known_data: DimensionsLike | None = None,
    ) -> str | list[str]:
        """Choose an option for a visitor, and count the choice.

        Args:
            pk: The decision: a label such as "Page", or a path of labels.
            options: The options to choose among: a list, or text with commas between. None is all
                that were ever counted.
            dimensions: What is known of the visitor, such as {"country": "US", "device": "phone"}.
            by_metric: What to decide by: a metric, which is taken per hit, or a formula such as
                "earned/spent".
            goal: "max", or "min" where less is better. None is "max".
            weights: What share of random choices each option gets: a number by option. None is 1
                for each.
            holdout: The share of visitors, from 0 to 1, that always get a random option. None is 0.
            minimum: The smallest share that an option gets: one number, or a number by option.
            maximum: The largest share that an option gets: one number, or a number by option.
            half_life: The half-life of evidence: a length such as "7d", or a timedelta.
                None is never.
            delay: How long results come after their exposures: a length such as "12h", or a
                timedelta. None estimates it.
            explore: Whether to try options that may turn out better. None is True.
            uid: Who the visitor is: the same uid gets the same option.
            slots: How many options to return, as a list. None returns one option.
            log: Whether to write the decision into the journal, for `hailwhale evaluate`.
            reasons: Ignored, for /decide has it: the method `reasons` returns them.
            known_data: An alias of `dimensions`; give one of the two.
            option, dimension: Aliases of `options` and `dimensions`; give only one of each.

        Returns:
            The option. With `slots` a list of so many options, the best first, each once.

        Raises:
            BadInput: A parameter has an invalid value.
            StoreUnavailable: The service or its store does not answer.
            NotAllowed: The token may not read.
            TooMany: The caller is over the rate limit.

        Example:
            >>> client.decide("Page", ["a"], {"country": "US"}, by_metric="earned/spent")
            'a'
        """
        question = plain_arguments(
            pk=pk,
            options=options,
            dimensions=dimensions,
            by_metric=by_metric,
            goal=goal,
            weights=weights,
            holdout=holdout,
            minimum=minimum,
            maximum=maximum,
            half_life=half_life,
            delay=delay,
            explore=explore,
            uid=uid,
            slots=slots,
            log=log,
            option=option,
            dimension=dimension,
            known_data=known_data,
        )
        answer = self._ask("/decide", {**question, "reasons": False})
        given = answer.get("options", [answer])
        options_given: list[str] = [each["option"] for each in given]
        return options_given[0] if slots is None else options_given

    def reasons(
        self,
        pk: PathLike | None = None,
        options: OptionsLike | None = None,
        dimensions: DimensionsLike | None = None,
        *,
        by_metric: str | None = None,
        goal: Literal["max", "min"] | None = None,
        weights: OptionNumbers | None = None,
        holdout: ThresholdLike | None = None,
        minimum: OptionNumbers | None = None,
        maximum: OptionNumbers | None = None,
        half_life: LengthLike | None = None,
        delay: LengthLike | None = None,
        explore: bool | None = None,
        option: OptionsLike | None = None,
        dimension: DimensionsLike | None = None,
        known_data: DimensionsLike | None = None,
    ) -> Reasons:
        """Return what is known of each option for a visitor.

        Args:
            pk: The decision: a label such as "Page", or a path of labels.
            options: The options to choose among: a list, or text with commas between. None is all
                that were ever counted.
            dimensions: What is known of the visitor, such as {"country": "US", "device": "phone"}.
            by_metric: What to decide by: a metric, which is taken per hit, or a formula such as
                "earned/spent".
            goal: "max", or "min" where less is better. None is "max".
            weights: What share of random choices each option gets: a number by option. None is 1
                for each.
            holdout: The share of visitors, from 0 to 1, that always get a random option. None is 0.
            minimum: The smallest share that an option gets: one number, or a number by option.
            maximum: The largest share that an option gets: one number, or a number by option.
            half_life: The half-life of evidence: a length such as "7d", or a timedelta.
                None is never.
            delay: How long results come after their exposures: a length such as "12h", or a
                timedelta. None estimates it.
            explore: Whether to try options that may turn out better. None is True.
            known_data: An alias of `dimensions`; give one of the two.
            option, dimension: Aliases of `options` and `dimensions`; give only one of each.

        Returns:
            `options` by name. Each has its estimate and 95 % interval in the unit of the formula,
            its share of visitors from 0 to 1, and the reason in words. `winner` is the option to
            keep for good, if there is one. `sample_ratio` checks the traffic. See
            `hailwhale.types.Reasons`.

        Raises:
            BadInput: A parameter has an invalid value.
            StoreUnavailable: The service or its store does not answer.
            NotAllowed: The token may not read.
            TooMany: The caller is over the rate limit.

        Example:
            >>> client.reasons("Page", ["a", "b"], by_metric="earned")["winner"] is None
            True
        """
        answer: Reasons = self._ask(
            "/reasons",
            plain_arguments(
                pk=pk,
                options=options,
                dimensions=dimensions,
                by_metric=by_metric,
                goal=goal,
                weights=weights,
                holdout=holdout,
                minimum=minimum,
                maximum=maximum,
                half_life=half_life,
                delay=delay,
                explore=explore,
                option=option,
                dimension=dimension,
                known_data=known_data,
            ),
        )
        return answer

    def weighted_reasons(
        self,
        pk: PathLike | None = None,
        options: OptionsLike | None = None,
        dimensions: DimensionsLike | None = None,
        *,
        by_metric: str | None = None,
        goal: Literal["max", "min"] | None = None,
        weights: OptionNumbers | None = None,
        holdout: ThresholdLike | None = None,
        minimum: OptionNumbers | None = None,
        maximum: OptionNumbers | None = None,
        half_life: LengthLike | None = None,
        delay: LengthLike | None = None,
        explore: bool | None = None,
        option: OptionsLike | None = None,
        dimension: DimensionsLike | None = None,
        known_data: DimensionsLike | None = None,
    ) -> dict[str, float]:
        """Return the current share of visitors for each option.

        Args:
            pk: The decision: a label such as "Page", or a path of labels.
            options: The options to choose among: a list, or text with commas between. None is all
                that were ever counted.
            dimensions: What is known of the visitor, such as {"country": "US", "device": "phone"}.
            by_metric: What to decide by: a metric, which is taken per hit, or a formula such as
                "earned/spent".
            goal: "max", or "min" where less is better. None is "max".
            weights: What share of random choices each option gets: a number by option. None is 1
                for each.
            holdout: The share of visitors, from 0 to 1, that always get a random option. None is 0.
            minimum: The smallest share that an option gets: one number, or a number by option.
            maximum: The largest share that an option gets: one number, or a number by option.
            half_life: The half-life of evidence: a length such as "7d", or a timedelta.
                None is never.
            delay: How long results come after their exposures: a length such as "12h", or a
                timedelta. None estimates it.
            explore: Whether to try options that may turn out better. None is True.
            known_data: An alias of `dimensions`; give one of the two.
            option, dimension: Aliases of `options` and `dimensions`; give only one of each.

        Returns:
            `{option: share}`: shares from 0 to 1 that add up to 1, to five digits.

        Raises:
            BadInput: A parameter has an invalid value.
            StoreUnavailable: The service or its store does not answer.
            NotAllowed: The token may not read.
            TooMany: The caller is over the rate limit.

        Example:
            >>> client.weighted_reasons("Page", ["a", "b"], by_metric="earned")
            {'a': 0.5, 'b': 0.5}
        """
        answer = self.reasons(
            pk=pk,
            options=options,
            dimensions=dimensions,
            by_metric=by_metric,
            goal=goal,
            weights=weights,
            holdout=holdout,
            minimum=minimum,
            maximum=maximum,
            half_life=half_life,
            delay=delay,
            explore=explore,
            option=option,
            dimension=dimension,
            known_data=known_data,
        )
        return {option: known["share"] for option, known in answer["options"].items()}
