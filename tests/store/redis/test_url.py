"""What HAILWHALE_REDIS_URL may say."""

from __future__ import annotations

import traceback
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.connection import SSLConnection

from hailwhale.errors import BadSetting, StoreUnavailable
from hailwhale.store.redis.client import close_client, connect, faults_named, open_client
from hailwhale.store.redis.url import StoreUrl, Topology, masked, parse_address


@pytest.mark.parametrize(
    ("url", "kind", "nodes", "service", "options"),
    [
        ("redis://db:6380/3", Topology.SERVER, (), "", {"host": "db", "port": 6380, "db": 3}),
        ("valkey://db", Topology.SERVER, (), "", {"host": "db"}),
        (
            "unix:///run/valkey.sock?db=2",
            Topology.SERVER,
            (),
            "",
            {"path": "/run/valkey.sock", "db": 2},
        ),
        ("redis+cluster://a:7001", Topology.CLUSTER, (("a", 7001),), "", {}),
        ("valkey+cluster://a,b:7001/", Topology.CLUSTER, (("a", 6379), ("b", 7001)), "", {}),
        ("redis+cluster://[::1]:7001/0", Topology.CLUSTER, (("::1", 7001),), "", {}),
        (
            "rediss+cluster://:p%40ss@a:1,b:2?ssl_ca_certs=/ca.pem&client_name=hail",
            Topology.CLUSTER,
            (("a", 1), ("b", 2)),
            "",
            {"password": "p@ss", "ssl": True, "ssl_ca_certs": "/ca.pem", "client_name": "hail"},
        ),
        ("redis+sentinel://a/main", Topology.SENTINEL, (("a", 26379),), "main", {}),
        (
            "valkeys+sentinel://app:secret@a:1,b:2/main/3",
            Topology.SENTINEL,
            (("a", 1), ("b", 2)),
            "main",
            {"username": "app", "password": "secret", "ssl": True, "db": 3},
        ),
    ],
)
def test_a_url_names_servers_and_how_to_connect(
    url: str, kind: Topology, nodes: object, service: str, options: dict[str, Any]
) -> None:
    found = parse_address(url)
    assert (found.kind, found.nodes, found.service) == (kind, nodes, service)
    assert {name: found.options.get(name) for name in options} == options


def test_sentinels_have_a_login_of_their_own() -> None:
    url = "rediss+sentinel://:db@a/main?sentinel_username=w&sentinel_password=s%26s&ssl_keyfile=/k"
    found = parse_address(url)
    assert found.options == {"password": "db", "ssl_keyfile": "/k", "ssl": True}
    assert found.sentinel_options == {
        "username": "w",
        "password": "s&s",
        "ssl_keyfile": "/k",
        "ssl": True,
    }


_OPTIONS = (
    "client_name, db, max_connections, password, socket_connect_timeout, socket_keepalive, "
    "socket_timeout, ssl_ca_certs, ssl_ca_path, ssl_cert_reqs, ssl_certfile, ssl_check_hostname, "
    "ssl_keyfile, ssl_password, username"
)
_FORMS = (
    "expected redis://host:6379/0, rediss:// or unix://, redis+cluster://host:port,host:port or "
    "redis+sentinel://host:26379,host:26379/service[/db]"
)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("db:6379", _FORMS),
        ("http://db", _FORMS),
        ("redis+ring://db", _FORMS),
        ("redis+://db", _FORMS),
        ("unix+cluster:///run/valkey.sock", _FORMS),
        ("redis://db/main", "expected a database number such as 0 instead of 'main'"),
        ("redis://db?colour=red", f"no such option: colour; the options are {_OPTIONS}"),
        (
            "redis://db?decode_responses=1",
            f"no such option: decode_responses; the options are {_OPTIONS}",
        ),
        ("redis://db?db=x", "Invalid value for 'db' in connection URL."),
        ("redis://db?ssl=true", "ssl: TLS is used with rediss:// (or valkeys://) only"),
        ("rediss+cluster://a:1?ssl=", "ssl: TLS is used with rediss:// (or valkeys://) only"),
        (
            "redis://db?ssl_ca_certs=/ca.pem",
            "ssl_ca_certs: TLS is used with rediss:// (or valkeys://) only",
        ),
        (
            "redis+sentinel://a:1/main?ssl_keyfile=/k",
            "ssl_keyfile: TLS is used with rediss:// (or valkeys://) only",
        ),
        (
            "rediss://db?ssl_cert_reqs=maybe",
            "ssl_cert_reqs: expected none, optional, required instead of 'maybe'",
        ),
        ("redis://db?host=other", "no such option: host; the URL itself has it"),
        ("unix:///run/valkey.sock?socket_keepalive=1", "socket_keepalive: a Unix socket has none"),
        ("redis+cluster://", f"a host is missing; {_FORMS}"),
        ("redis+cluster://a:1,,b:2", f"a host is missing; {_FORMS}"),
        ("redis+cluster://a:1/2", "a cluster has only database 0"),
        ("redis+cluster://a:1?db=2", "a cluster has only database 0"),
        ("redis+cluster://a:1?retry=3", f"no such option: retry; the options are {_OPTIONS}"),
        (
            "redis+sentinel://a:1",
            f"the name of the service after the Sentinels is missing; {_FORMS}",
        ),
        (
            "redis+sentinel://a:1/",
            f"the name of the service after the Sentinels is missing; {_FORMS}",
        ),
        ("redis+sentinel://a:1/main/x", "expected a database number such as 0 instead of 'x'"),
    ],
)
def test_a_url_that_cannot_be_one_is_refused_with_the_reason(url: str, why: str) -> None:
    with pytest.raises(BadSetting) as fault:
        open_client(url, timeout_s=1)
    assert str(fault.value) == f"HAILWHALE_REDIS_URL: got {url!r}: {why}"


@pytest.mark.parametrize("scheme", ["redis", "rediss", "unix", "redis+sentinel", "rediss+sentinel"])
@pytest.mark.parametrize("option", [*_OPTIONS.split(", "), "ssl", "host", "port", "path", "retry"])
@pytest.mark.parametrize("value", ["1", "true", "none", "/x", ""])
def test_no_option_of_a_url_is_an_error_of_another_kind(
    scheme: str, option: str, value: str
) -> None:
    where = "/nowhere" if scheme == "unix" else "127.0.0.1:1/service"
    where = where if "sentinel" in scheme or scheme == "unix" else "127.0.0.1:1"
    try:
        client: Any = open_client(f"{scheme}://{where}?{option}={value}", timeout_s=0.1)
    except BadSetting:
        return
    with pytest.raises(StoreUnavailable), faults_named():
        client.ping()
    close_client(client)


@pytest.mark.parametrize("port", ["x", "70000"])
def test_a_port_that_cannot_be_one_is_refused(port: str) -> None:
    with pytest.raises(BadSetting, match=r"HAILWHALE_REDIS_URL: got .*[Pp]ort"):
        open_client(f"redis+cluster://a:{port}", timeout_s=1)


def test_a_password_is_not_shown_when_its_url_is_refused() -> None:
    with pytest.raises(BadSetting) as fault:
        parse_address("redis+sentinel://app:hunter2@a:1,b:2?sentinel_password=hunter3&db=1")
    assert "app:***@a:1,b:2?sentinel_password=***&db=1" in str(fault.value)
    assert "hunter" not in str(fault.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://db:6379/0", "redis://db:6379/0"),
        ("redis://:hunter2@db:6379/0", "redis://:***@db:6379/0"),
        ("redis://app:hun:ter@2@db/0", "redis://app:***@db/0"),
        (
            "unix:///run/valkey.sock?password=hunter2&db=1",
            "unix:///run/valkey.sock?password=***&db=1",
        ),
        ("redis://app:hun/ter@db/0", "redis://app:***@db/0"),
        ("redis://app:hun#ter@db/0", "redis://app:***@db/0"),
        ("redis://app:hun?ter@db/0", "redis://app:***@db/0"),
        ("redis://hunter2@db/0", "redis://***@db/0"),
        ("redis://:hunter2", "redis://:***"),
        ("hunter2@db", "***@db"),
        ("unix:///run/v?password=hun&ter", "unix:///run/v?password=***&***"),
        ("unix:///run/v?password=hun@ter", "unix://***"),
    ],
)
def test_passwords_are_masked(url: str, shown: str) -> None:
    assert masked(url) == shown


PASSWORDS = st.text(st.sampled_from("/#?@:&%=+;, []é0"), max_size=8).map(
    lambda text: f"hunter{text}secret"
)


@given(
    password=PASSWORDS,
    form=st.sampled_from(
        [
            "redis://:{}@db:6379/0",
            "rediss://app:{}@db",
            "valkey+cluster://app:{}@a:1,b:2",
            "redis+sentinel://app:{}@a:1,b:2/main",
            "redis+sentinel://a:1,b:2/main?sentinel_password={}",
            "redis+sentinel://app:{}@a:1/main/x?sentinel_password={}",
            "unix:///run/valkey.sock?password={}&db=1",
            "unix://app:{}@/run/valkey.sock",
            "redis://db?password={}&colour=red",
            "http://app:{}@db",
            "app:{}@db",
        ]
    ),
)
def test_no_part_of_any_password_is_in_a_message(password: str, form: str) -> None:
    url = form.replace("{}", password)
    said = masked(url)
    try:
        address = parse_address(url)
    except BadSetting as fault:
        said += "".join(traceback.format_exception(fault))  # with what it was caused by
    else:  # nothing of it is a name to connect to: that would be in the errors of connections
        places = [address.nodes, *(address.options.get(name) for name in ("host", "port", "path"))]
        said += repr(places)
    assert "hunter" not in said
    assert "secret" not in said


@pytest.mark.parametrize(("scheme", "secure"), [("redis", False), ("rediss", True)])
def test_tls_is_for_servers_and_sentinels_alike(scheme: str, secure: bool) -> None:
    client: Any = open_client(f"{scheme}+sentinel://a/main", timeout_s=1)
    (sentinel,) = client.connection_pool.sentinel_manager.sentinels
    for pool in (client.connection_pool, sentinel.connection_pool):
        assert issubclass(pool.connection_class, SSLConnection) is secure
    close_client(client)


def test_one_server_is_not_taken_for_a_cluster() -> None:
    with pytest.raises(BadSetting, match="expected a single server"):
        connect("redis+cluster://a:1", timeout_s=1)


def test_an_address_reveals_only_what_was_asked() -> None:
    assert parse_address("redis://db") == StoreUrl(
        Topology.SERVER, {"host": "db"}, nodes=(), service="", sentinel_options={}
    )
