"""What all questions to a service share: one POST each, of the arguments that were given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hailwhale.client.transport import ServiceConnection


class QueryBase:
    """Asks the service that a connection leads to."""

    def __init__(self, service: ServiceConnection) -> None:
        self._service = service

    def _ask(self, path: str, fields: Mapping[str, object]) -> Any:
        return self._service.ask(path, fields)
