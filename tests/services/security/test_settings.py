"""The settings of safety: what they take, and what they refuse with their name."""

from __future__ import annotations

from pathlib import Path

import pytest

from hailwhale.errors import BadSetting
from hailwhale.services.ingest.spool_directory import SpoolDirectory
from hailwhale.services.security.bind_check import refuse_unsafe
from hailwhale.services.security.keyring import SealKey
from hailwhale.settings import Settings
from hailwhale.store.redis.url import parse_address

ALL = "0.0.0.0"  # noqa: S104
SECRET = "hunter2" + "A" * 36


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("HAILWHALE_COUNTING", "on"),
        ("HAILWHALE_READING", "tokens"),
        ("HAILWHALE_SEAL_KEYS", "hunter2"),
        ("HAILWHALE_RATE_LIMIT", "many"),
        ("HAILWHALE_RATE_LIMIT", "5/fortnight"),
        ("HAILWHALE_TOKEN_RATE_LIMIT", "-1/second"),
        ("HAILWHALE_TRUSTED_PROXIES", "proxy.example.com"),
        ("HAILWHALE_TRUSTED_PROXIES", "10.0.0.0/99"),
        ("HAILWHALE_SKIP_BOTS", "maybe"),
        ("HAILWHALE_FRAME_ORIGINS", "shop.example; script-src *"),
        ("HAILWHALE_CORS_ORIGINS", "shop.example"),
        ("HAILWHALE_HOSTS", "*"),
        ("HAILWHALE_HOSTS", "*.example.com"),
        ("HAILWHALE_HOSTS", "hw.example.com:8085"),
        ("HAILWHALE_HOSTS", "https://hw.example.com"),
        ("HAILWHALE_HOSTS", "bücher.example"),
        ("HAILWHALE_HOSTS", "a.example b.example"),
    ],
)
def test_a_wrong_setting_is_refused_by_its_name(variable: str, text: str) -> None:
    with pytest.raises(BadSetting, match=variable):
        Settings.from_env({variable: text})


def test_hosts_are_names_and_addresses_in_one_spelling() -> None:
    text = " HW.Example.com. ,10.0.0.5,FD00::1, [fd00:0::2],,my_container "
    found = Settings.from_env({"HAILWHALE_HOSTS": text}).hosts
    assert found == ("hw.example.com", "10.0.0.5", "fd00::1", "fd00::2", "my_container")


@pytest.mark.parametrize(
    ("variables", "path"),
    [
        ({}, "hailwhale-data/seal.keys"),
        ({"HAILWHALE_DATA_DIR": "/srv/hw"}, "/srv/hw/seal.keys"),
        ({"HAILWHALE_DATA_DIR": "/srv/hw", "HAILWHALE_KEY_FILE": "/etc/hw.keys"}, "/etc/hw.keys"),
    ],
)
def test_keys_are_where_the_settings_say(variables: dict[str, str], path: str) -> None:
    assert Settings.from_env(variables).keys_path == Path(path)


@pytest.mark.parametrize(
    "given",
    [
        {"host": "127.0.0.1"},
        {"host": ALL, "admin_token": "t"},
        {"host": ALL, "reading": "token"},
        {"host": ALL, "open_to_all": True},
    ],
    ids=str,
)
def test_binding_is_allowed_when_access_is_limited_or_open_on_purpose(
    given: dict[str, object],
) -> None:
    refuse_unsafe(Settings.from_env({}, **given))


@pytest.mark.parametrize("given", [{}, {"reading": "open"}, {"counting": "off"}], ids=str)
def test_binding_is_refused_when_anyone_could_read_and_erase(given: dict[str, object]) -> None:
    with pytest.raises(BadSetting, match="HAILWHALE_READING=token"):
        refuse_unsafe(Settings.from_env({}, host=ALL, **given))


@pytest.mark.parametrize(
    "holder",
    [
        Settings.from_env(
            {
                "HAILWHALE_REDIS_URL": f"redis://user:{SECRET}@localhost",
                "HAILWHALE_ADMIN_TOKEN": SECRET,
                "HAILWHALE_SEAL_KEYS": SECRET,
                "HAILWHALE_UID_KEY": SECRET,
            }
        ),
        parse_address(f"redis://user:{SECRET}@localhost"),
        parse_address(
            f"redis+sentinel://user:{SECRET}@localhost/primary?sentinel_password={SECRET}"
        ),
        SpoolDirectory(Path("spool"), 1, SECRET),
        SealKey.read(SECRET),
    ],
    ids=lambda holder: type(holder).__name__,
)
def test_what_holds_a_secret_does_not_show_it_where_it_is_logged(holder: object) -> None:
    assert SECRET not in repr(holder)


@pytest.mark.parametrize(
    "text", ["1_000", "٣٠", "0x10", "010", "1e3", "+5", "5.0", "1,000", "5k", "nan", "--5"]
)
@pytest.mark.parametrize("variable", ["HAILWHALE_PORT", "HAILWHALE_BUFFER_LIMIT"])
def test_a_whole_number_is_written_in_plain_digits(variable: str, text: str) -> None:
    with pytest.raises(BadSetting, match="whole number"):
        Settings.from_env({variable: text})


@pytest.mark.parametrize("text", ["1_0", "1e1", "inf", "nan", ".", "5s", "05", "٣", "+1", "1,5"])
def test_seconds_are_written_in_plain_digits(text: str) -> None:
    with pytest.raises(BadSetting, match="expected seconds"):
        Settings.from_env({"HAILWHALE_STORE_TIMEOUT": text})


@pytest.mark.parametrize(("text", "value"), [("0.5", 0.5), (".25", 0.25), (" 2 ", 2.0), ("10", 10)])
def test_seconds_may_have_a_fraction(text: str, value: float) -> None:
    assert Settings.from_env({"HAILWHALE_STORE_TIMEOUT": text}).store_timeout_s == value


@pytest.mark.parametrize(
    ("text", "size"), [("", 0), ("0", 0), ("1048576", 2**20), ("64mb", 2**26), (" 4GB ", 2**32)]
)
def test_a_size_has_bytes_or_a_unit_of_1024s(text: str, size: int) -> None:
    assert Settings.from_env({"HAILWHALE_STORE_MEMORY": text}).store_memory == size


@pytest.mark.parametrize("text", ["4g", "4 gb", "1.5gb", "4gib", "1e9", "1_000", "-1", "all"])
def test_a_size_with_two_readings_is_refused(text: str) -> None:
    with pytest.raises(BadSetting, match="a size such as 512mb"):
        Settings.from_env({"HAILWHALE_STORE_MEMORY": text})
