"""The parts of a store whose contracts need no other part, on each engine."""

from __future__ import annotations

import pytest

from hailwhale.store.protocol import (
    AlertStateStore,
    AssignmentStore,
    ImportStore,
    JournalStore,
    RateStore,
    RequestStatsStore,
    SchemaStore,
    SecretStore,
    Store,
    TokenStore,
)


@pytest.fixture
def schema(store: Store) -> SchemaStore:
    return store.schema


@pytest.fixture
def secrets(store: Store) -> SecretStore:
    return store.secrets


@pytest.fixture
def assignments(store: Store) -> AssignmentStore:
    return store.assignments


@pytest.fixture
def journals(store: Store) -> JournalStore:
    return store.journals


@pytest.fixture
def imports(store: Store) -> ImportStore:
    return store.imports


@pytest.fixture
def tokens(store: Store) -> TokenStore:
    return store.tokens


@pytest.fixture
def rates(store: Store) -> RateStore:
    return store.rates


@pytest.fixture
def alert_state(store: Store) -> AlertStateStore:
    return store.alert_state


@pytest.fixture
def request_stats(store: Store) -> RequestStatsStore:
    return store.request_stats
