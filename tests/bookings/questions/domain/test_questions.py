"""Questionnaires and answers as plain values."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain.errors import Invalid
from bookings.questions.domain import questions
from bookings.record.domain.money import format_number

METER = UUID(int=7)
N2 = {"value": "N2", "label_zh": "氮"}
ALL = [
    {"key": "what", "kind": "text", "label": "What?", "required": True},
    {"key": "vacuum", "kind": "number", "label": "Vacuum", "unit": "Pa", "low": "0", "high": 1},
    {"key": "clean", "kind": "yes_no", "label_zh": "干净？", "required": True},
    {"key": "gas", "kind": "choice", "label": "Gas", "choices": ["Ar", N2]},
    {"key": "day", "kind": "date", "label": "Day"},
    {"key": "hours", "kind": "meter", "label": "Filament", "meter": str(METER)},
    {"key": "stage", "kind": "file", "label": "Picture of the stage"},
]  # fmt: skip


def problems(work):
    with pytest.raises(Invalid) as refused:
        work()
    return [(p.field, p.code) for p in refused.value.problems]


def test_fields_read_and_written_are_the_same():
    fields = questions.parse_fields(ALL, [METER])
    assert [f.kind for f in fields] == list(questions.KINDS)
    assert questions.parse_fields(questions.fields_to_json(fields), [METER]) == fields
    assert questions.load_fields(questions.fields_to_json(fields)) == fields


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"key": "A b"}, ("questions[0].key", "not-a-code")),
        ({"kind": "colour"}, ("questions[0].kind", "unknown-choice")),
        ({"label": ""}, ("questions[0].label", "required")),
        ({"label": "x" * 201}, ("questions[0].label", "too-long")),
        ({"label": 3}, ("questions[0].label", "not-a-text")),
        ({"required": "yes"}, ("questions[0].required", "not-a-boolean")),
        ({"colour": 1}, ("questions[0].colour", "unknown-field")),
        ({"kind": "number", "low": 2, "high": 1}, ("questions[0].high", "maximum-below-minimum")),
        ({"kind": "number", "low": "a"}, ("questions[0].low", "not-a-decimal")),
        ({"kind": "choice"}, ("questions[0].choices", "required")),
        ({"kind": "choice", "choices": ["a", "a"]}, ("questions[0].choices[1].value", "repeated")),
        ({"kind": "meter"}, ("questions[0].meter", "required")),
        ({"kind": "meter", "meter": str(UUID(int=8))}, ("questions[0].meter", "unknown-value")),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_where_it_is(wrong, told):
    field = {"key": "a", "kind": "text", "label": "A"} | wrong
    assert told in problems(lambda: questions.parse_fields([field], [METER]))


def test_the_list_itself_may_be_wrong():
    assert problems(lambda: questions.parse_fields({}, [])) == [("questions", "not-a-list")]
    assert problems(lambda: questions.parse_fields([ALL[0]] * 31, [])) == [("questions", "too-many")]
    assert problems(lambda: questions.parse_fields([ALL[0], ALL[0]], [])) == [
        ("questions[1].key", "repeated")
    ]
    assert problems(lambda: questions.parse_fields([ALL[5], ALL[5] | {"key": "again"}], [METER])) == [
        ("questions[1].meter", "repeated")
    ]
    assert problems(lambda: questions.parse_fields(["x"], []))[0] == ("questions[0]", "not-an-object")


def test_answers_are_stored_plainly():
    given = {
        "what": " 钙钛矿 ", "vacuum": 0.5, "clean": False, "gas": "N2", "day": "2026-03-06",
        "hours": "1204.50",
    }  # fmt: skip
    assert questions.check_answers(questions.load_fields(ALL), given) == {
        "what": "钙钛矿", "vacuum": "0.5", "clean": False, "gas": "N2", "day": "2026-03-06",
        "hours": "1204.5",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ({}, ("answers.what", "required")),
        ({"what": "  "}, ("answers.what", "required")),
        ({"clean": "yes"}, ("answers.clean", "not-a-boolean")),
        ({"vacuum": "1.1"}, ("answers.vacuum", "too-large")),
        ({"vacuum": -1}, ("answers.vacuum", "too-small")),
        ({"vacuum": "NaN"}, ("answers.vacuum", "not-a-decimal")),
        ({"vacuum": True}, ("answers.vacuum", "not-a-decimal")),
        ({"gas": "He"}, ("answers.gas", "unknown-choice")),
        ({"day": "6.3."}, ("answers.day", "not-a-date")),
        ({"what": "x" * 2001}, ("answers.what", "too-long")),
        ({"what": ["x"]}, ("answers.what", "not-a-text")),
        ({"other": 1}, ("answers.other", "unknown-field")),
        ([], ("answers", "not-an-object")),
    ],
)
def test_a_wrong_answer_is_named_by_its_field(answers, told):
    assert told in problems(lambda: questions.check_answers(questions.load_fields(ALL), answers))


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**11), max_value=10**11))
def test_a_number_is_kept_to_the_last_digit(number):
    assert questions.as_number(format_number(number)) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [("0e-99999999999", None), ("0e99999999999", None), ("1e11", "100000000000"),
     ("9e9999999", None), ("1e-9999999", None)],
)  # fmt: skip
def test_an_exponent_neither_fills_the_memory_nor_fails(text, number):
    read = questions.as_number(text)
    assert (None if read is None else format_number(read)) == number


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([f["key"] for f in ALL]) | st.text(max_size=5), json) | json)
def test_whatever_is_sent_is_stored_or_refused_by_code(given):
    fields = questions.load_fields(ALL)
    try:
        stored = questions.check_answers(fields, given)
    except Invalid:
        return
    assert questions.check_answers(fields, stored) == stored
    assert all(f.key in stored for f in fields if f.required)


@given(st.lists(json, max_size=4) | json)
def test_whatever_is_set_is_a_questionnaire_or_refused_by_code(given):
    try:
        fields = questions.parse_fields(given, [METER])
    except Invalid:
        return
    assert questions.load_fields(questions.fields_to_json(fields)) == fields
