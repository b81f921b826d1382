"""Needs in people's own words become terms."""

import csv
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instruments.adapters.embedding import MOST, encoded, load_encoder, meanings
from instruments.adapters.vocabularies import shipped, shipped_measurands
from instruments.domain.needs import (
    FIRST,
    LISTS,
    MOST_TERMS,
    Measurand,
    Vocabulary,
    descriptions,
    keys,
    vocabulary,
)
from instruments.domain.techniques import Term, above

DATA = Path(__file__).parents[2] / "data" / "needs"
SEM = Term("SEM", "scanning electron microscopy", name_zh="扫描电子显微术", synonyms=("SEM",))
XRD = Term("XRD", "x-ray diffraction", name_zh="X射线衍射", synonyms=("XRD",))
POWDER = Term("PXRD", "x-ray powder diffraction", parents=("XRD",))
TERMS = {term.code: term for term in (SEM, XRD, POWDER)}
GRAIN = Measurand(
    "grain", "Grain size", "晶粒尺寸", "µm", techniques=("SEM", "XRD"),
    lines=("how large the grains of a metal are",), synonyms_zh=("退火后晶粒长大",),
)  # fmt: skip
PHASES = Measurand(
    "phases", "Crystalline phases", "物相组成", techniques=("XRD", "SEM"),
    lines=("which phases a powder has",), synonyms=("impurity phase",),
)  # fmt: skip
SMALL = vocabulary([GRAIN, PHASES], TERMS)


@pytest.fixture(scope="module")
def whole() -> Vocabulary:
    return vocabulary(shipped_measurands(), {term.code: term for term in shipped()})


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("I want to see whether lithium plates on the graphite anode after fast charging",
         "lithium-plating"),
        ("负极有没有析锂", "lithium-plating"),
        ("想知道组织切片里免疫细胞的分布", "cells-in-tissue"),
        ("where are the T cells in my tumour sections", "cells-in-tissue"),
        ("pesticide residues in 40 tea samples, detection limit 0.01 mg/kg", "food-residues"),
    ],
)  # fmt: skip
def test_needs_that_were_misread_in_trials(whole: Vocabulary, text: str, code: str) -> None:
    assert whole.terms_of(text)[0].code == code


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("How large are the grains of our steel?", ["grain"]),
        ("退火以后晶粒多大", ["grain"]),
        ("is there an impurity in the powder", ["phases"]),
        ("XRD of a powder", ["XRD", "phases"]),
        ("x-ray powder diffraction", ["PXRD", "phases", "grain"]),
        ("how much is it, and of what sample?", []),
        ("", []),
        ("12 34", []),
    ],
)
def test_a_need_means(text: str, codes: list[str]) -> None:
    found = [term.code for term in SMALL.terms_of(text)]
    assert found[: len(codes)] == codes or set(found) == set(codes)


def test_a_term_says_by_which_words_and_with_which_techniques() -> None:
    (grain,) = SMALL.terms_of("grain growth")
    assert (grain.words, grain.techniques, grain.unit) == (("grain",), ("SEM", "XRD"), "µm")
    assert not grain.is_named


def test_what_is_named_goes_before_what_is_described_and_the_narrow_before_the_broad() -> None:
    (named, *described) = SMALL.terms_of("x-ray powder diffraction of grains")
    assert (named.code, named.is_named) == ("PXRD", True)
    assert "XRD" not in [term.code for term in described]


def test_words_of_questions_and_units_say_nothing() -> None:
    assert keys("How much is in my sample of 5 mg?") == {}
    assert keys("Py-GC 裂解") == {"pygc": "py-gc", "py": "py", "gc": "gc", "裂解": "裂解"}


@given(st.text(max_size=300))
def test_any_text_gives_few_terms_that_have_techniques(text: str) -> None:
    terms = SMALL.terms_of(text)
    assert len(terms) <= MOST_TERMS
    assert all(term.techniques for term in terms)
    assert len({(term.code, term.is_named) for term in terms}) == len(terms)


@given(st.sampled_from([GRAIN, PHASES]), st.booleans())
def test_a_measurand_is_found_by_each_of_its_own_lines(row: Measurand, is_chinese: bool) -> None:
    for text in (row.name_zh if is_chinese else row.name, *row.lines, *row.synonyms_zh):
        assert row.code in [term.code for term in SMALL.terms_of(text)]


def test_the_vocabulary_is_whole(whole: Vocabulary) -> None:
    """Codes once, names in both languages, techniques that there are, lists without repetition."""
    assert len({row.code for row in whole.measurands}) == len(whole.measurands) >= 300
    for row in whole.measurands:
        assert row.name and row.name_zh and row.lines and row.lines_zh and row.source, row.code
        assert row.techniques and set(row.techniques) <= set(whole.terms), row.code
        for name in LISTS:
            items = getattr(row, name)
            assert len(set(items)) == len(items), (row.code, name)


def test_needs_of_the_first_half_find_a_right_technique(whole: Vocabulary) -> None:
    """Of 100 needs (tests/data/needs) at least 92 have a right technique, or a narrower one, among
    the first two of one of the first five terms."""
    classes = {row["class"]: row["codes"].split() for row in _rows("classes.csv")}
    needs = [row for row in _rows("needs.csv") if row["half"] == "a"]
    missed = [
        row["id"]
        for row in needs
        if not _is_met(
            whole,
            row["text"],
            {code for t in row["techniques"].split() for code in classes.get(t, [t])},
        )
    ]
    assert len(needs) == 100
    assert len(missed) <= 8, missed


def test_by_meaning_as_well_more_of_them_do(whole: Vocabulary) -> None:
    """At least 90 with the encoder of requirements-needs.txt; it stays on this machine."""
    encoder = load_encoder()
    texts = [text for row in whole.measurands for text in descriptions(row)]
    kept = encoded(encoder, texts)
    held = meanings(encoder, [row.code for row in whole.measurands], kept)
    classes = {row["class"]: row["codes"].split() for row in _rows("classes.csv")}
    missed = [
        row["id"]
        for row in _rows("needs.csv")
        if row["half"] == "a"
        and not _is_met(
            whole,
            row["text"],
            {code for t in row["techniques"].split() for code in classes.get(t, [t])},
            held.alike(row["text"]),
        )
    ]
    assert len(missed) <= 10, missed
    # Noise, and whatever long or odd a person pastes, means nothing.
    for text in ("zzz", "titan", "", "🔬", "\0", "'; DROP TABLE", "Zeiss", "\ud800"):
        assert held.alike(text) == []
    assert len(held.alike("纳米颗粒" * 500)) <= MOST


def test_both_orders_are_joined_by_places() -> None:
    def codes(text: str, *alike: str) -> list[str]:
        return [term.code for term in SMALL.terms_of(text, alike=alike)]

    assert codes("grains of a powder") == ["grain", "phases"]
    # First in one and second in the other is as much as the reverse: the first by name stays.
    assert codes("grains of a powder", "phases", "grain") == ["grain", "phases"]
    assert codes("grains", "phases") == ["grain", "phases"]
    assert codes("zzz", "phases", "gone") == ["phases"]
    (term,) = SMALL.terms_of("zzz", alike=["phases"])
    assert (term.words, term.techniques) == ((), ("XRD", "SEM"))


def test_the_digest_is_of_what_is_described() -> None:
    again = vocabulary([GRAIN, PHASES], {})
    assert again.digest == SMALL.digest != vocabulary([GRAIN], TERMS).digest
    other = replace(GRAIN, synonyms=("grit",))
    assert vocabulary([other, PHASES], TERMS).digest != SMALL.digest


def _rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def _is_met(whole: Vocabulary, text: str, right: set[str], alike: Sequence[str] = ()) -> bool:
    terms = whole.terms_of(text, alike=alike)
    offered = {code for term in terms for code in term.techniques[:FIRST]}
    return any(code in right or above(code, whole.parents) & right for code in offered)
