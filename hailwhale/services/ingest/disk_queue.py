"""Accepting through a spool: while the store is away hits are kept on disk, and offered again.

Owns when a hit goes to the store and when into the spool, and the numbers by which the store tells
what it has from what it has not. The files are `spool`'s, the store is a callable.

The doubt: a call that got no answer may have been carried out. So its hits go into the spool with
the number they were offered under, and the store adds of them only what it did not add before.
"""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Callable, Sequence
from threading import Event as Flag
from threading import Lock, Thread

from hailwhale.errors import HailWhaleError, StoreUnavailable
from hailwhale.services.ingest.spool_directory import Record, SpoolDirectory, SpoolFile
from hailwhale.store.types import AcceptStatus, EncodedHit, ProducerSequence

log = logging.getLogger("hailwhale.spool")

Offer = Callable[[Sequence[EncodedHit], int, ProducerSequence], list[AcceptStatus]]

_RETRY_S = 0.25
_LOOK_S = 5.0  # between two looks for what processes that died have left


class _Sender:
    """A name that nobody else has, and the numbers of its hits."""

    def __init__(self) -> None:
        self._name = secrets.token_hex(8)
        self._number = 0

    def stamp(self, hits: int) -> ProducerSequence:
        """The stamp for so many hits that are offered for the first time."""
        stamp = ProducerSequence(self._name, self._number)
        self._number += hits
        return stamp


class _Backlog:
    """A file of hits, and up to where the store has them."""

    def __init__(self, file: SpoolFile) -> None:
        self.file = file
        self.done = 0


class DiskQueue:
    """Offers hits to the store; while that is away takes them into a spool, and says so.

    What is offered directly and what is spooled are numbered apart, so neither waits for the other.
    A thread offers what is spooled, by this process or by one that died, until the store has it.
    """

    def __init__(self, offer: Offer, spool: SpoolDirectory) -> None:
        """`offer` is a store's `accept`. Raises nothing: a spool that cannot be used is logged."""
        self._offer = offer
        self._spool = spool
        self._begin()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._sending, self._filing = Lock(), Lock()
        self._direct, self._spooled = _Sender(), _Sender()
        self._away = False  # the store is, and what comes goes into `_own`
        self._own: _Backlog | None = None
        self._left: list[_Backlog] = []  # by processes that died
        self._stop, self._wake = Flag(), Flag()
        self._thread = Thread(target=self._replay_for_ever, name="spool", daemon=True)
        if not self._spool.can_be_written():
            where = self._spool.folder
            log.warning("%s cannot be written: no hits are taken while the store is away", where)
        self._thread.start()

    def accept(self, hits: Sequence[EncodedHit], now_s: int) -> list[AcceptStatus]:
        """What became of each hit: SPOOLED for all of them while the store is away.

        Raises `StoreUnavailable` when it is away and the spool is full or cannot be written.
        """
        if not hits:
            return []
        if os.getpid() != self._pid:  # a fork: the numbers and the files are the parent's
            self._begin()
        with self._sending:  # a sender makes one call at a time
            if self._away:
                self._keep(Record(self._spooled.stamp(len(hits)), now_s, hits))
            else:
                stamp = self._direct.stamp(len(hits))
                try:
                    return self._offer(hits, now_s, stamp)
                except StoreUnavailable as fault:
                    # Nothing may come under this name before what is in doubt now.
                    self._direct = _Sender()
                    self._keep(Record(stamp, now_s, hits), fault)
        return [AcceptStatus.SPOOLED] * len(hits)

    def _keep(self, record: Record, fault: StoreUnavailable | None = None) -> None:
        """Have a record on the disk; from then on the store counts as away."""
        encoded = record.encoded()
        with self._filing:
            if not self._spool.has_room(len(encoded)):
                why = f"the spool holds all it may ({self._spool.most_bytes:,} bytes)"
                raise StoreUnavailable(f"{fault or 'the store is away'}; {why}") from fault
            try:
                if self._own is None:
                    self._own = _Backlog(self._spool.new_file())
                self._own.file.append(encoded)
            except OSError as unkept:
                why = f"the spool cannot be written: {unkept}"
                raise StoreUnavailable(f"{fault or 'the store is away'}; {why}") from unkept
            self._away = True
        if fault is not None:
            log.warning("%s; hits go into the spool in %s", fault, self._spool.folder)
        self._wake.set()

    def is_away(self) -> bool:
        """Whether the store was, when it was last offered something."""
        return self._away

    def size_bytes(self) -> int:
        """What waits in the spool, of all processes of this machine."""
        return self._spool.size_bytes()

    def close(self) -> None:
        """Stop offering; what is still in the spool is for the next process."""
        self._stop.set()
        self._wake.set()
        self._thread.join()
        for backlog in self._backlogs():
            backlog.file.close()
        self._left, self._own = [], None

    def _backlogs(self) -> list[_Backlog]:
        return [*self._left, *([self._own] if self._own else [])]

    # In the thread

    def _replay_for_ever(self) -> None:
        while not self._stop.is_set():
            self._wake.clear()
            soon = False
            try:
                soon = self._replay()
            except StoreUnavailable:
                soon = True
            except HailWhaleError as fault:  # it is there, but it is not the one to count in
                self._away = False
                log.error("what is spooled waits: %s", fault)
            except Exception:
                self._away = False
                log.exception("what is spooled waits")
            if soon:
                self._stop.wait(_RETRY_S)
            else:
                self._wake.wait(_LOOK_S)

    def _replay(self) -> bool:
        """Offer all that is spooled; whether some is left to be offered again soon."""
        self._left += map(_Backlog, self._spool.abandoned())
        for backlog in self._backlogs():
            while not self._stop.is_set() and self._offer_next(backlog):
                pass
        return bool(self._backlogs())

    def _offer_next(self, backlog: _Backlog) -> bool:
        """Offer the next group of a backlog; whether there may be more to offer now."""
        group = backlog.file.group(backlog.done)
        if group is None:
            return self._finish(backlog)
        record, after = group
        receipts = self._offer(record.hits, record.now_s, record.stamp)
        self._away = False  # what comes from now on need not wait for the rest
        if AcceptStatus.FULL in receipts:
            return False
        backlog.done = after
        return True

    def _finish(self, backlog: _Backlog) -> bool:
        """Remove a file that the store has all of, unless more came into it meanwhile."""
        with self._filing:
            if backlog.file.group(backlog.done) is not None:
                return True
            if not backlog.file.remove(backlog.done):
                log.error("a spool file could not be read to its end: the rest is set aside")
            if backlog is self._own:
                self._own, self._away = None, False
            else:
                self._left.remove(backlog)
        log.info("the store has all of a spool file")
        return False
