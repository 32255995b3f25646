"""Parses HAILWHALE_REDIS_URL: one server, a cluster, or Sentinels that know the primary.

Returns a `StoreUrl`, or raises a `BadSetting` that shows no password. Opens no connection.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from redis.connection import parse_url

from hailwhale.errors import BadSetting

_EXPECTED = (
    "expected redis://host:6379/0, rediss:// or unix://, redis+cluster://host:port,host:port or "
    "redis+sentinel://host:26379,host:26379/service[/db]"
)
_ENGINES = {
    "redis": "redis",
    "rediss": "rediss",
    "valkey": "redis",
    "valkeys": "rediss",
    "unix": "unix",
}
_ENCODED = "in a user name or password, write / ? # @ : & and % percent-encoded, such as %2F for /"
_UNREADABLE = f"a part of it cannot be read; {_ENCODED}"
# redis-py has more, but answers must not be decoded and nothing may be sent twice.
_OPTIONS = {
    "client_name",
    "db",
    "max_connections",
    "password",
    "socket_connect_timeout",
    "socket_keepalive",
    "socket_timeout",
    "ssl_ca_certs",
    "ssl_ca_path",
    "ssl_cert_reqs",
    "ssl_certfile",
    "ssl_check_hostname",
    "ssl_keyfile",
    "ssl_password",
    "username",
}
_PARTS = {"host", "port", "path", "connection_class", "ssl"}  # what other parts of a URL say
_CERT_REQS = ("none", "optional", "required")
_NOT_IN_QUERY = _PARTS - {"ssl"}

_SCHEME = re.compile(r"(?:[a-z+]+://)?")
_SAFE_USER = re.compile(r"[A-Za-z0-9._-]*")
_PASSWORD_OPTION = re.compile(r"[?&]([A-Za-z_]*password)=")
_SAFE_OPTION = re.compile(rf"(?:{'|'.join(sorted(_OPTIONS))})=[A-Za-z0-9._/-]*")
_HIDDEN = "***"


class Topology(Enum):
    """The kinds of servers that a URL can lead to."""

    SERVER = ""
    CLUSTER = "cluster"
    SENTINEL = "sentinel"


@dataclass(frozen=True, slots=True)
class StoreUrl:
    """The location of a store, and the options to connect to it.

    `options` are redis-py's for a connection to a server, without host and port if `nodes` has
    them: some nodes of a cluster, or the Sentinels. `service` is the name by which Sentinels know
    the primary. `sentinel_options` are for connections to Sentinels.
    """

    kind: Topology
    options: Mapping[str, Any] = field(repr=False)  # with the password
    nodes: tuple[tuple[str, int], ...] = ()
    service: str = ""
    sentinel_options: Mapping[str, Any] = field(default_factory=dict, repr=False)


def masked(url: str) -> str:
    """Return a URL with its passwords masked, for messages.

    A password that is not percent-encoded may hold any characters, so where it ends is a guess.
    Everything that could be a part of it is masked.

    >>> masked("redis+sentinel://app:hunter2@a:1,b:2/main?sentinel_password=hunter3&db=1")
    'redis+sentinel://app:***@a:1,b:2/main?sentinel_password=***&db=1'
    >>> masked("redis://:with/any#thing?@all@db/0")
    'redis://:***@db/0'
    """
    scheme = _SCHEME.match(url)
    begin = scheme.end() if scheme else 0
    option = _PASSWORD_OPTION.search(url, begin)
    options_at = option.start() if option else len(url)
    at = url.rfind("@", begin, options_at)
    if at < 0 and "@" in url[begin:]:  # behind `password=`, which may be a part of a password
        return f"{url[:begin]}{_HIDDEN}"
    shown = url[:begin]
    if at >= 0:
        shown += f"{_masked_login(url[begin:at])}@"
    elif url.startswith(":", begin):  # a login whose host is missing
        return f"{shown}:{_HIDDEN}"
    shown += url[max(at + 1, begin) : options_at]
    if option:
        shown += option[0][0] + "&".join(map(_masked_option, url[options_at + 1 :].split("&")))
    return shown


def _masked_login(login: str) -> str:
    user, colon, _ = login.partition(":")
    return f"{user}:{_HIDDEN}" if colon and _SAFE_USER.fullmatch(user) else _HIDDEN


def _masked_option(option: str) -> str:
    found = _PASSWORD_OPTION.match(f"&{option}")
    if found:
        return f"{found[1]}={_HIDDEN}"
    return option if _SAFE_OPTION.fullmatch(option) else _HIDDEN


class _BadPart(ValueError):
    """A part of a URL is invalid; `quoting` quotes the part, which may be one of a password."""

    def __init__(self, expected: str, quoting: str = "") -> None:
        self.expected = expected
        super().__init__(quoting or expected)


def parse_address(url: str) -> StoreUrl:
    """Parse a URL; raise `BadSetting` if it is invalid.

    >>> parse_address("valkey+cluster://a:7001,b:7002").nodes
    (('a', 7001), ('b', 7002))
    """
    try:
        return _parsed(url)
    except ValueError as fault:
        shown = masked(url)
        if shown == url:  # it has no password
            raise BadSetting(f"HAILWHALE_REDIS_URL: got {url!r}: {fault}") from fault
        reason = fault.expected if isinstance(fault, _BadPart) else _UNREADABLE
    # Neither the reason nor the traceback quotes the URL.
    raise BadSetting(f"HAILWHALE_REDIS_URL: got {shown!r}: {reason}")


def _parsed(url: str) -> StoreUrl:
    scheme, separator, rest = url.partition("://")
    word, plus, kind_word = scheme.partition("+")
    engine = _ENGINES.get(word)
    if not separator or engine is None or (plus and kind_word not in ("cluster", "sentinel")):
        raise _BadPart(_EXPECTED)
    _refuse_raw_password(engine, rest)
    kind = Topology(kind_word)
    _check_query(engine, urlsplit(f"//{rest}").query)
    if kind is Topology.SERVER:
        if engine != "unix":
            _database(urlsplit(f"//{rest}").path)
        return StoreUrl(kind, _known(parse_url(f"{engine}://{rest}")))
    if engine == "unix":
        raise _BadPart(_EXPECTED)
    return _of_several(kind, engine, rest)


def _check_query(engine: str, query: str) -> None:
    """Refuse options that other parts of the URL give, and those of TLS without TLS."""
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name in _NOT_IN_QUERY:
            raise _BadPart(f"no such option: {name}; the URL itself has it")
        if name == "ssl" or (name.startswith("ssl_") and engine != "rediss"):
            expected = "TLS is used with rediss:// (or valkeys://) only"
            raise _BadPart(expected, f"{name}: {expected}")
        if name == "ssl_cert_reqs" and value not in _CERT_REQS:
            expected = f"{name}: expected {', '.join(_CERT_REQS)}"
            raise _BadPart(expected, f"{expected} instead of {value!r}")
        if name == "socket_keepalive" and engine == "unix":
            raise _BadPart(f"{name}: a Unix socket has none")


def _refuse_raw_password(engine: str, rest: str) -> None:
    """Refuse a URL in which a character of a password ends the login too early.

    Else the start of the password would be a host, to which this process would connect.
    """
    login_and_host = re.split("[/?#]", rest, maxsplit=1)[0]
    path, _, query = rest[len(login_and_host) :].partition("?")
    is_path = engine == "unix" and not login_and_host
    if "#" in rest or ("@" in path and not is_path) or ("@" in query and "=" not in query):
        raise _BadPart(_ENCODED)
    if "@" in query and "@" not in login_and_host and ":" in login_and_host:
        raise _BadPart(_ENCODED)


def _of_several(kind: Topology, engine: str, rest: str) -> StoreUrl:
    parts = urlsplit(f"//{rest}")
    login, at, hosts = parts.netloc.rpartition("@")
    query = dict(parse_qsl(parts.query))
    tls = {"ssl": True} if engine == "rediss" else {}
    sentinels: dict[str, Any] = {}
    service, number = "", parts.path
    if kind is Topology.SENTINEL:
        name, _, number = parts.path.removeprefix("/").partition("/")
        service = unquote(name)
        if not service:
            raise _BadPart(f"the name of the service after the Sentinels is missing; {_EXPECTED}")
        for name in ("username", "password"):
            if f"sentinel_{name}" in query:
                sentinels[name] = query.pop(f"sentinel_{name}")
    options = parse_url(f"redis://{login}{at}?{urlencode(query)}") | tls
    if database := _database(number):
        options["db"] = database
    if kind is Topology.CLUSTER and options.pop("db", 0):
        raise _BadPart("a cluster has only database 0")
    if kind is Topology.SENTINEL:
        sentinels |= {name: given for name, given in options.items() if name.startswith("ssl")}
    default_port = 26379 if kind is Topology.SENTINEL else 6379
    nodes = tuple(_node(text, default_port) for text in hosts.split(","))
    return StoreUrl(kind, _known(options), nodes, service, sentinels)


def _node(text: str, default_port: int) -> tuple[str, int]:
    """Parse a `host:port`; an IPv6 address is in brackets."""
    parts = urlsplit(f"//{text}")
    if not parts.hostname:
        raise _BadPart(f"a host is missing; {_EXPECTED}")
    return parts.hostname, parts.port or default_port


def _database(path: str) -> int:
    number = path.strip("/")
    if number and not number.isdecimal():
        expected = "expected a database number such as 0"
        raise _BadPart(expected, f"{expected} instead of {number!r}")
    return int(number or 0)


def _known(options: dict[str, Any]) -> dict[str, Any]:
    """Return the options if all are known; others would be ignored or fail at the first command."""
    unknown = [name for name in options if name not in _OPTIONS | _PARTS]
    if unknown:
        known = f"the options are {', '.join(sorted(_OPTIONS))}"
        raise _BadPart(f"no such option; {known}", f"no such option: {unknown[0]}; {known}")
    return options
