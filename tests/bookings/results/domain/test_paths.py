"""Paths of files in a hand-off: what is taken, and that nothing taken can do harm."""

import os
import unicodedata
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain.errors import Invalid
from bookings.results.domain.paths import folders_of, path_key, path_of


@pytest.mark.parametrize(
    "path",
    [
        "a.txt",
        "2026-03-06/样品 1/谱图.csv",
        "数据/" + "图" * 85,
        "a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r/s/t",
        "x" * 200,
        ".hidden",
        "console.log",
        "com10.txt",
        "50%.csv",
        "a'b;$(rm).txt",
    ],
)
def test_taken_as_it_is(path: str) -> None:
    assert path_of(path) == path


@pytest.mark.parametrize(
    "path",
    [
        "..",
        "../a",
        "a/../b",
        "a/..",
        "./a",
        "/etc/passwd",
        "//server/share",
        "a//b",
        "a/",
        "C:/a",
        "C:a",
        "a\\b",
        "a\0b",
        "a\nb",
        "a\x7fb",
        "a\u202eb",  # turns the text round: txt.exe reads exe.txt
        "a\u2028b",
        "a\u200bb",
        "con",
        "CON.txt",
        "a/Aux/b",
        "nul .csv",
        "LPT1",
        "com¹.log",
        "a.",
        "a ",
        " a",
        "a\u00a0",  # spaces of other kinds
        "\u3000a",
        "\u3164.txt",  # a letter that nobody sees
        "a?b",
        "a*b",
        "图" * 86,  # 258 bytes
    ],
)
def test_refused(path: str) -> None:
    with pytest.raises(Invalid) as refused:
        path_of(path)
    assert [(p.field, p.code) for p in refused.value.problems] == [("path", "path-wrong")]


@pytest.mark.parametrize("path", ["", "x" * 201, "/".join("abcdefghijklmnopqrstu")])
def test_too_long(path: str) -> None:
    with pytest.raises(Invalid) as refused:
        path_of(path)
    assert [p.code for p in refused.value.problems] == ["path-too-long"]


def test_composed_and_compared_whatever_the_case() -> None:
    assert path_of("re\u0301sume\u0301.txt") == "r\u00e9sum\u00e9.txt"
    assert path_key("Data/R\u00c9SUM\u00c9.TXT") == path_key("data/re\u0301sume\u0301.txt")
    assert path_key("STRASSE") == path_key("stra\u00dfe")
    assert path_key("a.txt") != path_key("b.txt")
    assert folders_of("a/b/c") == ["a", "a/b"]
    assert folders_of("a") == []


_TEXT = st.text(st.one_of(st.characters(), st.sampled_from("./\\: aA:*conNUL图\u0301\u202e")), max_size=40)
_PATHS = st.one_of(_TEXT, st.lists(_TEXT, min_size=1, max_size=25).map("/".join))


@pytest.mark.filterwarnings("ignore:.*is_reserved")
@given(_PATHS)
def test_what_is_taken_stays_below_its_folder_on_every_system(text: str) -> None:
    try:
        path = path_of(text)
    except Invalid:
        return
    for kind in (PurePosixPath, PureWindowsPath):
        parts = kind(path).parts
        assert not kind(path).is_absolute() and kind(path).drive == ""
        assert ".." not in parts and len(parts) == len(path.split("/"))
    assert not PureWindowsPath(path).is_reserved()
    assert os.path.normpath(f"/base/{path}") == f"/base/{path}"
    assert path == unicodedata.normalize("NFC", path)
    assert path_of(path) == path
    assert not any(unicodedata.category(c) in {"Cc", "Cf", "Cs"} for c in path)
    assert len(path) <= 200 and all(0 < len(name.encode()) <= 255 for name in path.split("/"))


@given(_PATHS)
def test_a_key_is_the_same_for_every_case_and_fits_its_column(text: str) -> None:
    try:
        path = path_of(text)
    except Invalid:
        return
    key = path_key(path)
    assert len(key) <= 600
    assert path_key(key) == key
    assert path_key(unicodedata.normalize("NFD", path)) == key
    assert path_key(path.lower()) == key or path.lower().upper() != path.upper()
