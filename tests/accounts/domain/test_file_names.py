"""What files may be called."""

import os
import unicodedata
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain.file_names import MOST_BYTES, NAMELESS, file_name_of, is_file_name

USUAL = ["a.txt", "样品：1.csv", "结果（2）？.csv", "½ power.csv", ".hidden", "console.log", "a…b.csv"]
# Name, and what it is called where it is only shown.
WRONG = [
    ("..", NAMELESS),
    ("\uff0e\uff0e", NAMELESS),  # full-width dots
    ("\u2025", NAMELESS),  # two dots in one
    ("\u2024\u2024", NAMELESS),
    ("a\uff0fb", "b"),  # full-width slash
    ("\uff0e\uff0e\uff0fpasswd", "passwd"),
    ("a\uff3cb", "b"),  # full-width backslash
    ("a\u2044b", "b"),  # fraction slash
    ("a\u2215b", "b"),  # division slash
    ("a\u29f8b", "b"),
    ("a\u2571b", "b"),
    ("a\\b", "b"),
    ("\uff23\uff1a", "_\uff23\uff1a"),  # a drive
    ("\uff23\uff2f\uff2e.txt", "_\uff23\uff2f\uff2e.txt"),  # a device
    ("nul", "_nul"),
    ("com1.csv", "_com1.csv"),
    ("a\u202etxt.exe", "atxt.exe"),  # turns the text round
    ("a\u2066b", "ab"),
    ("a\0b.csv", "ab.csv"),
    ("a\u200bb", "ab"),
    ("a.", "a"),
    ("a\uff0e", "a"),
    ("a ", "a"),
    ("a\u3000", "a"),
    ("a?.csv", "a_.csv"),
    ("a\nb", "a b"),
    ("\u2100", NAMELESS),  # a/c in one sign
    ("", NAMELESS),
]


@pytest.mark.parametrize("name", USUAL)
def test_usual_names_stay(name: str) -> None:
    assert is_file_name(name)
    assert file_name_of(name) == name


@pytest.mark.parametrize(("name", "shown"), WRONG)
def test_others_are_refused_or_cleaned(name: str, shown: str) -> None:
    assert not is_file_name(name)
    assert file_name_of(name) == shown


def test_of_a_name_that_is_too_long_the_end_stays() -> None:
    assert file_name_of("x" * 300 + ".csv", 20) == "x" * 16 + ".csv"
    assert file_name_of("图" * 200 + ".csv").endswith("图.csv")


def test_slashes_of_a_title_are_blanks() -> None:
    assert file_name_of("SEM/EDX: manual", is_title=True) == "SEM EDX_ manual"


_SIGNS = st.sampled_from("./\\: aA:*conNUL图\u0301\u202e\uff0e\uff0f\uff3c\u2044\u2215\u2025\uff23½")


@pytest.mark.filterwarnings("ignore:.*is_reserved")
@given(st.text(st.one_of(st.characters(), _SIGNS), max_size=300), st.booleans())
def test_what_is_shown_is_one_name_on_every_system(text: str, is_title: bool) -> None:
    name = file_name_of(text, is_title=is_title)
    assert is_file_name(name) and file_name_of(name, is_title=is_title) == name
    assert 0 < len(name) <= 200 and len(name.encode()) <= MOST_BYTES
    for read in (name, unicodedata.normalize("NFKC", name)):
        assert os.path.normpath(f"/base/{read}") == f"/base/{read}"
        assert PurePosixPath(read).name == read and PureWindowsPath(read).drive == ""
        assert not PureWindowsPath(read).is_reserved() or "*" in read or '"' in read
