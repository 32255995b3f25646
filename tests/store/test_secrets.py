"""The secrets that visitors are hashed with, on each engine: see protocol.SecretStore."""

from __future__ import annotations

from hailwhale.store.protocol import SecretStore


def test_secrets_stay_until_others_are_asked_for(secrets: SecretStore) -> None:
    first, second = secrets.get("salts", ["1", "2"])
    assert len(first) == len(second) == 32
    assert secrets.get("salts", ["2", "3"])[0] == second
    assert secrets.get("salts", ["1", "2"]) != [first, second]
    assert secrets.get("others", ["2"]) != [second]
