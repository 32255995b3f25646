"""State of an alert between checks, and its pending notification.

An alert fires after a number of consecutive checks and resolves when its condition no longer holds.
A notification is stored as pending, then sent, then marked as sent. So it is delivered at least
once whatever crashes, and twice only if the sender crashes between the last two steps or pauses for
longer than `LEASE_S`. Knows nothing of conditions.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace

LEASE_S = 300  # for so long whoever sends a notice has it for himself


@dataclass(frozen=True, slots=True)
class PendingNotice:
    """A notification to send: firing or resolved. `targets` are those that lack it.

    `id` is the same at every retry, so receivers can recognise a duplicate.
    """

    id: str
    kind: str
    targets: tuple[str, ...]
    leased_until_s: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertStatus:
    """The state of an alert.

    `slot` is the number of its last check; of two processes that check, only one wins a slot.
    `held` counts consecutive checks at which the condition held. `told` says whether anyone was
    notified that it fires, `told_s` when that happened last, `notices` how many notifications there
    were.
    """

    slot: int = -1
    firing: bool = False
    held: int = 0
    since_s: int = 0
    told: bool = False
    told_s: int = 0
    notices: int = 0
    pending: PendingNotice | None = None

    def encoded(self) -> bytes:
        """Return the stored form."""
        return json.dumps(asdict(self), separators=(",", ":")).encode()


def decoded(text: bytes) -> AlertStatus:
    """Parse the stored form; an empty one gives the initial state.

    >>> status = AlertStatus(slot=3, pending=PendingNotice("x", "firing", ("a",)))
    >>> decoded(status.encoded()).pending.targets
    ('a',)
    """
    if not text:
        return AlertStatus()
    found = json.loads(text)
    pending = found.pop("pending")
    if pending is not None:
        pending = PendingNotice(**{**pending, "targets": tuple(pending["targets"])})
    return AlertStatus(**found, pending=pending)


@dataclass(frozen=True, slots=True)
class AlertTerms:
    """The part of a rule that the state machine uses."""

    name: str
    checks: int
    repeat_s: int
    targets: tuple[str, ...]


def checked(
    watch: AlertStatus, terms: AlertTerms, *, holds: bool, slot: int, now_s: int
) -> AlertStatus:
    """Return the state after a check, with the notification to send, if any.

    >>> terms = AlertTerms("a", checks=2, repeat_s=0, targets=("mail",))
    >>> once = checked(AlertStatus(), terms, holds=True, slot=1, now_s=60)
    >>> twice = checked(once, terms, holds=True, slot=2, now_s=120)
    >>> once.firing, twice.firing, twice.pending.kind
    (False, True, 'firing')
    """
    held = watch.held + 1 if holds else 0
    found = replace(watch, slot=slot, held=held)
    if watch.firing and not holds:
        # A process that leased the notice may have sent it, even if that process crashed.
        told = watch.told or (watch.pending is not None and watch.pending.leased_until_s > 0)
        found = replace(found, firing=False, since_s=now_s, pending=None, told=False)
        return _with_notice(found, terms, "resolved", now_s) if told else found
    if not watch.firing and held >= terms.checks:
        found = replace(found, firing=True, since_s=now_s, told=False, pending=None)
    if not found.firing or found.pending is not None:
        return found
    again = found.told and terms.repeat_s and now_s - found.told_s >= terms.repeat_s
    return _with_notice(found, terms, "firing", now_s) if again or not found.told else found


def claimed(watch: AlertStatus, now_s: int) -> AlertStatus | None:
    """Return the state with the notification's lease taken; None if nothing is due."""
    pending = watch.pending
    if pending is None or now_s < pending.leased_until_s:
        return None
    return replace(watch, pending=replace(pending, leased_until_s=now_s + LEASE_S))


def sent(watch: AlertStatus, failed: tuple[str, ...], retry_s: int, now_s: int) -> AlertStatus:
    """Return the state after a delivery; targets in `failed` are retried from `retry_s` on."""
    pending = watch.pending
    if pending is None:
        return watch
    known = len(failed) < len(pending.targets)
    told = watch.told or (known and pending.kind == "firing")
    kept = replace(pending, targets=failed, leased_until_s=retry_s) if failed else None
    return replace(watch, pending=kept, told=told, told_s=now_s if known else watch.told_s)


def _with_notice(watch: AlertStatus, terms: AlertTerms, kind: str, now_s: int) -> AlertStatus:
    number = watch.notices + 1
    pending = PendingNotice(f"{terms.name}-{number}-{now_s}", kind, terms.targets)
    return replace(watch, pending=pending, notices=number)
