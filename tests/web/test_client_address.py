"""The address of a client: whom X-Forwarded-For is believed from."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hailwhale.services.container import Services
from hailwhale.settings import Settings
from hailwhale.web.apps import whale_app
from hailwhale.web.client_address import client_address
from tests.web.client import Client


@pytest.mark.parametrize(
    ("trusted", "peer", "said", "client"),
    [
        ("", "192.0.2.1", "6.6.6.6", "192.0.2.1"),
        ("127.0.0.1", "127.0.0.1", "6.6.6.6, 192.0.2.9", "192.0.2.9"),
        ("127.0.0.1", "192.0.2.1", "6.6.6.6", "192.0.2.1"),
        ("127.0.0.1,10.0.0.0/8", "127.0.0.1", "6.6.6.6, 192.0.2.9, 10.1.2.3", "192.0.2.9"),
        ("127.0.0.1", "", "192.0.2.9", "192.0.2.9"),
        ("127.0.0.1", "127.0.0.1", "<script>", "127.0.0.1"),
        ("127.0.0.1", "::ffff:127.0.0.1", "192.0.2.9", "192.0.2.9"),
        ("127.0.0.1", "127.0.0.1", "", "127.0.0.1"),
    ],
)
def test_a_client_is_who_trusted_proxies_say_it_is(
    make_services: Callable[..., Services], trusted: str, peer: str, said: str, client: str
) -> None:
    proxies = Settings.from_env({"HAILWHALE_TRUSTED_PROXIES": trusted}).trusted_proxies
    services = make_services(trusted_proxies=proxies, rate_limit="1/hour")
    environ = {"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": said}
    assert client_address(environ, proxies) == client
    whale = Client(whale_app(services))
    assert whale.request("GET", "/count", environ=environ).status == 200
    directly = {"REMOTE_ADDR": client}
    assert whale.request("GET", "/count", environ=directly).status == 429
