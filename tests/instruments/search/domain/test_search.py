"""The words of search: what a record is filed under has what its questions ask for."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instruments.search.domain.search import (
    Beside,
    chinese_names,
    is_whole_name,
    lexemes,
    names_of_maker,
    terms,
    town_of,
    vector,
    weighted,
)
from instruments.vocabulary.domain.words import LONGEST, respelt

_LEXEME = re.compile(r"'([^']+)'(:\*)?")


def found(record: str, query: str) -> bool:
    """What PostgreSQL says of `words @@ query`, for queries such as we build."""
    filed = lexemes(record)

    def there(match: re.Match[str]) -> str:
        lexeme, begun = match.groups()
        return str(any(x.startswith(lexeme) for x in filed) if begun else lexeme in filed)

    asked = " & ".join(term.begun for term in terms(query)) or "False"
    logic = _LEXEME.sub(there, asked).replace("&", "and").replace("|", "or")
    return bool(eval(logic))  # True, False, and, or, parentheses


@pytest.mark.parametrize(
    ("record", "query"),
    [
        ("Transmission Electron Microscope", "electron microscopy"),
        ("X-ray diffractometer", "diffraction"),
        ("Mass Spectrometer", "mass spec"),
        ("Raman spectroscopy", "raman spectrometer"),
        ("Particle size analyser", "analyzer"),
        ("Röntgendiffraktometer D8", "rontgendiffraktometer d8"),
        ("FTICR", "FT-ICR"),
        ("X'Pert Pro", "xpert"),
        ("X-ray", "x ray"),
        ("Xray source", "x-ray"),
        ("ZEISS LSM880", "lsm 880"),
        ("ZEISS LSM 880", "lsm880"),
        ("LC-MS/MS", "LC-MS"),
        ("透射电子显微镜", "电子显微"),
        ("透射电子显微镜", "镜"),
        ("Titan 冷冻电镜 (JEOL)", "jeol 冷冻"),
        ("X射线衍射仪", "Ｘ射线，衍射"),
        ("the art of measuring", "the"),
        ("Microscope", "the microscope"),
    ],
)
def test_found(record: str, query: str) -> None:
    assert found(record, query)


@pytest.mark.parametrize(
    ("record", "query"), [("透射电子", "电镜"), ("LSM 8800", "880"), ("electron", "neutron"), ("XRF", "XRD")]
)
def test_not_found(record: str, query: str) -> None:
    assert not found(record, query)


@given(st.text(max_size=60), st.integers(0, 60), st.integers(1, 40))
def test_any_run_of_chinese_is_found_by_any_part(text: str, start: int, length: int) -> None:
    run = "".join(c for c in text if "一" <= c <= "鿿")[:40] or "显微镜"
    assert found(run, run[start % len(run) :][:length])


@given(st.text(max_size=300))
def test_any_text_is_filed_and_asked_in_a_form_that_postgresql_reads(text: str) -> None:
    for lexeme in lexemes(text):
        assert 0 < len(lexeme) <= LONGEST + 1
        assert not set(lexeme) & set("'\\ \0&|!():*<>")
    assert vector(weighted({"A": [text], "D": [text]})).count("'") // 2 == len(lexemes(text))
    for term in terms(text):
        bare = _LEXEME.sub("", term.begun)
        assert set(bare) <= set("()|& ") and bare.count("(") == bare.count(")")


def test_a_question_keeps_what_was_right_about_it() -> None:
    assert respelt("Zeis (microscpe), 300 kV", {"zeis": "zeiss", "microscpe": "microscope"}) == (
        "zeiss (microscope), 300 kV"
    )


@pytest.mark.parametrize(
    ("address", "town"),
    [
        ("Building 3, 218 Yungu Road, Shushan District, Hefei, Anhui", ["Hefei", "Anhui"]),
        ("410 Ridge Avenue, Pullman, WA 99163", ["Pullman", "WA"]),
        ("安徽省合肥市云谷路218号", ["安徽省合肥市云谷路"]),
        ("", []),
    ],
)
def test_the_town_of_an_address_has_no_numbers(address: str, town: list[str]) -> None:
    assert town_of(address).split() == town


def test_makers_have_chinese_names() -> None:
    assert chinese_names("Carl Zeiss Microscopy") == ["蔡司"]
    assert chinese_names("Zeissig Ltd") == []


@pytest.mark.parametrize(
    ("word", "name", "has"),
    [
        ("临江医院", "临江教学医院", True),
        ("良渚大学", "良渚生命科学大学", True),
        ("临江大学", "临江教学医院", False),
        ("quad", "Triple-quadrupole", True),
        ("hefei", "Hefei University", True),
        ("cn", "CNC", False),
    ],
)
def test_a_word_beside_is_in_names_or_shortens_one(word: str, name: str, has: bool) -> None:
    filed = lexemes(name)

    def there(match: re.Match[str]) -> str:
        lexeme, begun = match[1], match[2]
        return str(any(x.startswith(lexeme) for x in filed) if begun else lexeme in filed)

    logic = re.sub(r"'([^']+)':(\*?)C", there, Beside(word, "C").query)
    assert bool(eval(logic.replace("&", "and").replace("|", "or"))) == has


@pytest.mark.parametrize(
    ("word", "name", "is_whole"),
    [
        ("hefei", "96 Jinzhai Road, Hefei 230026, Anhui", True),
        ("合肥", "安徽省合肥市包河区金寨路96号", True),
        ("金寨", "安徽省合肥市包河区金寨路96号", False),
        ("fudan", "Fudan University", True),
        ("复旦", "复旦大学", True),
        ("临江医院", "临江教学医院", True),
        ("optics", "Hefei Optics", False),
        ("光学", "合肥光学", False),
        ("江医", "临江医院", False),
        ("university", "Fudan University", False),
        ("大学", "复旦大学", False),
        ("ustc", "USTC", True),
    ],
)
def test_a_word_is_a_name_where_it_is_all_that_tells_it_from_others(word, name, is_whole):
    assert is_whole_name(word, ["Elsewhere", name]) == is_whole


def test_makers_are_known_by_their_usual_names():
    for word in ("zeiss", "蔡司"):
        assert is_whole_name(word, names_of_maker("Carl Zeiss Microscopy GmbH"))
    assert not is_whole_name("microscopy", names_of_maker("Carl Zeiss Microscopy GmbH"))
