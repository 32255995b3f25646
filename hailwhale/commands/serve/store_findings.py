"""Logs at the start of a server or a drain what `hailwhale doctor` says of its store.

Logs only what is wrong. What cannot work at all is refused where the store is opened.
"""

from __future__ import annotations

import logging

from hailwhale.commands.doctor.checks import (
    Level,
    layout_findings,
    permission_findings,
    replica_findings,
    server_findings,
)
from hailwhale.errors import HailWhaleError
from hailwhale.settings import Settings
from hailwhale.store.redis.server_info import examine

log = logging.getLogger("hailwhale.store")


def log_findings(settings: Settings) -> None:
    """Log the results of the checks of the servers that are not ok."""
    if not settings.redis_url:
        return
    try:
        found = examine(settings.redis_url, settings.namespace, settings.store_timeout_s)
    except HailWhaleError as fault:
        log.warning("the store cannot be checked: %s", fault)
        return
    results = [
        *layout_findings(found),
        *server_findings(found.servers),
        *replica_findings(found, settings.replicas),
        *permission_findings(found),
    ]
    for result in results:
        if result.level is not Level.OK:
            log.warning("%s: %s", result.subject, result.text)
