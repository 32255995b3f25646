"""Rows of files: the two formats, and that what is broken is refused alone."""

from __future__ import annotations

import csv
import gzip
from io import BytesIO, StringIO
from pathlib import Path
from typing import BinaryIO, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hailwhale.errors import BadInput
from hailwhale.services.imports import row_readers
from hailwhale.services.imports.column_mapping import ColumnMapping
from hailwhale.services.imports.row_readers import InputRow, csv_rows, ndjson_rows

TWO = ColumnMapping.parse(pk="{a}", metrics=["b"])


def told(found: list[InputRow]) -> list[tuple[int, object]]:
    """Each row's line, and its fields or the name of what is wrong."""
    return [
        (row.line, row.fields.parameter if isinstance(row.fields, BadInput) else row.fields)
        for row in found
    ]


def table(text: str | bytes, after: int = 0) -> list[tuple[int, object]]:
    """The rows of a table with columns a and b: their line and [pk, b], or what is wrong."""
    content = text if isinstance(text, bytes) else text.encode()
    return [
        (line, fields)
        if isinstance(fields, str)
        else (line, [*cast(dict[str, tuple[str]], fields)["pk"], *_metrics(fields)])
        for line, fields in told(list(csv_rows(BytesIO(content), TWO, after)))
    ]


def _metrics(fields: object) -> list[str]:
    return list(cast(dict[str, dict[str, str]], fields)["metrics"].values())


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b"", []),
        (b'{"pk": "a"}\n{"pk": "b"}\n', [(1, {"pk": "a"}), (2, {"pk": "b"})]),
        (b'{"pk": "a"}\r\n\r\n  \n{"pk": "b"}', [(1, {"pk": "a"}), (4, {"pk": "b"})]),
        (b'\xef\xbb\xbf{"pk": "a"}\n', [(1, {"pk": "a"})]),
        (b'{"pk": "a"\n{"pk": "b"}\n', [(1, "event"), (2, {"pk": "b"})]),
        (b'{"pk": "\xff"}\n{"pk": "b"}\n', [(1, "event"), (2, {"pk": "b"})]),
        (b'[1]\n"x"\nnull\n{}\n', [(1, "event"), (2, "event"), (3, "event"), (4, {})]),
        ('{"pk": "a\u2028b"}\n'.encode(), [(1, {"pk": "a\u2028b"})]),
        (
            b'{"a": NaN}\n{"a": 1, "a": 2}\n' + b"[" * 99_999,
            [(1, "event"), (2, "event"), (3, "event")],
        ),
    ],
)
def test_a_line_of_json_is_a_row_and_a_broken_one_is_refused_alone(
    text: bytes, found: list[tuple[int, object]]
) -> None:
    assert told(list(ndjson_rows(BytesIO(text)))) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a,b\n", []),
        ("a,b\nx,1\ny,2\n", [(2, ["x", "1"]), (3, ["y", "2"])]),
        ("a,b\r\nx,1\r\n\r\ny,2", [(2, ["x", "1"]), (4, ["y", "2"])]),
        ("\n\na,b\nx,1\n", [(4, ["x", "1"])]),
        ("\ufeffa,b\nx,1\n", [(2, ["x", "1"])]),
        ('a,b\n"x, ""y""",1\n', [(2, ['x, "y"', "1"])]),
        ('a,b\n"x\ny",1\nz,2\n', [(3, ["x\ny", "1"]), (4, ["z", "2"])]),
        ('b,"a"\n1,x\n', [(2, ["x", "1"])]),
        ("a,b\nx,1,2\ny,2\n", [(2, "row"), (3, ["y", "2"])]),
        ("a,b\nx\ny,2\n", [(2, "row"), (3, ["y", "2"])]),
        ('a,b\nx,"1\ny,2\nz,3\n', [(2, "row"), (3, ["y", "2"]), (4, ["z", "3"])]),
        ('a,b\nx,"1\ny,"2"\nz,3\n', [(2, "row"), (3, ["y", "2"]), (4, ["z", "3"])]),
        ('a,b\nx,"1\ny,"2\nz,3\n', [(2, "row"), (3, "row"), (4, ["z", "3"])]),
        ('a,b\n"x"y,1\nz,3\n', [(2, "row"), (3, ["z", "3"])]),
        ('a,b\nx,1"2\n', [(2, ["x", '1"2'])]),
        ("a,b\nx,1\ry,2\nz,3\n", [(2, "row"), (3, ["z", "3"])]),
        ("a,b\nx,\n,1\n", [(2, ["x"]), (3, ["1"])]),
    ],
)
def test_a_record_is_a_row_and_a_broken_one_is_refused_alone(
    text: str, found: list[tuple[int, object]]
) -> None:
    assert table(text) == found


def test_bytes_that_are_no_text_make_a_label_that_no_parser_takes() -> None:
    assert table(b"a,b\nx\xff,1\n") == [(2, ["x\udcff", "1"])]


def test_a_quote_that_is_never_closed_does_not_swallow_the_rest_of_a_long_table() -> None:
    lines = ["a,b", 'x,"1', *[f"r{number},{number}" for number in range(40_000)]]
    found = table("\n".join(lines))
    assert found[:2] == [(2, "row"), (3, ["r0", "0"])]
    assert len(found) == 40_001
    assert found[-1] == (40_002, ["r39999", "39999"])


@pytest.mark.parametrize("after", [0, 1, 2, 3, 4, 9])
def test_rows_up_to_a_line_are_passed_over(after: int) -> None:
    lines = b'{"pk": "a"}\n\n{"pk": "b"}\n{"pk": "c"}\n'
    whole = list(ndjson_rows(BytesIO(lines)))
    assert list(ndjson_rows(BytesIO(lines), after)) == [row for row in whole if row.line > after]
    text = 'a,b\nx,1\n"y\nz",2\n'
    assert table(text, after) == [row for row in table(text) if row[0] > after]


@pytest.mark.parametrize("text", ["", "\n\n", 'a,"b\nx,1\n', '"a"x,b\n'])
def test_a_table_without_a_header_is_refused_whole(text: str) -> None:
    with pytest.raises(BadInput, match="has the column names"):
        table(text)


def test_a_row_knows_its_size_in_bytes() -> None:
    sizes = [row.size_bytes for row in ndjson_rows(BytesIO('{"pk": "ü"}\n{}'.encode()))]
    assert sizes == [13, 2]
    assert [row.size_bytes for row in csv_rows(BytesIO(b'a,b\n"x\ny",1\n'), TWO)] == [8]


@pytest.mark.parametrize("long", [b"x" * 50, b'{"pk": "' + b"x" * 50 + b'"}', b"x" * 39, b"x" * 40])
def test_a_line_without_end_is_read_over_in_parts(
    monkeypatch: pytest.MonkeyPatch, long: bytes
) -> None:
    monkeypatch.setattr(row_readers, "LINE_BYTES", 20)
    found = list(ndjson_rows(BytesIO(long + b'\n{"pk": "a"}\n')))
    assert told(found) == [(1, "event"), (2, {"pk": "a"})]
    assert found[0].size_bytes == len(long) + 1


def test_a_truncated_gzip_file_is_bad_input(tmp_path: Path) -> None:
    whole = gzip.compress(b'{"pk": "a"}\n' * 1000, mtime=0)
    path = tmp_path / "cut.gz"
    path.write_bytes(whole[: len(whole) - 12])
    with gzip.open(path) as stream, pytest.raises(BadInput, match="complete file that can be read"):
        list(ndjson_rows(cast(BinaryIO, stream)))


cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r"))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(cells.filter(str.strip), cells.filter(str.strip)), max_size=8))
def test_whatever_a_csv_writer_writes_is_read_back(written: list[tuple[str, str]]) -> None:
    text = StringIO()
    csv.writer(text).writerows([("a", "b"), *written])
    assert [row for _, row in table(text.getvalue())] == [[a, b] for a, b in written]


@settings(max_examples=50, deadline=None)
@given(
    st.integers(0, 30),
    st.sampled_from(['x,"1', '"x,1', '"', "x", "x,1,2", '"x"1,2', '"x""', '""x,1']),
)
def test_a_broken_line_anywhere_costs_no_other_row(place: int, broken: str) -> None:
    lines = [f"r{number},{number}" for number in range(30)]
    text = "\n".join(["a,b", *lines[:place], broken, *lines[place:]])
    found = table(text)
    assert [row for row in found if row[1] == "row"] == [(place + 2, "row")]
    assert [row for _, row in found if row != "row"] == [[f"r{n}", str(n)] for n in range(30)]


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_rows_or_bad_input(content: bytes) -> None:
    assert all(row.line >= 1 for row in ndjson_rows(BytesIO(content)))
    found = list(csv_rows(BytesIO(b"a,b\n" + content), TWO))
    assert sum(row.size_bytes for row in found) <= len(content)
    assert [row.line for row in found] == sorted({row.line for row in found})
