"""A database of the tests' own, and Django counting on the tests' store.

The same tests run on the newest Django and, in a process started by `test_older_django.py`, on the
oldest that is supported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import setup_test_environment, teardown_test_environment
from shop.models import Order, Product

from hailwhale.contrib.django import conf, on_commit
from hailwhale.services.container import Services
from tests.conftest import Clock
from tests.loops import no_loop_running

Use = Callable[..., Services]


@pytest.fixture(scope="session")
def database() -> Iterator[None]:
    """Tables in memory."""
    setup_test_environment(debug=True)
    with no_loop_running():
        connection.creation.create_test_db(verbosity=0)
    yield
    with no_loop_running():
        connection.creation.destroy_test_db(":memory:", verbosity=0)
    teardown_test_environment()


@pytest.fixture(autouse=True)
def no_browsers_loop() -> Iterator[None]:
    """Django looks for a loop in which it may not wait, and a browser's is none of its business."""
    with no_loop_running():
        yield


@pytest.fixture
def tables(database: None) -> Iterator[None]:
    """Tables that are empty afterwards; transactions are real ones."""
    yield
    for model in (Order, Product):
        model.objects.all().delete()


@pytest.fixture
def use(
    make_services: Callable[..., Services], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Use]:
    """Has Django count on a store of the test, at its clock, with the HAILWHALE settings given."""

    def use(services: Services | None = None, **told: Any) -> Services:
        conf.forget(setting="HAILWHALE")
        monkeypatch.setattr(settings, "HAILWHALE", told)
        services = services or make_services()
        monkeypatch.setattr("hailwhale.default_instance.open_services", lambda _settings: services)
        return services

    monkeypatch.setattr(on_commit, "clock", clock)
    use()
    yield use
    conf.forget(setting="HAILWHALE")


@pytest.fixture
def mug(tables: None, use: Use) -> Any:
    """A product; nothing is counted of it yet."""
    return Product.objects.create(name="Mug", price="12.50")


@pytest.fixture
def lamp(tables: None, use: Use) -> Any:
    """Another one."""
    return Product.objects.create(name="Lamp", price="89.00")
