"""Exceptions of HailWhale: one class for each kind of error.

Everything raised on purpose derives from `HailWhaleError`, so a caller can catch one class.
This module imports nothing of the project; every layer may import it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Self

_SHOWN_CHARS = 80
_EXPECTED = "expected "


class HailWhaleError(Exception):
    """Base of every error that HailWhale raises on purpose.

    Errors pickle and copy with all their attributes, so they pass through process pools and queues.
    """

    def __reduce__(self) -> tuple[object, ...]:
        return _restored, (type(self), self.args, self.__dict__)


def _restored(
    kind: type[HailWhaleError], args: tuple[object, ...], attributes: dict[str, object]
) -> HailWhaleError:
    """Rebuild a pickled error without its constructor, whose parameters are not its `args`."""
    error = kind.__new__(kind, *args)
    error.__dict__.update(attributes)
    return error


class BadInput(HailWhaleError, ValueError):
    """A parameter has an invalid value; nothing was counted.

    Attributes:
        parameter: The name of the parameter that has the wrong value, such as "period".
        expected: What the parameter takes, in words.
        message: What came and what was expected, without the parameter's name.

    >>> raise BadInput("period", "5x:1h", "an interval and a length such as 1d:1mo")
    Traceback (most recent call last):
    ...
    hailwhale.errors.BadInput: period: got '5x:1h'; expected an interval and a length such as 1d:1mo
    """

    def __init__(self, parameter: str, got: object, expected: str) -> None:
        self.parameter = parameter
        self.expected = expected
        self.message = f"got {shown(got)}; {_EXPECTED}{expected}"
        super().__init__(f"{parameter}: {self.message}")

    @classmethod
    def from_message(cls, parameter: str, message: str) -> Self:
        """Rebuild the error that a service reported: its message has what came and was expected.

        >>> BadInput.from_message("period", "got '5x'; expected 1d:1mo").expected
        '1d:1mo'
        """
        error = cls(parameter, None, message.rpartition(_EXPECTED)[2])
        error.message = message
        error.args = (f"{parameter}: {message}",)
        return error


class TooLarge(BadInput):
    """A request, event or batch is over its size limit (HTTP 413)."""


class NotYours(BadInput):
    """The token is bound to root pks other than this one (HTTP 403)."""


class NotAllowed(HailWhaleError):
    """The caller has not sent the token that this requires (HTTP 401 or 403).

    `reason` is a label for the operator's metrics.
    """

    def __init__(self, message: str, *, token_shown: bool, reason: str = "token") -> None:
        self.token_shown = token_shown
        self.reason = reason
        super().__init__(message)


class BadSeal(NotAllowed):
    """A sealed URL is modified, expired, of an unknown key or asked for more (HTTP 403)."""

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message, token_shown=True, reason=reason)


class TooMany(HailWhaleError):
    """The caller is over the rate limit; retry after `retry_after_s` (HTTP 429)."""

    def __init__(self, message: str, retry_after_s: int) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(message)


class StoreUnavailable(HailWhaleError):
    """The store cannot be reached or cannot take writes now; try again (HTTP 503).

    `detail` is for the operator: a path, an address, an errno. `summary`, for anybody, lacks it.

    >>> fault = StoreUnavailable("the store does not answer", "Error 2 connecting to /run/valkey")
    >>> fault.summary, str(fault)
    ('the store does not answer', 'the store does not answer: Error 2 connecting to /run/valkey')
    """

    def __init__(self, summary: str, detail: str = "") -> None:
        self.summary = summary
        self.detail = detail
        super().__init__(f"{summary}: {detail}" if detail else summary)


class BufferFull(StoreUnavailable):
    """The buffer of hits is full; try again when the drain has caught up (HTTP 503)."""


class StoreMismatch(HailWhaleError):
    """The store cannot be used: created with other settings, unreadable, or on an unfit server.

    The rollups and the time zone are compared with the current settings. An unknown format is one
    that this version does not read. An unfit server is too old, or evicts keys when it is full.
    """


class DamagedData(HailWhaleError):
    """The files of the embedded store are damaged, and a repair might lose acknowledged hits."""


class DataDirInUse(HailWhaleError):
    """Another process owns the data directory of the embedded store."""


class BadSetting(HailWhaleError, ValueError):
    """A setting has an invalid value; the message names the variable."""


def shown(value: object) -> str:
    """Format any value as a short, printable, single line for an error message.

    >>> shown("x" * 200)[-3:]
    'xx…'
    """
    try:
        # A number is shown as it was written; JSON numbers are parsed as Decimal.
        text = str(value) if isinstance(value, Decimal) else repr(value)
    except (ValueError, RecursionError):  # an int of many thousand digits, a value nested too deep
        text = f"a {type(value).__name__} too large to show"
    text = text[: _SHOWN_CHARS + 1]
    text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}…"
