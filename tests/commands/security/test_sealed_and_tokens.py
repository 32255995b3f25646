"""`hailwhale keys, pixel, graph, tokens`, and what the library seals: tried at a service."""

from __future__ import annotations

import re
import stat
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from hailwhale.commands.options import shown_value
from hailwhale.services.container import Services
from hailwhale.settings import Settings
from hailwhale.web.apps import whale_app
from hailwhale.whale import Whale
from tests.commands.conftest import Run
from tests.web.client import Answer, Client
from tests.web.queries import total

HOME = "https://hw.example.com"


@pytest.fixture
def home(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory and a public address, as the commands find them."""
    monkeypatch.setenv("HAILWHALE_DATA_DIR", str(data_dir))
    monkeypatch.setenv("HAILWHALE_PUBLIC_URL", HOME)
    return data_dir


@pytest.fixture
def services(make_services: Callable[..., Services], home: Path) -> Services:
    return make_services(data_dir=home, counting="sealed", reading="token")


@pytest.fixture
def whale(services: Services) -> Client:
    return Client(whale_app(services))


@pytest.fixture
def library(home: Path) -> Iterator[Whale]:
    library = Whale(settings=Settings.from_env())
    yield library
    library.close()


def load(whale: Client, url: str) -> Answer:
    """Ask for a URL as a browser would."""
    parts = urlsplit(unescape(url))
    assert f"{parts.scheme}://{parts.netloc}" == HOME
    return whale.get(parts.path, parts.query)


def counted(make_services: Callable[..., Services], pk: object) -> object:
    return total(Client(whale_app(make_services())), pk)


# Keys and what they seal


def test_keys_are_made_and_rotated_and_pixels_go_on_counting(
    run: Run, whale: Client, home: Path, make_services: Callable[..., Services]
) -> None:
    first = run("keys", "new")
    path = home / "seal.keys"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert str(path) in first
    url = run("pixel", "--pk", "['Shop', 7]", "--metrics", '{"dollars": 5}').strip()
    assert load(whale, url).status == 200
    assert re.search(r": \w{8} seals, \w{8} opens$", run("keys", "rotate").strip())
    assert load(whale, url).status == 200
    run("keys", "rotate", "--keep", "0")
    assert load(whale, url).status == 403
    assert counted(make_services, ["Shop", 7]) == 2
    assert not [line for line in path.read_text().splitlines()[1:] if line in first]


def test_keys_are_not_made_over_others(run: Run, home: Path) -> None:
    run("keys", "new")
    before = (home / "seal.keys").read_text()
    assert "keys rotate" in run("keys", "new", code=2)
    assert (home / "seal.keys").read_text() == before


def test_there_is_nothing_to_rotate_without_a_file(run: Run, home: Path) -> None:
    assert "cannot be read" in run("keys", "rotate", code=2)
    assert "hailwhale keys new" in run("pixel", code=2)
    assert "0 or a positive number of keys" in run("keys", "rotate", "--keep", "-1", code=2)


def test_the_tag_of_a_pixel_has_its_slots_and_its_end(
    run: Run, whale: Client, make_services: Callable[..., Services]
) -> None:
    run("keys", "new")
    tag = run(
        "pixel", "--pk", "Shop", "--slots", "country", "--expires", "30d", "--once", "--tag", code=2
    )
    assert "23h" in tag
    tag = run("pixel", "--pk", "Shop", "--slots", "country,device", "--once", "--tag").strip()
    found = re.fullmatch(r'<img src="([^"]+)" width="1" height="1" alt="">', tag)
    assert found is not None
    for _ in range(2):
        assert load(whale, f"{found[1]}?country=US").status == 200
    assert counted(make_services, "Shop") == 1


def test_a_sealed_graph_shows_what_its_options_say(run: Run, whale: Client) -> None:
    run("keys", "new")
    asked = ("--pk", "Shop", "--metrics", "hits", "--period", "1d:1w", "--title", "Visits")
    url = run("graph", *asked).strip()
    script = load(whale, url)
    assert (script.status, "Visits" in script.text) == (200, True)
    token = urlsplit(url).query
    assert set(whale.get("/totals", token).json) == {"1d:1w"}
    assert run("graph", *asked, "--tag").startswith(f'<script async src="{HOME}/graph.js?token=')
    assert "period" in run("graph", "--period", "5x", code=2)


def test_the_library_seals_the_same_without_a_store(
    run: Run,
    whale: Client,
    library: Whale,
    make_services: Callable[..., Services],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Whale, "_default", None)
    run("keys", "new")
    for url in (
        library.pixel_url("Shop", {"country": "US"}, {"dollars": 5}),
        library.pixel_url("Shop", dimension="x", metric="y", slots=["device"], expires="1h"),
        library.pixel_tag("Shop", once=True).split('"')[1],
        Whale.pixel_url(pk="Shop"),
    ):
        assert load(whale, url).status == 200
    assert counted(make_services, "Shop") == 4
    graph = library.sealed_graph_url("Shop", metric="dollars", depth=1, expires="1h")
    assert whale.get("/plotpoints", urlsplit(graph).query).status == 200
    assert library.sealed_graph_tag("Shop").startswith('<script async src="')
    assert library._services is None


# Tokens


def test_a_token_is_added_listed_and_revoked(run: Run, services: Services, whale: Client) -> None:
    def reads(pk: str) -> int:
        services.tokens.known(0)
        return whale.get("/totals", f"pk={pk}", authorization=f"Bearer {text}").status

    text = run("tokens", "add", "acme", "--scope", "read", "--root", "Acme").strip()
    assert re.fullmatch(r"hw_[0-9a-f]{8}_[A-Za-z0-9_-]{43}", text)
    assert (reads("Acme"), reads("Beta")) == (200, 403)
    listed = run("tokens", "list")
    assert re.search(r"acme +read +Acme", listed)
    assert text[12:] not in listed
    assert "acme" in run("tokens", "revoke", "acme")
    assert reads("Acme") == 403
    assert "acme" not in run("tokens", "list")


@pytest.mark.parametrize(
    "arguments",
    [("add", "acme"), ("revoke", "nobody"), ("add", "", "--scope", "read")],
)
def test_a_token_that_cannot_be_is_refused(
    run: Run, home: Path, arguments: tuple[str, ...]
) -> None:
    assert run("tokens", *arguments, code=2).startswith("hailwhale: ")


@pytest.mark.parametrize("arguments", [("add",), ("list", "acme"), ("revoke",), ("drop", "x")])
def test_tokens_need_a_subcommand(
    run: Run, home: Path, arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        run("tokens", *arguments)
    assert "usage: hailwhale tokens" in capsys.readouterr().err


# What is secret


@pytest.mark.parametrize(
    "variable", ["HAILWHALE_ADMIN_TOKEN", "HAILWHALE_SEAL_KEYS", "HAILWHALE_UID_KEY"]
)
def test_a_secret_setting_is_not_shown(variable: str) -> None:
    assert (shown_value(variable, "hunter2"), shown_value(variable, "")) == ("***", "")
