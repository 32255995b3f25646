"""The beacon as it is served: small, whole, kept by browsers, and on hail as on whale."""

from __future__ import annotations

import gzip

from tests.web.client import Client

PATH = "/hailwhale.beacon.js"


def test_the_beacon_comes_within_its_budget_and_is_looked_after(
    whale: Client, hail: Client
) -> None:
    plain = whale.get(PATH)
    zipped = whale.get(PATH, accept_encoding="gzip, br")
    assert gzip.decompress(zipped.body) == plain.body == hail.get(PATH).body
    assert len(zipped.body) < 2048
    assert plain.headers["content-type"] == "text/javascript; charset=utf-8"
    assert plain.headers["cross-origin-resource-policy"] == "cross-origin"
    assert plain.headers["cache-control"] == "no-cache"
    tag = plain.headers["etag"]
    assert whale.get(PATH, if_none_match=tag).status == 304
    assert "immutable" in whale.get(PATH, {"v": tag.strip('"')}).headers["cache-control"]
