"""Servers that lose counts are refused at the start of every command; other flaws are logged."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hailwhale.errors import StoreMismatch
from hailwhale.services.container import open_services
from hailwhale.settings import Settings
from hailwhale.store.embedded import EmbeddedValkey
from tests.deploy.running import completed, started
from tests.faults.answering import AnsweringProxy, text_answer
from tests.ports import free_port

OLD = "redis_version:6.2.14\r\nrole:master\r\naof_enabled:1\r\n"
EVICTS = (
    "redis_version:7.2.0\r\nrole:master\r\naof_enabled:1\r\nmaxmemory:1000000\r\n"
    "maxmemory_policy:volatile-lru\r\n"
)
NO_LOG = "redis_version:7.2.0\r\nrole:master\r\naof_enabled:0\r\n"
TOO_OLD = "Redis 6.2.14 is too old: use Redis 7 or later, or Valkey"
DROPS = (
    "Redis 7.2.0 has the maxmemory-policy volatile-lru, which deletes counts: set it to noeviction"
)


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AnsweringProxy]:
    with (
        EmbeddedValkey(tmp_path_factory.mktemp("unfit"), fsync="no") as server,
        AnsweringProxy(server.url.removeprefix("unix://")) as proxy,
    ):
        yield proxy


@pytest.mark.parametrize(("info", "why"), [(OLD, TOO_OLD), (EVICTS, DROPS)])
@pytest.mark.parametrize("words", ["hail", "whale", "serve", "drain", "drain --once", "count Shop"])
def test_an_unfit_server_is_refused_at_the_start(
    proxy: AnsweringProxy, tmp_path: Path, words: str, info: str, why: str
) -> None:
    proxy.answers = {"INFO": text_answer(info)}
    port = ["--port", str(free_port())] if words in ("hail", "whale", "serve") else []
    folder = str(tmp_path / "data")
    ended = completed(
        *words.split(), *port, HAILWHALE_REDIS_URL=proxy.url, HAILWHALE_DATA_DIR=folder
    )
    assert ended.returncode == 2
    assert why in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(("info", "why"), [(OLD, TOO_OLD), (EVICTS, DROPS)])
def test_an_unfit_server_is_refused_when_it_answers_after_an_outage(
    proxy: AnsweringProxy, tmp_path: Path, info: str, why: str
) -> None:
    proxy.answers = dict.fromkeys(("INFO", "HSETNX"), b"-LOADING not yet\r\n")
    settings = Settings.from_env({}, redis_url=proxy.url, spool_dir=str(tmp_path))
    services = open_services(settings, spooled=True)
    proxy.answers = {"INFO": text_answer(info)}
    with pytest.raises(StoreMismatch, match=why):
        services.store.stats.loads()
    services.close()


@pytest.mark.parametrize("words", ["hail", "serve"])
def test_what_the_doctor_would_say_is_logged_at_the_start(
    proxy: AnsweringProxy, data_dir: Path, capfd: pytest.CaptureFixture[str], words: str
) -> None:
    proxy.answers = {"INFO": text_answer(NO_LOG)}
    variables = {"HAILWHALE_REDIS_URL": proxy.url, "HAILWHALE_DATA_DIR": str(data_dir)}
    with started(words, "--port", str(free_port()), variables=variables) as server:
        assert server.url
    logged = capfd.readouterr().err
    assert logged.count("persistence: no append-only file") == 1
