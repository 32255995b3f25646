"""Requests that the description of a route allows and forbids never cause an internal error.

schemathesis generates requests from /openapi.json, the same ones in each run. It checks the status,
the media type and the schema of each answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from hailwhale.services.container import Services, assemble
from hailwhale.settings import Settings
from hailwhale.store.embedded import EmbeddedValkey
from hailwhale.store.open import open_store
from hailwhale.web.apps import hail_app, whale_app
from hailwhale.web.routes.openapi import OPERATIONS
from tests.conftest import Clock

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
APPS: dict[str, Callable[[Services], Any]] = {"whale": whale_app, "hail": hail_app}
ENDLESS = ("/spy",)  # its stream would be waited for to its end
EXAMPLES = 8
MODES = list(schemathesis.GenerationMode)  # what is described, and what is not


@pytest.fixture(scope="module")
def attacked(valkey: EmbeddedValkey) -> Iterator[Services]:
    """Services on the real store, with a little counted."""
    settings = Settings.from_env({}, redis_url=valkey.url, namespace="attacked", spy_entries=10)
    opened = open_store(settings)
    services = assemble(settings, opened.store, Clock())
    services.counting.count_now({"pk": "Shop", "dimensions": {"country": "US"}})
    yield services
    opened.close()


def closing(app: Any) -> Callable[..., list[bytes]]:
    """An app whose answers are read and closed, as a server does."""

    def closed(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        answer = app(environ, start_response)
        try:
            return list(answer)
        finally:
            getattr(answer, "close", lambda: None)()

    return closed


@pytest.fixture(scope="module")
def schemas(attacked: Services) -> dict[str, Any]:
    """The description of each app, by the app's name."""
    return {
        name: schemathesis.openapi.from_wsgi("/openapi.json", closing(make(attacked)))
        for name, make in APPS.items()
    }


def path_of(rule: str) -> str:
    return rule.replace("<name:path>", "{name}").replace("<", "{").replace(">", "}")


@pytest.mark.parametrize("app_name", APPS)
@pytest.mark.parametrize("rule", [rule for rule in OPERATIONS if rule not in ENDLESS])
def test_every_answer_is_as_the_description_says(
    schemas: dict[str, Any], app_name: str, rule: str
) -> None:
    schema = schemas[app_name]
    operations = schema.raw_schema["paths"].get(path_of(rule), {})
    for method in operations:
        operation = schema[path_of(rule)][method.upper()]

        @settings(
            max_examples=EXAMPLES,
            derandomize=True,
            deadline=None,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in MODES)))
        def attack(case: Any) -> None:
            case.call_and_validate(checks=CHECKS)

        attack()
