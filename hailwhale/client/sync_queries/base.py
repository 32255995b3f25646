"""Base of all queries to a service: each is one POST of the arguments that were given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hailwhale.client.transport import ServiceConnection


class QueryBase:
    """Queries the service of a connection."""

    def __init__(self, service: ServiceConnection) -> None:
        self._service = service

    def _ask(self, path: str, fields: Mapping[str, object]) -> Any:
        return self._service.ask(path, fields)
