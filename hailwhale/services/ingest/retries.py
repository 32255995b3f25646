"""Waits between the tries of a loop that needs the store, and logs each reason once.

Knows nothing of what is tried. An outage takes minutes and a loop tries several times a second, so
a line for each try would hide everything else in the log.
"""

from __future__ import annotations

import logging
from threading import Event as Flag

from hailwhale.errors import StoreUnavailable

FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 2.0  # while the store is unavailable: counting resumes soon after it is back
_LONGEST_WAIT_AFTER_ERROR_S = 30.0  # after an error that waiting may not end


class Retries:
    """The failed tries of one loop; `stop` ends a wait."""

    def __init__(self, log: logging.Logger, stop: Flag) -> None:
        self._log = log
        self._stop = stop
        self._failures = 0
        self._logged = ""

    def failed(self, fault: Exception) -> None:
        """Log an error unless it was logged last, and wait, longer after each failure in a row."""
        is_outage = isinstance(fault, StoreUnavailable)
        longest_s = _LONGEST_WAIT_S if is_outage else _LONGEST_WAIT_AFTER_ERROR_S
        wait_s = min(FIRST_WAIT_S * 2 ** min(self._failures, 10), longest_s)
        self._failures += 1
        said = f"{type(fault).__name__}: {fault}"
        if said != self._logged:
            self._logged = said
            if is_outage:
                self._log.warning("%s; retrying in %s s", fault, wait_s)
            else:
                self._log.error("unexpected error; retrying", exc_info=fault)
        self._stop.wait(wait_s)

    def succeeded(self) -> None:
        """Log the end of the failures, if there were any."""
        if self._failures:
            self._log.info("the store answers again")
            self._failures, self._logged = 0, ""
