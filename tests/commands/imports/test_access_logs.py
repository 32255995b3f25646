"""`hailwhale import` of access logs."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hailwhale.cli import main
from hailwhale.settings import Settings
from hailwhale.store.embedded import EmbeddedValkey
from hailwhale.types import PathLike
from hailwhale.whale import Whale
from tests.core.imports.test_access_log import CLOUDFRONT, CLOUDFRONT_HEADER, NGINX, S3
from tests.services.imports.test_file_formats import BOT, logged

Total = Callable[..., object]


@pytest.fixture(autouse=True)
def environment(
    monkeypatch: pytest.MonkeyPatch, valkey: EmbeddedValkey, namespace: str, tmp_path: Path
) -> None:
    monkeypatch.setenv("HAILWHALE_REDIS_URL", valkey.url)
    monkeypatch.setenv("HAILWHALE_NAMESPACE", namespace)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def total() -> Total:
    """What is counted for all time: `total("Requests", "hits", ["path", "/"])`."""

    def ask(pk: PathLike, metric: str = "hits", dimension: Any = "_") -> object:
        whale = Whale(settings=Settings.from_env())
        try:
            return whale.total(pk, metric, "all", [dimension])
        finally:
            whale.close()

    return ask


def test_a_log_of_nginx_counts_by_path_status_method_and_referer(
    total: Total, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [NGINX, logged("/"), logged("/"), logged("/", agent="another"), "noise"]
    Path("access.log.2.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    assert main(["import", "access.log.2.gz", "--format", "nginx"]) == 1
    out, err = capsys.readouterr()
    assert out.startswith("access.log.2.gz: 5 rows, 4 counted, 1 rejected")
    assert err.startswith("line 5: line: got 'noise'; expected 9 words")
    assert total("Requests") == 4
    assert total("Requests", "bytes") == 512 + 3 * 43
    assert total("Requests", "hits", ["status", "2xx", "200"]) == 3
    assert total("Requests", "hits", ["path", "/shop/7"]) == 1
    assert total("Requests", "hits", ["referer", "news.example.com"]) == 1
    assert total("Requests", "hits", ["method", "GET"]) == 4
    assert total("Requests", "uniques") == 3


def test_options_say_what_else_a_line_is(total: Total) -> None:
    Path("log").write_text("\n".join([NGINX, logged("/x", agent=BOT), logged("/x")]))
    options = ["--pk", "Site > {path}", "--dimension", "client > {host}", "--metric", "sent=bytes"]
    assert main(["import", "log", "--format", "combined", "--no-bots", *options]) == 0
    assert total(["Site", "/x"], "sent") == 43
    assert total("Site", "hits", ["client", "203.0.113.9"]) == 1


@pytest.mark.parametrize(
    ("form", "lines", "dimension"),
    [
        ("clf", [NGINX.partition(' "https')[0]], ["path", "/shop/7"]),
        ("s3", [S3], ["bucket", "amzn-s3-demo-bucket"]),
        ("cloudfront", [CLOUDFRONT_HEADER, CLOUDFRONT], ["path", "/view/my file.html"]),
    ],
)
def test_each_format_has_a_mapping(
    total: Total, form: str, lines: list[str], dimension: list[str]
) -> None:
    Path("log").write_text("\n".join(lines))
    assert main(["import", "log", "--format", form]) == 0
    assert total("Requests", "hits", dimension) == 1


def test_pixels_are_the_events_of_their_queries(
    total: Total, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [
        logged("/count.gif?pk=Shop&metrics=%7B%22dollars%22%3A19.99%7D"),
        logged("/"),
        logged("/count?pk=Shop&metrcis=x"),
        logged("/count?pk=Shop&id=7"),
        logged("/count?pk=Shop&id=7"),
    ]
    Path("log").write_text("\n".join(lines))
    assert main(["import", "log", "--format", "nginx", "--pixels"]) == 1
    out, err = capsys.readouterr()
    assert out.startswith("log: 4 rows, 2 counted, 1 counted before, 1 rejected")
    assert "did you mean metrics?" in err
    assert total("Shop") == 2
    assert total("Shop", "dollars") == 19.99
    assert total("Requests") == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--format", "nginx", "--metric", "latency"], "metric: got 'latency'; expected one of"),
        (["--format", "nginx", "--pixels", "--pk", "x"], "pk: got 'x'; expected no mapping"),
        (["--pixels"], "pixels: got 'ndjson'; expected --format with one of nginx"),
        (["--format", "csv", "--no-bots"], "no-bots: got 'csv'"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    options: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("log").write_text(NGINX)
    assert main(["import", "log", *options]) == 2
    assert capsys.readouterr().err.startswith(f"hailwhale: {said}")
