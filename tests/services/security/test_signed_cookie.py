"""The signature of a cookie: what was signed here is ours, and nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hailwhale.services.container import Services
from hailwhale.services.ingest.visitor_ids import VisitorHasher
from hailwhale.services.security.signed_cookie import CookieSigner


@pytest.mark.parametrize(
    "cookie", ["", ".", "ann", "ann.", ".x", "ann.AAAA", "bob.{}", "ann.{}x", "ann.x{}", "é.{}"]
)
def test_only_what_was_signed_here_is_a_cookie_of_ours(cookie: str) -> None:
    cookies = CookieSigner(lambda: b"key")
    signed = cookies.sign("ann")
    assert CookieSigner(lambda: b"key").verify(signed) == "ann"
    assert CookieSigner(lambda: b"other").verify(signed) is None
    assert cookies.verify(cookie.format(signed.partition(".")[2])) is None


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_uid_comes_back_as_it_was(uid: str) -> None:
    cookies = CookieSigner(lambda: b"key")
    assert cookies.verify(cookies.sign(uid)) == uid


def test_every_process_over_a_store_signs_with_one_key(services: Services) -> None:
    other = VisitorHasher(services.store.secrets, "", 0, services.clock)
    signed = services.cookies.sign("ann")
    assert CookieSigner(lambda: other.lasting_key("cookies")).verify(signed) == "ann"
