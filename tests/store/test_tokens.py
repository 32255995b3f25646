"""The records of bearer tokens, on each engine: see protocol.TokenStore."""

from __future__ import annotations

from hailwhale.store.protocol import TokenStore


def test_a_token_is_there_as_it_was_put_until_it_is_dropped(tokens: TokenStore) -> None:
    assert tokens.all() == {}
    tokens.put("a1", b'{"name": "shop"}')
    tokens.put("b2", b"\x00\xff")
    tokens.put("a1", b'{"name": "blog"}')
    assert tokens.all() == {"a1": b'{"name": "blog"}', "b2": b"\x00\xff"}
    assert tokens.drop("a1")
    assert not tokens.drop("a1")
    assert tokens.all() == {"b2": b"\x00\xff"}
