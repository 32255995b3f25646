"""The data directory of the embedded Valkey: only its owner reads it and reaches the server."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest
import redis

from hailwhale.errors import HailWhaleError
from hailwhale.store.embedded import EmbeddedValkey, address
from hailwhale.store.private_files import make_private
from hailwhale.store.redis.client import connect


def open_to_others(folder: Path) -> dict[str, str]:
    """The modes of all that others may do anything with."""
    found = [folder, *folder.rglob("*")]
    modes = {str(path.relative_to(folder)): stat.S_IMODE(path.lstat().st_mode) for path in found}
    return {name: oct(mode) for name, mode in modes.items() if mode & 0o077}


def counted(server: EmbeddedValkey) -> None:
    client = connect(server.url, timeout_s=10)
    client.set("a", "b")
    client.close()


def test_a_new_directory_is_private(data_dir: Path) -> None:
    before = os.umask(0o022)
    try:
        with EmbeddedValkey(data_dir) as server:
            counted(server)
            assert open_to_others(data_dir) == {}
    finally:
        os.umask(before)


def test_a_directory_that_others_can_read_is_closed_to_them(data_dir: Path) -> None:
    """As `mkdir` makes it, with what an earlier service or a restored backup left in it."""
    with EmbeddedValkey(data_dir) as server:
        counted(server)
    for path in (data_dir, *data_dir.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    notes = data_dir / "notes.txt"
    notes.touch(0o644)
    with EmbeddedValkey(data_dir) as server:
        client = connect(server.url, timeout_s=10)
        assert client.get("a") == b"b"
        client.close()
        assert open_to_others(data_dir) == {"notes.txt": "0o644"}  # it is not ours


def test_a_directory_that_everybody_writes_to_is_refused(data_dir: Path) -> None:
    data_dir.mkdir()
    data_dir.chmod(0o1777)
    with pytest.raises(HailWhaleError, match=r"every user writes to .*--data-dir"):
        EmbeddedValkey(data_dir).start()
    assert stat.S_IMODE(data_dir.stat().st_mode) == 0o1777


@pytest.mark.parametrize("name", ["x" * 120, "\N{SPOUTING WHALE}" * 40], ids=["x", "whale"])
def test_a_long_path_has_a_private_socket_and_no_port(tmp_path: Path, name: str) -> None:
    data_dir = tmp_path / name
    with EmbeddedValkey(data_dir) as server:
        path = Path(server.url.removeprefix("unix://"))
        assert open_to_others(path.parent) == {}
        assert address(data_dir) == server.url
        client = connect(server.url, timeout_s=10)
        assert client.config_get("port") == {"port": "0"}
        client.close()
    assert not path.parent.exists()


def test_the_socket_of_a_killed_owner_goes_with_its_server(tmp_path: Path) -> None:
    killed = EmbeddedValkey(tmp_path / ("x" * 120))
    killed.start()
    folder = Path(killed.url.removeprefix("unix://")).parent
    assert killed._lock is not None
    killed._lock.close()  # as it goes with a process; its server stays
    with EmbeddedValkey(killed.data_dir) as server:
        assert not folder.exists()
        counted(server)
    killed.stop()


def test_a_path_too_long_everywhere_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hailwhale.store.embedded._LONGEST_SOCKET_PATH", 10)
    with pytest.raises(HailWhaleError, match=r"HAILWHALE_DATA_DIR: .* choose a shorter one"):
        EmbeddedValkey(tmp_path).start()


def test_the_port_of_a_server_of_before_is_closed(data_dir: Path) -> None:
    """An earlier version listened on a port; its server may still run after its owner's death."""
    with EmbeddedValkey(data_dir) as server:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        client = redis.Redis.from_url(server.url)
        client.config_set("port", str(port))
        client.close()
        (data_dir / "address").write_text(f"redis://127.0.0.1:{port}/0")
        assert server._lock is not None
        server._lock.close()
        with EmbeddedValkey(data_dir), pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=10)


@pytest.mark.parametrize(
    ("mode", "refused"), [(0o755, False), (0o2775, False), (0o777, True)], ids=oct
)
def test_the_directory_of_another_owner_is_refused_if_everybody_writes_to_it(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, mode: int, refused: bool
) -> None:
    """As a volume that belongs to root and a group. What the server writes there is private."""
    data_dir.mkdir()
    data_dir.chmod(mode)

    def not_yours(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "chmod", not_yours)
    if refused:
        with pytest.raises(HailWhaleError, match=r"its owner is another user: .* chmod go="):
            make_private(data_dir)
    else:
        with EmbeddedValkey(data_dir):
            assert set(open_to_others(data_dir)) == {"."}


def test_a_file_of_another_owner_that_others_can_read_is_refused(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data_dir.mkdir(mode=0o700)
    (data_dir / "valkey.log").touch(0o644)

    def not_yours(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "chmod", not_yours)
    with pytest.raises(HailWhaleError, match=r"other users can read .*valkey\.log"):
        make_private(data_dir)
