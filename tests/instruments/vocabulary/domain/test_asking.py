"""Questions name quantities, and words have senses."""

import pytest

from instruments.vocabulary.adapters.vocabularies import shipped_measurands
from instruments.vocabulary.domain.asking import QUANTITIES, asked_in
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
    assert {*keys("砷高不高")} == {"砷"}
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
