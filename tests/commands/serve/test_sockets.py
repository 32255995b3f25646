"""The socket to serve on: a new one, or one that systemd handed on."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from hailwhale.commands.serve import sockets
from hailwhale.commands.serve.sockets import opened
from hailwhale.errors import BadSetting
from hailwhale.settings import Settings

Hand = Callable[[socket.socket], dict[str, str]]


@pytest.fixture
def hand(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hand]:
    """Hands a socket on to this process, as systemd does; the variables that say so."""
    with ExitStack() as stack:

        def hand(found: socket.socket) -> dict[str, str]:
            stack.callback(found.close)
            monkeypatch.setattr(sockets, "_SYSTEMD_FD", os.dup(found.fileno()))
            return {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1"}

        yield hand


def tcp(host: str, *, listens: bool = True) -> socket.socket:
    found = socket.socket()
    found.bind((host, 0))
    if listens:
        found.listen()
    return found


def test_a_socket_that_is_handed_on_is_taken_with_its_own_address(hand: Hand) -> None:
    given = tcp("127.0.0.1")
    listener, settings = opened(Settings(), hand(given))
    with listener:
        assert listener.getsockname() == given.getsockname()
        assert (settings.host, settings.port) == given.getsockname()


def test_a_socket_for_another_process_is_left_alone(hand: Hand) -> None:
    given = tcp("127.0.0.1")
    listener, _ = opened(Settings(port=0), {**hand(given), "LISTEN_PID": "1"})
    with listener:
        assert listener.getsockname() != given.getsockname()
    os.close(sockets._SYSTEMD_FD)


def test_one_that_others_can_reach_is_refused_like_an_address_of_ours(hand: Hand) -> None:
    with pytest.raises(BadSetting, match=r"'0\.0\.0\.0' can be reached from other machines"):
        opened(Settings(), hand(tcp("0.0.0.0")))  # noqa: S104 - that is what is refused


def test_only_a_listening_tcp_socket_is_accepted(hand: Hand) -> None:
    for given in (tcp("127.0.0.1", listens=False), socket.socket(socket.AF_UNIX)):
        with pytest.raises(BadSetting, match="LISTEN_FDS: expected a listening TCP socket"):
            opened(Settings(), hand(given))


def test_a_descriptor_that_is_not_a_socket_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    variables = {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1"}
    with open(os.devnull) as file:
        monkeypatch.setattr(sockets, "_SYSTEMD_FD", file.fileno())
        with pytest.raises(BadSetting, match=r"LISTEN_FDS: .* is not a socket"):
            opened(Settings(), variables)


def test_several_sockets_are_refused() -> None:
    variables = {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "2"}
    with pytest.raises(
        BadSetting, match="got 2 sockets; expected a socket unit with one ListenStream"
    ):
        opened(Settings(), variables)
