"""How an alert stands from check to check, and what is still to be told of it.

Owns the steps: held at so many checks in a row it fires; when it no longer holds it is resolved. A
notice is first written down as pending, then sent, then noted as sent; so it is told at least once
whatever dies, and twice only if what sends it dies between the last two, or sleeps for longer than
`LEASE_S`. It must not know what a condition is.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace

LEASE_S = 300  # for so long whoever sends a notice has it for himself


@dataclass(frozen=True, slots=True)
class PendingNotice:
    """A notice to be sent: firing or resolved. `targets` are those that do not have it yet.

    `id` is the same at every try, so that a receiver can tell a notice that came twice.
    """

    id: str
    kind: str
    targets: tuple[str, ...]
    leased_until_s: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertStatus:
    """How an alert stands. `slot` is the number of its last check: of two copies that check, one is
    first. `held` are the checks in a row at which it held, `told` says whether anybody knows that
    it fires, `told_s` when that was said last, `notices` how many there were."""

    slot: int = -1
    firing: bool = False
    held: int = 0
    since_s: int = 0
    told: bool = False
    told_s: int = 0
    notices: int = 0
    pending: PendingNotice | None = None

    def encoded(self) -> bytes:
        """As it is kept."""
        return json.dumps(asdict(self), separators=(",", ":")).encode()


def decoded(text: bytes) -> AlertStatus:
    """What was kept; a new one of nothing.

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
    """What of a rule the steps go by."""

    name: str
    checks: int
    repeat_s: int
    targets: tuple[str, ...]


def checked(
    watch: AlertStatus, terms: AlertTerms, *, holds: bool, slot: int, now_s: int
) -> AlertStatus:
    """How it stands after a check, with what is to be told by then.

    >>> terms = AlertTerms("a", checks=2, repeat_s=0, targets=("mail",))
    >>> once = checked(AlertStatus(), terms, holds=True, slot=1, now_s=60)
    >>> twice = checked(once, terms, holds=True, slot=2, now_s=120)
    >>> once.firing, twice.firing, twice.pending.kind
    (False, True, 'firing')
    """
    held = watch.held + 1 if holds else 0
    found = replace(watch, slot=slot, held=held)
    if watch.firing and not holds:
        # Who has had it for sending may have told somebody, whatever became of him.
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
    """With the lease of its notice taken, to send it; None when there is nothing to be sent now."""
    pending = watch.pending
    if pending is None or now_s < pending.leased_until_s:
        return None
    return replace(watch, pending=replace(pending, leased_until_s=now_s + LEASE_S))


def sent(watch: AlertStatus, failed: tuple[str, ...], retry_s: int, now_s: int) -> AlertStatus:
    """After a notice was sent to all of its targets but those where it failed, which are tried
    again from `retry_s` on."""
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
