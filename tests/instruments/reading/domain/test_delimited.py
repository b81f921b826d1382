"""Delimited text: what is a record, what is refused, and on which line."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instruments.reading.domain.delimited import (
    MAX_BYTES,
    MAX_CELL,
    EncodingGuess,
    FileRefused,
    RowProblem,
    read_records,
)


def read(content: bytes | str, **options):
    stream = io.BytesIO(content.encode() if isinstance(content, str) else content)
    header, rows = read_records(stream, **options)
    return header, list(rows)


def refused(content: bytes | str, **options) -> FileRefused:
    with pytest.raises(FileRefused) as caught:
        read(content, **options)
    return caught.value


def test_a_plain_table():
    assert read("Name, Room \nA,1\nB,2\n") == (
        ("name", "room"),
        [(2, {"name": "A", "room": "1"}), (3, {"name": "B", "room": "2"})],
    )


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_line_numbers_are_physical_whatever_ends_a_line(newline):
    text = newline.join(["name,note", "A,one", "", 'B,"two', 'lines"', "C,three", ""])
    _header, rows = read(text)
    assert [(line, row["name"]) for line, row in rows] == [(2, "A"), (4, "B"), (6, "C")]
    assert rows[1][1]["note"] == f"two{newline}lines"


def test_a_byte_order_mark_is_no_part_of_the_first_column():
    assert read(b"\xef\xbb\xbfname\nA\n")[0] == ("name",)
    assert read("name\nA\n".encode("utf-16"), encoding="utf-16")[0] == ("name",)


def test_line_separators_of_unicode_do_not_end_a_row():
    text = "name\nA\u2028B\x0bC\x85D\n"
    assert read(text)[1] == [(2, {"name": "A\u2028B\x0bC\x85D"})]


def test_columns_without_a_name_are_left_out():
    assert read("name,,\nA,x,y\n") == (("name",), [(2, {"name": "A"})])


def test_the_header_may_follow_blank_lines():
    assert read("\n\nname\nA\n")[1] == [(4, {"name": "A"})]


@pytest.mark.parametrize(
    ("content", "code", "numbers"),
    [
        (b"", "empty-file", {}),
        (b"\xef\xbb\xbf \r\n\r\n", "empty-file", {}),
        (b",,\nA,B,C\n", "no-header", {}),
        (b'"a"b,c\nA,B\n', "no-header", {}),
        (b"Name,Room, NAME \nA,B,C\n", "duplicate-header", {"column": "name"}),
        (b"name\nA\nB\x00C\n", "nul-byte", {"line": 3}),
        (b"name\ncaf\xe9\n", "not-text", {"encoding": "utf-8", "offset": 8}),
        (b'name,x\nA,1\nB,"2\nC,3\n', "unclosed-quote", {"line": 3}),
    ],
)
def test_a_file_that_is_no_table_is_refused_whole(content, code, numbers):
    refusal = refused(content)
    assert (refusal.code, refusal.numbers) == (code, numbers)


@pytest.mark.parametrize("padding", [0, 65_534, 65_535, 65_536, 200_000])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_the_offset_of_a_byte_that_is_no_text_is_exact(padding, mark):
    before = mark + b"name\n" + b"a" * padding
    assert refused(before + b"\xe2\x28\n").numbers["offset"] == len(before)
    truncated = before + b"\xe4\xb8"
    assert refused(truncated).numbers["offset"] == len(before)


@pytest.mark.parametrize("encoding", ["klingon", "hex", "rot13", "", "ut\0f"])
def test_an_unknown_encoding_is_refused(encoding):
    assert refused("name\nA\n", encoding=encoding).code == "unknown-encoding"


def test_another_encoding_is_read_when_it_is_named():
    content = "名称\n显微镜\n".encode("gb18030")
    assert refused(content).code == "not-text"
    assert read(content, encoding="gb18030")[1] == [(2, {"名称": "显微镜"})]


def test_a_file_over_the_limit_is_refused_before_it_is_read_whole():
    class Endless(io.RawIOBase):
        given = 0

        def read(self, size=-1):
            piece = (b"a" * 999 + b"\n") * (size // 1000)
            Endless.given += len(piece)
            return piece

    with pytest.raises(FileRefused) as caught:
        read_records(Endless())
    assert caught.value.code == "file-too-large"
    assert Endless.given <= MAX_BYTES + 2 * 65_536


def test_rows_that_cannot_be_read_cost_only_themselves():
    giant = "x" * (MAX_CELL + 1)
    fits = "y" * MAX_CELL
    text = f'name,room\nA,1,2\nB\n{giant},1\n"C"d,1\n{fits},5\n"E\nF",1,2\nG,7\n'
    assert read(text)[1] == [
        (2, RowProblem("wrong-cells", {"cells": 3, "columns": 2})),
        (3, RowProblem("wrong-cells", {"cells": 1, "columns": 2})),
        (4, RowProblem("cell-too-long", {"column": "name", "length": 10_001, "most": 10_000})),
        (5, RowProblem("malformed-quotes")),
        (6, {"name": fits, "room": "5"}),
        (7, RowProblem("wrong-cells", {"cells": 3, "columns": 2, "until": 8})),
        (9, {"name": "G", "room": "7"}),
    ]


def test_a_cell_over_the_csv_module_s_own_limit_costs_only_its_row():
    text = f"name\n{'x' * 200_000}\nB\n"
    assert [line for line, row in read(text)[1] if isinstance(row, RowProblem)] == [2]


# Before a formula an apostrophe is dropped: exports put it there.
CELLS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12).filter(
    lambda text: not text.startswith("'")
)


@given(st.lists(st.tuples(CELLS, CELLS), max_size=8))
def test_what_csv_writes_is_read_back(rows):
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows([("a", "b"), *rows])
    expected = [{"a": first, "b": second} for first, second in rows]
    assert [row for _line, row in read(stream.getvalue())[1]] == expected


@given(st.binary(max_size=200) | st.text('a",\n\r;é', max_size=80).map(str.encode))
def test_any_bytes_are_refused_or_accounted_for(content):
    try:
        header, rows = read(content)
    except FileRefused:
        return
    lines = [line for line, _row in rows]
    assert lines == sorted(set(lines))
    for _line, row in rows:
        assert isinstance(row, RowProblem) or row.keys() == set(header)


def guessed(content: bytes, size: int = 7) -> str:
    """Fed in pieces that cut characters in two."""
    guess = EncodingGuess()
    for at in range(0, len(content), size):
        guess.feed(content[at : at + size])
    guess.feed(b"", final=True)
    return guess.encoding


@pytest.mark.parametrize(
    ("text", "written_in", "encoding"),
    [
        ("id,名称\n1,透射电子显微镜\n", "gb18030", "gb18030"),
        ("id,名称\n1,透射电子显微镜\n", "utf-8", "utf-8"),
        ("id,name\n1,SEM\n", "ascii", "utf-8"),
        ("", "ascii", "utf-8"),
        ("id,name\n1,Pycnomètre à hélium, spectromètre élémentaire\n", "cp1252", "utf-8"),
        ("id,name\n1,Röntgen­gerät für Übungen\n", "cp1252", "utf-8"),
        ("id,名稱\n1,電子顯微鏡與質譜儀設備\n", "big5", "utf-8"),
    ],
)
def test_the_encoding_is_recognised(text: str, written_in: str, encoding: str) -> None:
    assert guessed(text.encode(written_in)) == encoding


@given(st.text(alphabet=st.characters(codec="gb2312"), min_size=1))
def test_whatever_is_written_in_gb2312_is_read_as_it_was_written(text: str) -> None:
    content = text.encode("gb18030")
    try:
        content.decode()
    except UnicodeDecodeError:
        assert guessed(content) == "gb18030"
        assert content.decode("gb18030") == text
    else:  # what is valid UTF-8, too, is taken for it
        assert guessed(content) == "utf-8"


@given(st.text())
def test_utf_8_is_never_taken_for_another(text: str) -> None:
    assert guessed(text.encode("utf-8", "ignore")) == "utf-8"
