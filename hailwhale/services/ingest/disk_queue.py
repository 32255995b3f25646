"""Accepts hits through a spool: keeps them on disk while the store is unavailable, then sends them.

Decides when a hit goes to the store and when into the spool, and numbers hits so that the store
recognizes those it already has. Leaves the files to `spool_directory`; the store is a callable.

A call that got no answer may have succeeded. So its hits go into the spool with the number they
were first sent under, and the store adds only those that it has not added before.
"""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Callable, Sequence
from threading import Event as Flag
from threading import Lock, Thread

from hailwhale.core.events.hit_codec import with_visitor
from hailwhale.errors import HailWhaleError, StoreUnavailable
from hailwhale.services.ingest.spool_directory import Record, SpoolDirectory, SpoolFile
from hailwhale.services.ingest.uid_seal import UidSeal
from hailwhale.store.types import AcceptStatus, EncodedHit, ProducerSequence

log = logging.getLogger("hailwhale.spool")

Offer = Callable[[Sequence[EncodedHit], int, ProducerSequence], list[AcceptStatus]]

_RETRY_S = 0.25
_LOOK_S = 5.0  # between two checks for files of dead processes


class _Sender:
    """A unique producer id and the sequence numbers of its hits."""

    def __init__(self) -> None:
        self._name = secrets.token_hex(8)
        self._number = 0

    def stamp(self, hits: int) -> ProducerSequence:
        """Return the stamp for a number of hits that are sent for the first time."""
        stamp = ProducerSequence(self._name, self._number)
        self._number += hits
        return stamp


class _Backlog:
    """A file of hits, and the offset up to which the store has them."""

    def __init__(self, file: SpoolFile) -> None:
        self.file = file
        self.done = 0


class DiskQueue:
    """Send hits to the store; while it is unavailable, write them to a spool.

    Hits sent directly and spooled hits are numbered separately, so neither waits for the other. A
    thread sends what this process or a dead one spooled until the store has it.
    """

    def __init__(self, offer: Offer, spool: SpoolDirectory, name_of: Callable[[str], str]) -> None:
        """Initialize with a store's `accept`; log, rather than raise, if the spool is unusable.

        `name_of` hashes the uid of a visitor, and asks the store for that if it has to.
        """
        self._offer = offer
        self._spool = spool
        self._name_of = name_of
        self._begin()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._sending, self._filing = Lock(), Lock()
        self._direct, self._spooled = _Sender(), _Sender()
        self._away = False  # the store is unavailable; new hits go into `_own`
        self._own: _Backlog | None = None
        self._left: list[_Backlog] = []  # files of dead processes
        self._stop, self._wake = Flag(), Flag()
        self._thread = Thread(target=self._replay_for_ever, name="spool", daemon=True)
        if not self._spool.can_be_written():
            where = self._spool.folder
            log.warning(
                "%s is not writable: hits are refused while the store is unavailable", where
            )
        self._thread.start()

    def accept(self, hits: Sequence[EncodedHit], now_s: int) -> list[AcceptStatus]:
        """Return the status of each hit: SPOOLED for all while the store is unavailable.

        Raises `StoreUnavailable` when the store is unavailable and the spool is full or not
        writable.
        """
        if not hits:
            return []
        if os.getpid() != self._pid:  # forked: the numbers and files belong to the parent
            self._begin()
        with self._sending:  # a sender makes one call at a time
            if self._away:
                self._keep(Record(self._spooled.stamp(len(hits)), now_s, hits))
            elif any(hit.uid is not None for hit in hits):
                # They have a uid because the store did not answer with the salt to hash it.
                fault = StoreUnavailable("the store did not answer with the salt of visitor ids")
                self._keep(Record(self._spooled.stamp(len(hits)), now_s, hits), fault)
            else:
                stamp = self._direct.stamp(len(hits))
                try:
                    return self._offer(hits, now_s, stamp)
                except StoreUnavailable as fault:
                    # No later hits may use this id: these may not be stored yet.
                    self._direct = _Sender()
                    self._keep(Record(stamp, now_s, hits), fault)
        return [AcceptStatus.SPOOLED] * len(hits)

    def _keep(self, record: Record, fault: StoreUnavailable | None = None) -> None:
        """Write a record to disk and regard the store as unavailable from then on."""
        with self._filing:
            seal = self._own.file.seal if self._own else UidSeal(self._spool.uid_key)
            encoded = record.encoded(seal)
            if not self._spool.has_room(len(encoded)):
                why = f"the spool is full ({self._spool.most_bytes:,} bytes)"
                raise _not_spooled(fault, why) from fault
            try:
                if self._own is None:
                    self._own = _Backlog(self._spool.new_file(seal))
                self._own.file.append(encoded, has_uids=record.has_uids)
            except OSError as unkept:
                raise _not_spooled(fault, "cannot write to the spool", str(unkept)) from unkept
            self._away = True
        if fault is not None:
            log.warning("%s; hits are written to the spool in %s", fault, self._spool.folder)
        self._wake.set()

    def is_away(self) -> bool:
        """Return whether the store was unavailable when it was last sent something."""
        return self._away

    def size_bytes(self) -> int:
        """Return the size of the spool in bytes, for all processes of this machine."""
        return self._spool.size_bytes()

    def close(self) -> None:
        """Stop sending; the next process sends what is still in the spool."""
        self._stop.set()
        self._wake.set()
        self._thread.join()
        for backlog in self._backlogs():
            backlog.file.close()
        self._left, self._own = [], None

    def _backlogs(self) -> list[_Backlog]:
        return [*self._left, *([self._own] if self._own else [])]

    # These run in the thread.

    def _replay_for_ever(self) -> None:
        while not self._stop.is_set():
            self._wake.clear()
            soon = False
            try:
                soon = self._replay()
            except StoreUnavailable:
                soon = True
            except HailWhaleError as fault:  # the store answers, but does not match the settings
                self._away = False
                log.error("spool replay postponed: %s", fault)
            except Exception:
                self._away = False
                log.exception("spool replay failed; trying again")
            if soon:
                self._stop.wait(_RETRY_S)
            else:
                self._wake.wait(_LOOK_S)

    def _replay(self) -> bool:
        """Send everything spooled; return whether some is left to retry soon."""
        self._left += map(_Backlog, self._spool.abandoned())
        for backlog in self._backlogs():
            while not self._stop.is_set() and self._offer_next(backlog):
                pass
        return bool(self._backlogs())

    def _offer_next(self, backlog: _Backlog) -> bool:
        """Send the next group of a backlog; return whether there may be more to send now."""
        group = backlog.file.group(backlog.done)
        if group is None:
            return self._finish(backlog)
        record, after = group
        hits = [hit if hit.uid is None else self._named(hit, hit.uid) for hit in record.hits]
        receipts = self._offer(hits, record.now_s, record.stamp)
        self._away = False  # new hits need not wait for the rest
        if AcceptStatus.FULL in receipts:
            return False
        backlog.done = after
        return True

    def _named(self, hit: EncodedHit, uid: str) -> EncodedHit:
        return EncodedHit(hit.root, with_visitor(hit.hit, self._name_of(uid)), hit.id)

    def _finish(self, backlog: _Backlog) -> bool:
        """Remove a file that the store has entirely; return True if hits were appended since."""
        with self._filing:
            if backlog.file.group(backlog.done) is not None:
                return True
            if not backlog.file.remove(backlog.done):
                log.error("a spool file is damaged; its unreadable rest is quarantined")
            if backlog is self._own:
                self._own, self._away = None, False
            else:
                self._left.remove(backlog)
        log.info("sent all hits of a spool file to the store")
        return False


def _not_spooled(fault: StoreUnavailable | None, why: str, detail: str = "") -> StoreUnavailable:
    """Return the error for hits that neither the store nor the spool accepted."""
    summary, before = (fault.summary, fault.detail) if fault else ("the store is unavailable", "")
    return StoreUnavailable(f"{summary}; {why}", "; ".join(filter(None, (before, detail))))
