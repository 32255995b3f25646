"""Transactional counting: an event is sent on commit, so a rollback counts nothing.

Decides when an event is sent, and validates it before. `conf` decides how it is sent.
"""

from __future__ import annotations

import json
import logging
import time
from functools import partial
from typing import Any

from django.db import transaction

from hailwhale.contrib.django import conf
from hailwhale.core.events.event import parse_event
from hailwhale.errors import HailWhaleError

log = logging.getLogger("hailwhale.contrib.django.counting")

clock = time.time


def count(fields: dict[str, Any], using: str | None) -> bool | None:
    """Count one event when the transaction on the database `using` commits; without one, now.

    A deferred event keeps the time of this call. Raises `BadInput` immediately in both cases.
    Returns True, or False for an `id` that was counted before; None when the event is deferred.
    """
    send, now_s = conf.sender(), clock()
    parse_event(fields, now_s, conf.whale().settings.limits)
    if _in_transaction(using):
        _send_at_commit(send, {"at": int(now_s), **fields}, using)
        return None
    return send(**fields) is not False


def update_count_to(fields: dict[str, Any], using: str | None) -> None:
    """Set counters to their values, at the same moments; always write directly to the store."""
    send = conf.whale().update_count_to
    parse_event(fields, clock(), conf.whale().settings.limits, add_hits=False)
    if _in_transaction(using):
        _send_at_commit(send, fields, using)
    else:
        send(**fields)


def _in_transaction(using: str | None) -> bool:
    return bool(transaction.get_connection(using).in_atomic_block)


def _send_at_commit(send: conf.SendEvent, fields: dict[str, Any], using: str | None) -> None:
    transaction.on_commit(partial(_send_late, send, fields), using=using, robust=True)


def _send_late(send: conf.SendEvent, fields: dict[str, Any]) -> None:
    """Send after the commit; log errors, because the caller can no longer handle them."""
    try:
        send(**fields)
    except HailWhaleError as fault:
        log.error("%s; event not counted: %s", fault, json.dumps(fields, default=str))
