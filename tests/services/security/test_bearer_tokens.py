"""Bearer tokens: made once, kept as a hash, found in constant time, gone when revoked."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from hailwhale.core.events.limits import DEFAULT_LIMITS
from hailwhale.errors import BadInput, NotYours, StoreUnavailable
from hailwhale.services.security.bearer_tokens import (
    FRESH_S,
    RETRY_S,
    RootBinding,
    Scope,
    Token,
    Tokens,
)
from hailwhale.store.redis.store import RedisStore
from tests.conftest import NOW_S, Clock


class Broken:
    """A store that does not answer."""

    def all(self) -> dict[str, bytes]:
        raise StoreUnavailable("away")


@pytest.fixture
def store(make_services: Callable[..., object]) -> RedisStore:
    return make_services().store  # type: ignore[attr-defined, no-any-return]


def add(tokens: Tokens, name: str, *scopes: Scope, roots: tuple[str, ...] = ()) -> str:
    return tokens.add(name, scopes or (Scope.READ,), roots, DEFAULT_LIMITS, NOW_S)[1]


def test_a_token_is_found_by_its_text_and_by_nothing_else(store: RedisStore, clock: Clock) -> None:
    tokens = Tokens(store.tokens, clock)
    text = add(tokens, "acme", Scope.COUNT, Scope.READ, roots=("Acme", "Beta"))
    found = tokens.find(text)
    assert found is not None
    assert (found.name, set(found.scopes)) == ("acme", {Scope.COUNT, Scope.READ})
    assert set(found.roots) == {"Acme", "Beta"}
    other = add(tokens, "other")
    for wrong in (
        text[:-1],
        text + "A",
        text.upper(),
        text[:12] + other[12:],
        "",
        "hw_",
        f" {text}",
    ):
        assert tokens.find(wrong) is None, wrong


def test_the_store_never_has_a_token(store: RedisStore, clock: Clock) -> None:
    text = add(Tokens(store.tokens, clock), "acme")
    [record] = store.tokens.all().values()
    secret = text.rpartition("_")[2] if text.count("_") == 2 else text[12:]
    assert secret not in record.decode()
    assert set(json.loads(record)) == {"name", "scopes", "roots", "made_s", "sha256"}


@pytest.mark.parametrize(
    ("scopes", "needs", "may"),
    [
        ([Scope.COUNT], [Scope.COUNT], True),
        ([Scope.COUNT], [Scope.READ], False),
        ([Scope.READ], [Scope.COUNT], False),
        ([Scope.COUNT], [Scope.COUNT, Scope.READ], False),
        ([Scope.COUNT, Scope.READ], [Scope.COUNT, Scope.READ], True),
        ([Scope.COUNT, Scope.READ], [Scope.ADMIN], False),
        ([Scope.ADMIN], [Scope.COUNT, Scope.READ, Scope.ADMIN], True),
    ],
)
def test_a_token_may_what_its_scopes_say(
    scopes: list[Scope], needs: list[Scope], may: bool
) -> None:
    token = Token("a1", "acme", frozenset(scopes), frozenset(), NOW_S, "")
    assert token.may(needs) is may


def test_a_revoked_token_is_gone_within_seconds_and_a_new_one_there_within_one(
    store: RedisStore, clock: Clock
) -> None:
    operator, service = Tokens(store.tokens, clock), Tokens(store.tokens, clock)
    first, second = add(operator, "first"), ""
    assert service.find(first) is not None
    second = add(operator, "second")
    clock.now_s += RETRY_S
    assert service.find(second) is not None
    assert operator.revoke("first").name == "first"
    clock.now_s += FRESH_S
    assert service.find(first) is None
    assert service.find(second) is not None


def test_the_store_is_asked_every_few_seconds_however_many_tokens_are_shown(
    store: RedisStore, clock: Clock
) -> None:
    asked = 0

    class Counted:
        def all(self) -> dict[str, bytes]:
            nonlocal asked
            asked += 1
            return store.tokens.all()

    tokens = Tokens(Counted(), clock)  # type: ignore[arg-type]
    for _ in range(100):
        assert tokens.find("hw_00000000_" + "A" * 43) is None
    assert asked <= 2


def test_tokens_stay_valid_while_the_store_is_unavailable(store: RedisStore, clock: Clock) -> None:
    tokens = Tokens(store.tokens, clock)
    text = add(tokens, "acme")
    assert tokens.find(text) is not None
    tokens._records = Broken()  # type: ignore[assignment]
    clock.now_s += 3600
    assert tokens.find(text) is not None
    with pytest.raises(StoreUnavailable):
        Tokens(Broken(), clock).find(text)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "scopes", "roots", "parameter"),
    [
        ("acme", [Scope.READ], [], "name"),
        ("", [Scope.READ], [], "name"),
        ("new", [], [], "scope"),
        ("new", [Scope.READ], [""], "root"),
    ],
)
def test_a_token_that_would_be_no_good_is_not_made(
    store: RedisStore,
    clock: Clock,
    name: str,
    scopes: list[Scope],
    roots: list[str],
    parameter: str,
) -> None:
    tokens = Tokens(store.tokens, clock)
    add(tokens, "acme")
    with pytest.raises(BadInput) as fault:
        tokens.add(name, scopes, roots, DEFAULT_LIMITS, NOW_S)
    assert fault.value.parameter == parameter
    with pytest.raises(BadInput):
        tokens.revoke("nobody")
    assert [token.name for token in tokens.known(0).values()] == ["acme"]


@pytest.mark.parametrize("pk", ["Shop", ["Shop", 7], "7", 7, "['Shop']"])
def test_what_is_bound_may_ask_about_its_roots(pk: object) -> None:
    bound = RootBinding(frozenset({"Shop", "7", "['Shop']"}), DEFAULT_LIMITS)
    bound.check({"pk": pk})
    for other in ("shop", "Shop ", ["Blog", "Shop"], None, "_"):
        with pytest.raises(NotYours):
            bound.check({"pk": other})
