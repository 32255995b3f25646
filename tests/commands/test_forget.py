"""`hailwhale forget`: one visitor."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hailwhale.cli import main
from hailwhale.core.query.parameters import parse_spy
from hailwhale.services.container import Services


def test_a_visitor_is_forgotten_by_its_uid(
    make_services: Callable[..., Services],
    services: Services,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = "hailwhale.commands.forget.open_services"
    monkeypatch.setattr(path, lambda _settings: make_services())
    for uid in ("ann", "bob", "ann"):
        services.counting.count_now({"pk": "Shop", "uid": uid})
    assert main(["forget", "--uid", "ann"]) == 0
    assert capsys.readouterr().out == "erased 2 events from the spy log\n"
    [event] = services.spying.recent(parse_spy({"pk": "Shop"}))
    assert event.visitor == services.visitors.name("bob")
