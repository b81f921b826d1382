"""Questions name quantities, and words have senses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instruments.vocabulary.adapters.vocabularies import shipped_measurands
from instruments.vocabulary.domain.asking import (
    MARK,
    QUANTITIES,
    asked_in,
    is_asking,
    is_compound,
    noun_asked,
)
from instruments.vocabulary.domain.needs import keys


@pytest.mark.parametrize(
    ("text", "quantities"),
    [
        ("how old is this bone", ["age"]),
        ("is the timber dry enough", ["moisture"]),
        ("which century is the vase from", ["age"]),
        ("how hard and how thick is it", ["hardness", "thickness"]),
        ("岩画有多少年了", ["age"]),
        ("这是哪个朝代的", ["age"]),
        ("苹果甜不甜", ["sweetness"]),
        ("板子够不够硬，有多厚", ["hardness", "thickness"]),
        ("check plastic for lead", ["elements"]),
        ("塑料里的铅", ["elements"]),
        ("the lead singer", []),
        ("composition of thin film", ["composition"]),
        ("how many times can I bend it before it snaps", ["endurance"]),
        ("how many times a week", []),
        ("三元正极里镍是几价", ["valence"]),  # not how much nickel
        ("oxidation state of manganese in a catalyst", ["valence"]),
        ("oxidation state of copper at a catalyst surface", ["surface valence"]),  # not of the bulk
        ("催化剂表面铜的价态", ["surface valence"]),
        ("watch a zebrafish embryo develop", ["watching"]),
        ("is the powder crystalline or amorphous", ["order"]),
        ("氮化硅薄膜在整片晶圆上均匀吗", ["evenness"]),
        ("which bacteria grew on this plate", ["microbe"]),
        ("古籍纸张是什么纤维", ["fibre"]),
        ("what resin is in this old varnish", ["polymer"]),
        ("which clay minerals are in my soil", ["mineral"]),
        ("加热到几百度会不会分解", ["transition"]),
        ("state of copper in the catalyst", ["valence"]),
        ("solid state of matter", []),
        ("沸石里铝的配位", ["coordination"]),
        ("coordination of aluminium in a zeolite", ["coordination"]),
        ("青铜器上的绿锈是什么成分", ["deposit"]),
        ("what is the patina on this bronze", ["deposit"]),
        ("an old bone", []),  # says what it is, and asks nothing
        ("hard disk", []),
        ("硬盘", []),
    ],
)
def test_a_question_asks_for(text: str, quantities: list[str]) -> None:
    _, asked = asked_in(text)
    assert sorted(key[1:] for key in asked) == quantities


def test_what_asks_is_no_word_of_the_subject() -> None:
    age = {*keys("岩画有多少年了")}
    assert age >= {"?age", "岩画"} and "少年" not in age  # a youth
    assert {*keys("砷高不高")} == {"?elements", "砷"}
    assert "井水" in keys("井水里的砷") and "水里" not in keys("井水里的砷")


@pytest.mark.parametrize(
    ("usual", "other"),
    [
        ("the seals of a pump", "pump-probe spectroscopy"),
        ("rubber seals", "baby seals on the beach"),
        ("lead in paint", "the lead singer"),
        ("cells of a tissue", "efficiency of solar cells"),
        ("stress in a weld", "stress of seedlings in a drought"),
    ],
)
def test_a_word_is_compared_in_its_sense(usual: str, other: str) -> None:
    words = {word for word in keys(usual).values() if word in {*keys(other).values()}}
    assert words and not {*keys(usual)} & {*keys(other)}


def test_quantities_are_of_measurands() -> None:
    codes = {row.code for row in shipped_measurands()}
    for name, asked in QUANTITIES.items():
        assert {*asked.measurands} <= codes, name


def test_formulas_are_told_from_words() -> None:
    assert all(map(is_compound, ["GaN", "LiFePO4", "SiO2", " TiO2 "]))
    assert not any(map(is_compound, ["Can", "HIV", "TEM", "gan", "GaN films", "B2B", ""]))


@pytest.mark.parametrize(
    ("text", "quantity"),
    [
        ("why did this bolt break", "failure"),
        ("螺栓为什么断了", "failure"),
        ("why does my bike rust", "corroding"),
        ("钢管为什么生锈", "corroding"),
        ("what is this grey powder made of", "making"),
        ("这块合金是由什么组成的", "making"),
        ("write 20 nm lines", "writing"),
        ("写20纳米的线条", "writing"),
    ],
)
def test_patterns_of_questions_ask_for_quantities(text: str, quantity: str) -> None:
    assert MARK + quantity in asked_in(text)[1]


@pytest.mark.parametrize(
    ("text", "asks"),
    [("薄膜有多厚", True), ("how thick is it", True), ("film thickness", False), ("XRD", False)],
)
def test_only_words_of_questions_ask(text: str, asks: bool) -> None:
    assert is_asking(text) == asks


@pytest.mark.parametrize(
    ("text", "noun"),
    [
        ("what resin is in this old varnish", "resin is"),
        ("which kinds of clay minerals are there", "clay minerals"),
        ("古籍纸张是什么纤维", "纤维"),
        ("钢板里是哪种夹杂物", "夹杂物"),
        ("为什么断", ""),  # asks for a cause
        ("thickness of a film", ""),
    ],
)
def test_what_follows_what_is_asked_for(text: str, noun: str) -> None:
    assert noun_asked(text) == noun


@given(st.text(max_size=60))
def test_what_is_asked_for_is_in_the_text(text: str) -> None:
    assert all(word in text for word in noun_asked(text).split())
