"""Needs in people's own words become terms."""

import csv
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from instruments.vocabulary.adapters.embedding import MOST, Meanings, encoded, load_encoder, meanings
from instruments.vocabulary.adapters.vocabularies import shipped, shipped_measurands
from instruments.vocabulary.domain import needs as need_rules
from instruments.vocabulary.domain.techniques import Term, above

DATA = Path(__file__).parents[3] / "data" / "needs"
SEM = Term("SEM", "scanning electron microscopy", name_zh="扫描电子显微术", synonyms=("SEM",))
XRD = Term("XRD", "x-ray diffraction", name_zh="X射线衍射", synonyms=("XRD",))
POWDER = Term("PXRD", "x-ray powder diffraction", parents=("XRD",))
TERMS = {term.code: term for term in (SEM, XRD, POWDER)}
GRAIN = need_rules.Measurand(
    "grain", "Grain size", "晶粒尺寸", "µm", techniques=("SEM", "XRD"),
    lines=("how large the grains of a metal are",), synonyms_zh=("退火后晶粒长大",),
)  # fmt: skip
PHASES = need_rules.Measurand(
    "phases", "Crystalline phases", "物相组成", techniques=("XRD", "SEM"),
    lines=("which phases a powder has",), synonyms=("impurity phase",),
)  # fmt: skip
SMALL = need_rules.vocabulary([GRAIN, PHASES], TERMS)


@pytest.fixture(scope="module")
def whole() -> need_rules.Vocabulary:
    return need_rules.vocabulary(shipped_measurands(), {term.code: term for term in shipped()})


def test_a_technique_counts_once_however_often_it_is_named() -> None:
    once = SMALL.understood("XRD and SEM")
    often = SMALL.understood("XRD, XRD and again XRD, and SEM " + "XRD " * 400)
    assert [term.code for term, _ in often.terms] == ["XRD", "SEM"]
    assert often.terms == once.terms


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
def test_needs_that_were_misread_in_trials(whole: need_rules.Vocabulary, text: str, code: str) -> None:
    assert whole.terms_of(text)[0].code == code


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("How large are the grains of our steel?", ["grain"]),
        ("退火以后晶粒多大", ["grain"]),
        ("is there an impurity in the powder", ["phases"]),
        ("XRD of a powder", ["XRD", "phases"]),
        ("x-ray powder diffraction", ["PXRD", "phases"]),
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
    assert need_rules.keys("How much is in my sample of 5 mg?") == {}
    assert need_rules.keys("Py-GC 裂解") == {"pygc": "py-gc", "py": "py", "gc": "gc", "裂解": "裂解"}


@given(st.text(max_size=300))
def test_any_text_gives_few_terms_that_have_techniques(text: str) -> None:
    terms = SMALL.terms_of(text)
    assert len(terms) <= need_rules.MOST_TERMS
    assert all(term.techniques for term in terms)
    assert len({(term.code, term.is_named) for term in terms}) == len(terms)


@given(st.sampled_from([GRAIN, PHASES]), st.booleans())
def test_a_measurand_is_found_by_each_of_its_own_lines(row: need_rules.Measurand, is_chinese: bool) -> None:
    for text in (row.name_zh if is_chinese else row.name, *row.lines, *row.synonyms_zh):
        assert row.code in [term.code for term in SMALL.terms_of(text)]


def test_the_vocabulary_is_whole(whole: need_rules.Vocabulary) -> None:
    """Codes once, names in both languages, techniques that there are, lists without repetition."""
    assert len({row.code for row in whole.measurands}) == len(whole.measurands) >= 300
    for row in whole.measurands:
        assert row.name and row.name_zh and row.lines and row.lines_zh and row.source, row.code
        assert row.techniques and set(row.techniques) <= set(whole.terms), row.code
        for name in need_rules.LISTS:
            items = getattr(row, name)
            assert len(set(items)) == len(items), (row.code, name)


def test_needs_of_the_first_half_find_a_right_technique(whole: need_rules.Vocabulary) -> None:
    """Of 100 needs (tests/data/needs) at least 92 have a right technique, or a narrower one, among
    the first two of one of the first five terms."""
    classes = {row["class"]: row["codes"].split() for row in _rows("classes.csv")}
    needs = [row for row in _rows("needs.csv") if row["half"] == "a"]
    missed = [
        row["id"]
        for row in needs
        if not _is_met(
            whole, row["text"], {code for t in row["techniques"].split() for code in classes.get(t, [t])}
        )
    ]
    assert len(needs) == 100
    assert len(missed) <= 8, missed


@pytest.fixture(scope="module")
def held(whole: need_rules.Vocabulary) -> Meanings:
    """The encoder of requirements-needs.txt with the vectors of the vocabulary; it stays on this machine."""
    encoder = load_encoder()
    texts = [text for row in whole.measurands for text in need_rules.descriptions(row)]
    return meanings(encoder, [row.code for row in whole.measurands], encoded(encoder, texts))


@pytest.mark.parametrize("by_meaning", [False, True])
def test_weak_terms_are_not_shown_as_meant(
    whole: need_rules.Vocabulary, request: pytest.FixtureRequest, by_meaning: bool
) -> None:
    """`MEANT` was set on half a. On the 200 needs of halves b and c, on which nothing was set, it takes away
    a quarter of the wrong terms among the first two, and with them a right one of four needs in a hundred
    at most; three needs in four keep a right one. Nonsense means nothing."""
    held = request.getfixturevalue("held") if by_meaning else None
    classes = {row["class"]: row["codes"].split() for row in _rows("classes.csv")}
    needs = [row for row in [*_rows("needs.csv"), *_rows("needs-c.csv")] if row["half"] != "a"]
    assert len(needs) == 200

    def understood(text: str) -> need_rules.Understood:
        return whole.understood(text, likeness=held.likeness(text) if held else None)

    met, wrong = {"all": 0, "meant": 0}, {"all": 0, "meant": 0}
    for row in needs:
        found = understood(row["text"])
        right = {code for t in row["techniques"].split() for code in classes.get(t, [t])}
        for name, terms in (("all", [term for term, _ in found.terms]), ("meant", found.meant)):
            are_right = [_is_right(whole, term, right) for term in terms[:2]]
            met[name] += any(are_right)
            wrong[name] += are_right.count(False)
    assert met["all"] - met["meant"] <= 8, met
    assert met["meant"] >= 148, met
    assert wrong["meant"] <= 0.75 * wrong["all"], wrong
    assert sum(bool(understood(row["text"]).meant) for row in _rows("nonsense.csv")) <= 5
    for text in ("is there lead in this paint", "油漆里有没有铅"):
        assert not any("agnet" in term.name for term in understood(text).meant)


def test_by_meaning_as_well_more_of_them_do(whole: need_rules.Vocabulary, held: Meanings) -> None:
    """At least 90 with the encoder."""
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
    again = need_rules.vocabulary([GRAIN, PHASES], {})
    assert again.digest == SMALL.digest != need_rules.vocabulary([GRAIN], TERMS).digest
    other = replace(GRAIN, synonyms=("grit",))
    assert need_rules.vocabulary([other, PHASES], TERMS).digest != SMALL.digest


def _rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def _is_met(whole: need_rules.Vocabulary, text: str, right: set[str], alike: Sequence[str] = ()) -> bool:
    return any(_is_right(whole, term, right) for term in whole.terms_of(text, alike=alike))


def _is_right(whole: need_rules.Vocabulary, term: need_rules.NeedTerm, right: set[str]) -> bool:
    """Say whether one of the best techniques of a term is a right one, or a narrower one."""
    offered = term.techniques[: need_rules.FIRST]
    return any(code in right or bool(above(code, whole.parents) & right) for code in offered)


@pytest.mark.parametrize(
    ("text", "beside"),
    [
        ("临江医院的质谱", ["临江医院"]),
        ("上海做液质的平台", ["上海"]),
        ("confocal microscope in Hefei, please", ["hefei"]),
        ("扫描电镜", []),
    ],
)
def test_words_beside_a_name_are_those_that_tell(
    whole: need_rules.Vocabulary, text: str, beside: list[str]
) -> None:
    assert whole.beside(text) == beside


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("椭扁仪", "椭偏仪"),
        ("纳米压很", "纳米压痕"),
        ("流势细胞仪分选", "流式细胞仪分选"),
        ("蛋白质有多少", ""),
        ("nanoindentatoin", "nanoindentation"),
    ],
)
def test_slips_are_put_right(whole: need_rules.Vocabulary, text: str, meant: str) -> None:
    assert meant in whole.put_right(text) if meant else not whole.put_right(text)


@given(st.text(alphabet="质谱仪同位素比值电镜显微", min_size=4, max_size=12), st.data())
def test_what_is_short_for_a_name_has_its_characters_in_order(name: str, data: st.DataObject) -> None:
    kept = data.draw(st.lists(st.booleans(), min_size=len(name) - 2, max_size=len(name) - 2))
    short = name[0] + "".join(c for c, is_kept in zip(name[1:-1], kept, strict=True) if is_kept) + name[-1]
    is_short = need_rules.is_short_for(short, name)
    assert is_short == (len(short) < len(name) <= 2 * len(short))


@pytest.mark.parametrize(
    "text", ["where on the political spectrum is the new mayor", "这部电影的结构有点散，质感还行"]
)
def test_a_technical_word_in_a_text_of_everyday_life_means_nothing(
    whole: need_rules.Vocabulary, text: str
) -> None:
    assert not whole.understood(text).terms
    assert whole.understood("mass spectrum").terms and whole.understood("孔隙结构").terms


def test_words_of_everyday_life_count_against_a_meaning(whole: need_rules.Vocabulary) -> None:
    assert not whole.understood("bread recipe without yeast").terms
    assert whole.understood("mycotoxins in bread").terms


def test_the_noun_that_is_asked_for_says_most(whole: need_rules.Vocabulary) -> None:
    (term, _), *_ = whole.understood("古籍纸张是什么纤维").terms
    assert term.code == "fibre-textile"
    (term, _), *_ = whole.understood("which clay minerals are in my soil").terms
    assert term.code == "crystalline-phases"


@given(st.data())
def test_meanings_add_and_order_and_never_remove_what_words_name(
    whole: need_rules.Vocabulary, data: st.DataObject
) -> None:
    """What a text names in full is meant, whatever else is like it in meaning."""
    row = data.draw(st.sampled_from(whole.measurands))
    text = data.draw(st.sampled_from([row.name, row.name_zh, f"{row.name} of my samples"]))
    codes = st.sampled_from([each.code for each in whole.measurands])
    likeness = data.draw(st.dictionaries(codes, st.floats(0, 1), min_size=1, max_size=10))
    by_words = whole.understood(text)
    assume(by_words.terms and not by_words.is_named and len(need_rules.keys(row.name)) > 1)
    assume(len(need_rules.keys(row.name_zh)) > 1 and by_words.terms[0][0].code == row.code)
    as_well = whole.understood(text, likeness=likeness)
    assert row.code in {term.code for term, strength in as_well.terms if strength >= need_rules.MEANT}


@pytest.mark.parametrize(
    ("text", "slips"),
    [("蛋白质结构解析", []), ("薄膜有多厚", []), ("扫描电境", ["扫描电镜"]), ("拉慢光谱", ["拉曼光谱"])],
)
def test_a_character_of_a_known_word_is_no_slip(
    whole: need_rules.Vocabulary, text: str, slips: list[str]
) -> None:
    assert whole.put_right(text)[: len(slips) or None] == slips


@pytest.mark.parametrize(
    ("text", "is_named"),
    [("how do stem cells look in the gel", False), ("STEM of a catalyst", True), ("stem", True),
     ("a fish in the sea", False), ("sem of a fracture", False), ("SEM of a fracture", True)],
)  # fmt: skip
def test_words_of_sentences_are_abbreviations_in_capitals_or_alone(
    whole: need_rules.Vocabulary, text: str, is_named: bool
) -> None:
    assert bool(whole.names_in(text)) == is_named


@pytest.mark.parametrize(
    ("one", "other"),
    [("colour of a polymer fibre", "color of a polymer fiber"),
     ("sulphur in aluminium", "sulfur in aluminum"),
     ("tumour tissue, grey", "tumor tissue, gray"), ("polymerisation, ionised", "polymerization, ionized")],
)  # fmt: skip
def test_both_spellings_are_compared_as_one(one: str, other: str) -> None:
    assert need_rules.keys(one).keys() == need_rules.keys(other).keys()
