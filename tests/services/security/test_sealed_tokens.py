"""Sealed tokens: they say what was sealed, to who has the key, and nothing else to anybody."""

from __future__ import annotations

import base64
import os
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hailwhale.core.events.event import parse_event
from hailwhale.errors import BadInput, BadSeal, BadSetting, HailWhaleError
from hailwhale.services.security import keyring as keyring_module
from hailwhale.services.security.keyring import Keyring, SealKey, new_file, read_keys, rotate_file
from hailwhale.services.security.sealed_tokens import TokenSealer
from hailwhale.settings import Settings
from tests.conftest import NOW_S, Clock

KEY = base64.urlsafe_b64encode(b"k" * 32).decode().rstrip("=")
OTHER = base64.urlsafe_b64encode(b"o" * 32).decode().rstrip("=")
SALE = {"pk": ["Shop", 7], "dimensions": {"country": "US"}, "metrics": {"dollars": "9.50"}}
GRAPH = {"pk": "Shop", "metrics": "dollars", "dimension": "country", "depth": 1, "title": "Umsätze"}


def sealing_by(*keys: str, clock: Callable[[], float] = lambda: NOW_S) -> TokenSealer:
    settings = Settings.from_env({"HAILWHALE_SEAL_KEYS": ",".join(keys)})
    return TokenSealer(Keyring(settings), settings.limits, clock)


@pytest.fixture
def sealing(clock: Clock) -> TokenSealer:
    return sealing_by(KEY, clock=clock)


def refused(ask: Callable[[], object]) -> str:
    with pytest.raises(BadSeal) as fault:
        ask()
    return fault.value.reason


# Pixels


@pytest.mark.parametrize(
    ("sealed", "counted"),
    [
        (
            SALE,
            {
                "pk": ["Shop", "7"],
                "dimensions": [["country", "US"]],
                "metrics": {"dollars": "9.5"},
            },
        ),
        ({}, {"pk": ["_"], "dimensions": []}),
        (
            {"pk": "Ünï", "dimension": ["a", "b"], "metric": ["x", "y"]},
            {"pk": ["Ünï"], "dimensions": [["a", "b"]], "metrics": {"x": "1", "y": "1"}},
        ),
        ({"metrics": {"hits": 0}}, {"pk": ["_"], "dimensions": [], "metrics": {"hits": "0"}}),
    ],
)
def test_a_pixel_counts_what_was_sealed(
    sealing: TokenSealer, sealed: dict[str, object], counted: dict[str, object]
) -> None:
    token = sealing.pixel(sealed)
    fields = sealing.event(token, {"_": "a cache buster"})
    assert fields == counted
    event, meant = parse_event(fields, NOW_S), parse_event(sealed, NOW_S)
    assert (event.pk, event.dimensions, dict(event.metrics)) == (
        meant.pk,
        meant.dimensions,
        dict(meant.metrics),
    )


def test_nothing_of_what_was_sealed_can_be_read(sealing: TokenSealer) -> None:
    token = sealing.pixel({"pk": "Secret", "metrics": {"margin": 1}}, slots=["country"])
    raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    for word in (b"Secret", b"margin", b"country"):
        assert word not in raw
    assert token != sealing.pixel({"pk": "Secret", "metrics": {"margin": 1}}, slots=["country"])


def test_a_page_may_fill_the_slots_it_was_given_and_no_others(sealing: TokenSealer) -> None:
    token = sealing.pixel(SALE, slots=["device", "uid"])
    filled = sealing.event(token, {"device": "Mac", "uid": "ann"})
    assert (filled["dimensions"], filled["uid"]) == ([["country", "US"], ["device", "Mac"]], "ann")
    assert sealing.event(token, {"device": ""})["dimensions"] == [["country", "US"]]
    for name in ("country", "pk", "metrics", "dimensions", "at", "id", "hits", "Device"):
        assert refused(lambda name=name: sealing.event(token, {name: "x"})) == "seal-slot"  # type: ignore[misc]


@pytest.mark.parametrize("value", [["US", "NY"], {"a": "b"}, "x" * 300, "a\nb"])
def test_a_slot_takes_one_label(sealing: TokenSealer, value: object) -> None:
    token = sealing.pixel(SALE, slots=["device"])
    with pytest.raises(BadInput) as fault:
        sealing.event(token, {"device": value})
    assert fault.value.parameter == "device"


def test_a_pixel_that_counts_once_has_an_id_of_its_own_and_expires_while_it_is_known(
    sealing: TokenSealer, clock: Clock
) -> None:
    first, second = (sealing.pixel(SALE, once=True) for _ in range(2))
    ids = {str(sealing.event(token, {})["id"]) for token in (first, first, second)}
    assert len(ids) == 2
    assert all(id.startswith("once:") for id in ids)
    clock.now_s += 23 * 3600
    assert refused(lambda: sealing.event(first, {})) == "seal-expired"


@pytest.mark.parametrize(
    ("fields", "options", "parameter"),
    [
        ({"pk": ["a"] * 9}, {}, "pk"),
        ({"metrics": {"a/b": 1}}, {}, "metrics"),
        ({"at": 1}, {}, "at"),
        ({"id": "x"}, {}, "id"),
        ({"uid": "x"}, {}, "uid"),
        ({"metrcis": 1}, {}, "metrcis"),
        ({}, {"slots": ["_cb"]}, "slots"),
        ({}, {"slots": ["a", "a"]}, "slots"),
        ({}, {"slots": [f"s{n}" for n in range(17)]}, "slots"),
        ({}, {"slots": [""]}, "slots"),
        ({"dimensions": [[str(n)] for n in range(32)]}, {"slots": ["more"]}, "dimensions"),
        ({}, {"expires": "soon"}, "expires"),
        ({}, {"expires": 0}, "expires"),
        ({}, {"expires": -5}, "expires"),
        ({}, {"expires": True}, "expires"),
        ({}, {"expires": "24h", "once": True}, "expires"),
        ({"dimensions": [[f"{n:03}" * 80] for n in range(30)]}, {}, "token"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_could_not_be_counted_is_not_sealed(
    sealing: TokenSealer, fields: dict[str, object], options: dict[str, Any], parameter: str
) -> None:
    with pytest.raises(BadInput) as fault:
        sealing.pixel(fields, **options)
    assert fault.value.parameter == parameter


# What is refused, and how it is said


@pytest.mark.parametrize(("expires", "seconds"), [(60, 60), ("90", 90), ("12h", 43_200)])
def test_a_token_is_good_until_it_expires(
    sealing: TokenSealer, clock: Clock, expires: object, seconds: int
) -> None:
    pixel, graph = sealing.pixel(SALE, expires=expires), sealing.graph(GRAPH, expires=expires)
    clock.now_s += seconds - 1
    assert sealing.event(pixel, {})["pk"] == ["Shop", "7"]
    assert sealing.question(graph)["pk"] == "Shop"
    clock.now_s += 1
    assert refused(lambda: sealing.event(pixel, {})) == "seal-expired"
    assert refused(lambda: sealing.question(graph)) == "seal-expired"


def test_every_changed_character_is_noticed(sealing: TokenSealer) -> None:
    token = sealing.pixel(SALE)
    for place, sign in enumerate(token):
        for other in ("A" if sign != "A" else "B", "%", ""):
            changed = token[:place] + other + token[place + 1 :]
            reason = refused(lambda changed=changed: sealing.event(changed, {}))  # type: ignore[misc]
            assert reason in ("seal-broken", "seal-key"), (place, other)


@pytest.mark.parametrize("more", ["=", "==", "A", "AAAA", " ", "\n", ".", "+", "é"])
def test_there_is_one_way_to_write_a_token(sealing: TokenSealer, more: str) -> None:
    token = sealing.pixel(SALE)
    for text in (token + more, more + token):
        assert refused(lambda text=text: sealing.event(text, {})) in ("seal-broken", "seal-key")  # type: ignore[misc]


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=300), st.binary(max_size=300).map(base64.urlsafe_b64encode)))
def test_whatever_comes_for_a_token_is_a_bad_seal(text: str | bytes) -> None:
    token = text.decode().rstrip("=") if isinstance(text, bytes) else text
    sealing = sealing_by(KEY)
    for ask in (lambda: sealing.event(token, {}), lambda: sealing.question(token)):
        assert refused(ask) in ("seal-broken", "seal-key")


def test_a_token_is_for_what_it_was_made_for(sealing: TokenSealer) -> None:
    pixel, graph = sealing.pixel(SALE), sealing.graph(GRAPH)
    assert refused(lambda: sealing.question(pixel)) == "seal-broken"
    assert refused(lambda: sealing.event(graph, {})) == "seal-broken"


def test_an_unknown_key_is_reported() -> None:
    token = sealing_by(OTHER).pixel(SALE)
    assert refused(lambda: sealing_by(KEY).event(token, {})) == "seal-key"
    assert sealing_by(KEY, OTHER).event(token, {})["pk"] == ["Shop", "7"]


def test_without_a_key_nothing_is_sealed_or_opened(tmp_path: Path) -> None:
    settings = Settings.from_env({"HAILWHALE_DATA_DIR": str(tmp_path)})
    sealing = TokenSealer(Keyring(settings), settings.limits, lambda: NOW_S)
    with pytest.raises(BadSetting, match="hailwhale keys new"):
        sealing.pixel(SALE)
    assert refused(lambda: sealing.event(sealing_by(KEY).pixel(SALE), {})) == "seal-key"


# Graphs


def test_a_graph_asks_what_was_sealed_and_always_says_its_period(sealing: TokenSealer) -> None:
    question = sealing.question(sealing.graph(GRAPH))
    assert question == {
        "pk": "Shop",
        "metrics": "dollars",
        "dimensions": "country",
        "depth": 1,
        "title": "Umsätze",
        "periods": "1d:1mo",
    }


@pytest.mark.parametrize(
    "fields", [{"target": "#x"}, {"hwurl": "https://a.example"}, {"period": "5x"}, {"pkk": 1}]
)
def test_an_invalid_graph_is_not_sealed(sealing: TokenSealer, fields: dict[str, object]) -> None:
    with pytest.raises(BadInput) as fault:
        sealing.graph(fields)
    assert fault.value.parameter == next(iter(fields))


# Keys


def test_a_key_file_is_for_its_owner_alone_from_the_start(tmp_path: Path) -> None:
    path = tmp_path / "new" / "seal.keys"
    before = os.umask(0)
    try:
        new_file(path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(HailWhaleError, match="keys rotate"):
        new_file(path)


def test_a_rotation_seals_with_a_new_key_at_once_and_opens_with_the_old_ones_it_keeps(
    tmp_path: Path, clock: Clock
) -> None:
    settings = Settings.from_env({"HAILWHALE_DATA_DIR": str(tmp_path)})
    sealing = TokenSealer(Keyring(settings), settings.limits, clock)
    path = settings.keys_path
    old = new_file(path)
    token = sealing.pixel(SALE)
    keys = rotate_file(path, keep=1)
    assert (len(keys), keys[1]) == (2, old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]
    assert sealing.event(token, {})["pk"] == ["Shop", "7"]
    rotate_file(path, keep=1)
    assert refused(lambda: sealing.event(token, {})) == "seal-key"
    assert sealing.event(sealing.pixel(SALE), {})["pk"] == ["Shop", "7"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_key_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    settings = Settings.from_env({"HAILWHALE_DATA_DIR": str(tmp_path)})
    new_file(settings.keys_path)
    settings.keys_path.chmod(mode)
    with pytest.raises(BadSetting, match="chmod 600"):
        Keyring(settings).all()


def test_a_key_file_that_goes_bad_while_it_is_in_use_leaves_the_keys_as_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged: list[str] = []
    monkeypatch.setattr(keyring_module.log, "error", lambda *said: logged.append(str(said)))
    settings = Settings.from_env({"HAILWHALE_DATA_DIR": str(tmp_path)})
    new_file(settings.keys_path)
    keyring = Keyring(settings)
    before = keyring.all()
    settings.keys_path.write_text("no key\n")
    assert keyring.all() == before
    assert keyring.all() == before
    assert len(logged) == 1
    assert "a line that is not a key" in logged[0]


@pytest.mark.parametrize("text", ["short", f"{KEY}A", "é" * 43, KEY.replace("a", "+")])
def test_a_file_with_a_line_that_is_no_key_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "keys"
    path.write_text(f"{text}\n")
    path.chmod(0o600)
    with pytest.raises(BadSetting, match="HAILWHALE_KEY_FILE") as fault:
        read_keys(path)
    assert text not in str(fault.value)


def test_keys_of_a_setting_are_never_shown() -> None:
    with pytest.raises(BadSetting) as fault:
        Settings.from_env({"HAILWHALE_SEAL_KEYS": f"{KEY},hunter2"})
    assert "hunter2" not in str(fault.value)
    assert KEY not in str(fault.value)
    assert KEY not in repr(SealKey.read(KEY))
    assert KEY not in repr(Keyring(replace(Settings(), seal_keys=(KEY,))).all())
