"""The faults HailWhale names: one fault, one exception.

Everything raised on purpose derives from `HailWhaleError`, so a caller can catch one class.
This module imports nothing of the project; every layer may import it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Self

_SHOWN_CHARS = 80


class HailWhaleError(Exception):
    """Base of every error that HailWhale raises on purpose."""


class BadInput(HailWhaleError, ValueError):
    """A value that came in is not what its parameter takes; nothing was counted.

    `parameter` names what was wrong, `message` says what came and what was expected.

    >>> raise BadInput("period", "5x:1h", "an interval and a length such as 1d:1mo")
    Traceback (most recent call last):
    ...
    hailwhale.errors.BadInput: period: got '5x:1h'; expected an interval and a length such as 1d:1mo
    """

    def __init__(self, parameter: str, got: object, expected: str) -> None:
        self.parameter = parameter
        self.message = f"got {shown(got)}; expected {expected}"
        super().__init__(f"{parameter}: {self.message}")

    @classmethod
    def told(cls, parameter: str, message: str) -> Self:
        """The fault that a service told of: its message says what came and what was expected."""
        fault = cls(parameter, None, "")
        fault.message = message
        fault.args = (f"{parameter}: {message}",)
        return fault


class TooLarge(BadInput):
    """A request, event or batch is over its size limit (HTTP 413)."""


class NotYours(BadInput):
    """The token that was shown is bound to other root pks than this one (HTTP 403)."""


class NotAllowed(HailWhaleError):
    """The caller has not shown the token this needs (HTTP 401 or 403).

    `reason` is a word for the operator's counters.
    """

    def __init__(self, message: str, *, token_shown: bool, reason: str = "token") -> None:
        self.token_shown = token_shown
        self.reason = reason
        super().__init__(message)


class BadSeal(NotAllowed):
    """A sealed URL that is changed, expired, of an unknown key or asked for more (HTTP 403)."""

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message, token_shown=True, reason=reason)


class TooMany(HailWhaleError):
    """The caller asks more often than it may; again after `retry_after_s` (HTTP 429)."""

    def __init__(self, message: str, retry_after_s: int) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(message)


class StoreUnavailable(HailWhaleError):
    """The store cannot be reached or cannot take writes now; try again (HTTP 503)."""


class BufferFull(StoreUnavailable):
    """The buffer of hits holds all it may; try again when the drain has caught up (HTTP 503)."""


class StoreMismatch(HailWhaleError):
    """The store was made with other rollups or another time zone than the settings now say, or in a
    format that this version does not read."""


class DataDirInUse(HailWhaleError):
    """Another process owns the data directory of the embedded store."""


class BadSetting(HailWhaleError, ValueError):
    """A setting has a value it cannot have; the message names the variable."""


def shown(value: object) -> str:
    """A short, single-line, printable form of any value for an error message.

    >>> shown("x" * 200)[-3:]
    'xx…'
    """
    try:
        # A number is shown as it was written: JSON's come as Decimal.
        text = str(value) if isinstance(value, Decimal) else repr(value)
    except (ValueError, RecursionError):  # an int of many thousand digits, a value nested too deep
        text = f"a {type(value).__name__} too large to show"
    text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}…"
