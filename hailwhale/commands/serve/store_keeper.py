"""The store of `hailwhale serve`: starts an embedded Valkey, restarts it, and opens the services.

A store may take minutes to load its data. It is waited for as long as it lives; meanwhile the
service runs and hits are spooled. Knows nothing of the other processes.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from hailwhale.commands.serve.signals import end_with_parent
from hailwhale.commands.serve.store_findings import log_findings
from hailwhale.errors import DamagedData, StoreUnavailable
from hailwhale.services.container import Services, open_services
from hailwhale.settings import Settings
from hailwhale.store.embedded import EmbeddedValkey

_SOON_S = 3.0  # most stores answer by then, and nothing need be said
_TICK_S = 0.02
_TRY_AGAIN_S = 0.5
_SAID_EVERY_S = 10.0
_FIRST_WAIT_S = 0.1
_LONGEST_WAIT_S = 10.0
_SETTLED_S = 30.0  # alive that long, its next death is the first again
_DRAINING_S = 4.0

log = logging.getLogger("hailwhale.serve")


class StoreKeeper:
    """Keep the store of some settings running and open; `url` is where it listens."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._server: EmbeddedValkey | None = None
        self._services: Services | None = None
        self._deaths = 0
        self._started_s = 0.0
        self._revive_s: float | None = None
        self._try_s = self._said_s = 0.0
        self._logged = ""
        self.url = settings.redis_url

    def start(self, is_stopping: Callable[[], bool]) -> None:
        """Start an embedded server if there is none yet, and give the store a moment to answer.

        Raises `HailWhaleError` if it cannot work: the data directory is in use or damaged, or the
        store was created with other settings.
        """
        if not self.url:
            self._server = EmbeddedValkey(
                self._settings.data_dir,
                self._settings.fsync,
                _ending_with(os.getpid()),
                self._settings.store_memory,
            )
            self._server.begin()
            self.url = self._server.url
        deadline_s = time.monotonic() + _SOON_S
        while not is_stopping() and time.monotonic() < deadline_s:
            self._try_s = 0.0
            self.look_after()
            if self._services is not None:
                return
            time.sleep(_TICK_S)
        if self._services is None and not is_stopping():
            meanwhile = "hits are spooled" if self._settings.spool_bytes else "hits are refused"
            log.warning("the store is not available yet; serving anyway: %s", meanwhile)

    def look_after(self) -> None:
        """Restart the embedded server if it died, and open the services once the store answers.

        Raises `StoreUnavailable` if the server ended by itself before it had ever loaded its data.
        Raises `DamagedData` if they cannot be repaired, and `StoreMismatch` if the store was
        created with other settings.
        """
        now_s = time.monotonic()
        if self._server is not None and not self._server.is_alive():
            self._revive(self._server, now_s)
        elif self._services is None and now_s >= self._try_s:
            self._try_s = now_s + _TRY_AGAIN_S
            self._open()

    def _revive(self, server: EmbeddedValkey, now_s: float) -> None:
        if self._revive_s is None:
            code = server.exit_code
            if not self._repaired(server) and self._services is None and (code or 0) >= 0:
                raise StoreUnavailable("the embedded Valkey did not start", server.log_tail())
            if now_s - self._started_s > _SETTLED_S:
                self._deaths = 0
            wait_s = min(_FIRST_WAIT_S * 2**self._deaths, _LONGEST_WAIT_S) if self._deaths else 0.0
            self._deaths += 1
            self._revive_s = now_s + wait_s
            log.warning(
                "the embedded Valkey died (exit code %s); starting it again in %.1f s", code, wait_s
            )
        if now_s < self._revive_s:
            return
        self._revive_s, self._started_s = None, now_s
        try:
            server.revive(wait=False)
        except (DamagedData, StoreUnavailable, OSError) as fault:
            log.error("cannot start the embedded Valkey: %s", fault)
        self.url = server.url

    def _repaired(self, server: EmbeddedValkey) -> bool:
        """Return whether the data of a server that could not load them were repaired.

        Once the service runs, it goes on without a store whose data cannot be: hits are spooled.
        """
        try:
            return server.repair()
        except DamagedData as fault:
            if self._services is None:
                raise
            log.error("%s", fault)
            return False

    def _open(self) -> None:
        """Open the services if the store answers; log what it waits for, now and then."""
        if self._server is not None and not self._server.is_loaded():
            self._say(self._server.progress() or "the embedded Valkey does not answer yet")
            return
        try:
            self._services = open_services(replace(self._settings, redis_url=self.url))
        except StoreUnavailable as fault:
            self._say(str(fault))
            return
        log_findings(self._settings)
        if self._said_s:
            log.warning("the store is available")

    def _say(self, text: str) -> None:
        now_s = time.monotonic()
        if not self._said_s:  # the first moments need no line
            self._said_s = now_s - _SAID_EVERY_S + _SOON_S
        elif now_s - self._said_s >= _SAID_EVERY_S and text != self._logged:
            self._said_s, self._logged = now_s, text
            log.warning("%s", text)

    def drain_rest(self) -> None:
        """Count the hits still buffered, for a few seconds at most; the rest waits in the store."""
        if self._services is None:
            return
        deadline_s = time.monotonic() + _DRAINING_S
        with suppress(StoreUnavailable):
            while waiting := self._services.store.stats.loads():
                for load in waiting:
                    if time.monotonic() > deadline_s:
                        return
                    self._services.drain.step(load.shard)

    def close(self) -> None:
        """Close the services, and stop the embedded server."""
        if self._services is not None:
            self._services.close()
        if self._server is not None:
            self._server.stop()


def _ending_with(parent_pid: int) -> Callable[[], None] | None:
    """Return a hook for Valkey's process: on Linux it ends gracefully when this one is killed.

    Elsewhere nothing stops it, until the next owner of the directory does.
    """
    if sys.platform != "linux":
        return None
    return lambda: end_with_parent(parent_pid, signal.SIGTERM)
