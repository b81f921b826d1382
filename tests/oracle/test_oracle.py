"""The questions are about the demonstration, and made lists get the marks they deserve."""

import re
from collections import Counter

import pytest

from bookings.demo.services.files import load
from instruments.register.models import Instrument
from instruments.vocabulary.adapters.vocabularies import shipped_measurands
from tests.oracle.oracle import (
    DEVELOPMENT,
    FIFTH,
    FIRST,
    FOURTH,
    SECOND,
    SEVENTH,
    SIXTH,
    THIRD,
    Question,
    key_of,
    measure,
    questions,
)

KINDS = {"abbreviation", "name", "slip", "question", "specification", "nonsense"}
CHINESE = re.compile("[\u4e00-\u9fff]")

TEM = Question("t", "en", "abbreviation", "TEM", right=("tem", "small-tem"), also=("cryo",), wrong=("sta",))
AFM = Question("a", "en", "name", "AFM", right=("afm",))
DLS = Question("d", "en", "abbreviation", "DLS", nobody="dynamic light scattering", near=("saxs",))
LUNCH = Question("l", "en", "nonsense", "lunch")


@pytest.mark.parametrize(
    ("name", "count", "nonsense", "nobody"),
    [
        (FIRST, 60, 10, 8),
        (SECOND, 40, 7, 5),
        (FIFTH, 60, 10, 8),
        (SIXTH, 60, 10, 8),
        (SEVENTH, 60, 10, 8),
        (DEVELOPMENT, 110, 16, 11),
    ],
)
def test_counts_hold(name: str, count: int, nonsense: int, nobody: int) -> None:
    asked = questions(name)
    letters = {FIRST: "a", SECOND: "b", FIFTH: "e", SIXTH: "f", SEVENTH: "g", DEVELOPMENT: "d"}
    letter, digits = letters[name], len(str(count))
    assert [q.id for q in asked] == [f"{letter}{n:0{digits}}" for n in range(1, count + 1)]
    assert Counter(q.language for q in asked) == {"en": count / 2, "zh": count / 2}
    assert {q.kind for q in asked} == KINDS
    assert sum(q.is_nonsense for q in asked) == nonsense
    assert sum(bool(q.nobody) for q in asked) == nobody
    # Each is answered by instruments, or by nobody, or is nonsense.
    assert all([bool(q.right), bool(q.nobody), q.is_nonsense].count(True) == 1 for q in asked)
    for q in asked:
        assert (q.language == "zh") == bool(CHINESE.search(q.text)), q.id
        assert not (q.also and not q.right) and not (q.near and not q.nobody), q.id


def test_each_question_of_other_trades_says_what_it_means() -> None:
    codes = {row.code for row in shipped_measurands()}
    for q in questions(THIRD):
        assert bool(q.means) != q.is_nonsense and {*q.means} <= codes, q.id
        assert (q.language == "zh") == bool(CHINESE.search(q.text)), q.id


def test_no_question_is_asked_twice() -> None:
    texts = [q.text.casefold() for name in (FIRST, SECOND, THIRD, DEVELOPMENT) for q in questions(name)]
    assert len({*texts}) == len(texts) == 261


@pytest.mark.parametrize("name", [FIRST, SECOND, THIRD, FOURTH, FIFTH, SIXTH, SEVENTH, DEVELOPMENT])
def test_what_is_marked_is_in_the_demonstration(name: str) -> None:
    """What is right is published; nothing is marked twice."""
    rows = {row["key"]: row for row in load("instruments")}
    public = {
        key
        for key, row in rows.items()
        if row.get("publication", "published") == "published" and "suspended_days" not in row
    }
    for q in questions(name):
        marked = [*q.right, *q.also, *q.near, *q.wrong]
        assert {*marked} <= rows.keys(), q.id
        assert len({*marked}) == len(marked), q.id
        assert {*q.right, *q.near} <= public, q.id


def test_a_list_without_a_mistake_has_all_marks() -> None:
    lists = {"TEM": ["small-tem", "tem", "cryo", "sta"], "AFM": ["afm"], "DLS": [], "lunch": []}
    marks = measure([TEM, AFM, DLS, LUNCH], lists.__getitem__)
    assert (marks.right_first, marks.none_wrong, marks.nonsense_empty, marks.nobody_empty) == (
        100,
        100,
        100,
        100,
    )
    assert marks.missed == ()


@pytest.mark.parametrize(
    ("asked", "shown", "missed"),
    [
        (TEM, [], ["right one first"]),
        (TEM, ["cryo", "tem"], ["right one first"]),  # may follow, not lead
        (TEM, ["sta", "tem"], ["right one first", "no wrong one"]),
        (TEM, ["tem", "cryo", "sta"], ["no wrong one"]),
        (TEM, ["tem", "unheard of"], ["no wrong one"]),  # what is not marked is wrong
        (DLS, ["saxs"], ["no wrong one", "nobody"]),
        (LUNCH, ["tem"], ["nonsense"]),
    ],
)
def test_each_mistake_costs_its_marks(asked: Question, shown: list[str], missed: list[str]) -> None:
    marks = measure([asked], lambda text: shown)
    assert [line.split(":")[0] for line in marks.missed] == [f"{asked.id} {mark}" for mark in missed]
    assert (marks.right_first == 0) == ("right one first" in missed)
    assert (marks.none_wrong == 0) == ("no wrong one" in missed)
    assert (marks.nonsense_empty == 0) == ("nonsense" in missed)
    assert (marks.nobody_empty == 0) == ("nobody" in missed)


def test_marks_are_shares_of_the_questions_concerned() -> None:
    lists = {"TEM": ["tem"], "AFM": ["sta"], "DLS": [], "lunch": ["tem"]}
    marks = measure([TEM, AFM, DLS, LUNCH], lists.__getitem__)
    assert marks.right_first == 50  # of two that have right ones
    assert marks.none_wrong == pytest.approx(200 / 3)  # of three that are not nonsense
    assert "a right one first: 50.0 %" in str(marks) and "a no wrong one: AFM -> sta" in str(marks)


def test_an_instrument_is_known_by_its_inventory_number() -> None:
    serial = {"identifier": "SP300-1147", "identifier_type": "SerialNumber"}
    number = {"identifier": "HF-TEM", "identifier_type": "InventoryNumber"}
    assert key_of(Instrument(alternate_identifiers=[serial, number])) == "hf-tem"
    assert key_of(Instrument(alternate_identifiers=[serial])) == ""
