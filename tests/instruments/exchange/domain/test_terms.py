"""Which known terms the words of a file mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instruments.exchange.domain import terms
from instruments.exchange.domain.imports import RowProblem, read_row
from instruments.exchange.domain.undoing import Standing, reason_to_stay


@pytest.mark.parametrize(
    ("field", "text", "known", "unknown"),
    [
        ("service_modes", "self; 送样, On your own", "self; entrusted", []),
        ("service_modes", "self; by appointment", "self", ["by appointment"]),
        ("kind", "通用", "general", []),
        ("kind", "Sondergerät", "", ["Sondergerät"]),
        ("kind", "", "", []),
        ("acquisition_currency", "人民币", "CNY", []),
        ("acquisition_currency", "chf", "CHF", []),
        ("acquisition_currency", "Franken", "", ["Franken"]),
    ],
)
def test_words_are_read_as_the_terms_they_mean(field, text, known, unknown):
    assert terms.split(field, text) == (known, unknown)


def test_an_unknown_word_leaves_its_field_out_of_the_row():
    row = read_row({"name": "SEM", "kind": "Sondergerät", "service_modes": "self; x"}, key="1")
    assert "kind" not in row.record and row.record["service_modes"] == ["self"]
    assert row.unknown == {"kind": ("Sondergerät",), "service_modes": ("x",)}


def test_a_bad_value_is_quoted():
    (bad,) = read_row({"name": "SEM", "acquisition_date": "last spring"}, key="").more
    assert bad == RowProblem("bad-value", {"field": "acquisition_date", "value": "last spring"})
    assert len(read_row({"name": "SEM", "norm_hours": "x" * 200}, key="1").remarks[0].text) == 80


@pytest.mark.parametrize(
    ("value", "nearest"),
    [("X-ray difraction", "XRD"), ("xrd", "XRD"), ("拉曼光谱", "RAMAN"), ("cheese", ""), ("", "")],
)
def test_the_nearest_term_is_proposed_if_one_is_near(value, nearest):
    known = [("XRD", ("x-ray diffraction", "XRD")), ("RAMAN", ("Raman spectroscopy", "拉曼光谱法"))]
    assert terms.Nearest(known).to(value) == nearest


@given(st.text(max_size=30), st.text(max_size=30))
def test_likeness_is_a_share_and_the_same_both_ways(one, other):
    alike = terms.likeness(one, other)
    assert 0 <= alike <= 1 and alike == terms.likeness(other, one)
    assert not terms._pairs(one) or terms.likeness(one, one) == 1


@given(st.sampled_from(terms.CHOSEN), st.text(max_size=40))
def test_what_is_split_is_split_once(field, text):
    known, _ = terms.split(field, text)
    assert terms.split(field, known) == (known, [])


def test_values_that_differ_in_case_and_spaces_are_one():
    rows = [{"kind": ("Special  unit",)}, {"kind": ("special unit", "Special unit")}, {}]
    assert terms.counted(rows) == {("kind", "Special  unit"): 2}


@pytest.mark.parametrize(
    ("standing", "code"),
    [
        (Standing("draft", 1), ""),
        (Standing("draft", 2), "undo-edited"),
        (Standing("draft", 1, "rate card"), "undo-used"),
        (Standing("submitted", 1), "undo-published"),
        (Standing("retired", 9, "booking"), "undo-published"),
    ],
)
def test_only_a_draft_that_nobody_touched_is_deleted(standing, code):
    assert reason_to_stay(standing)[0] == code


def test_a_text_of_several_known_terms_is_split_and_a_name_with_such_signs_is_not():
    known = {"SEM", "EDX", "LC-MS/MS"}.__contains__
    assert terms.parts_of("SEM/EDX, etching", known) == ["SEM", "EDX", "etching"]
    assert terms.parts_of("LC-MS/MS", known) == ["LC-MS/MS"]
    assert terms.parts_of("UV/Vis", known) == ["UV/Vis"]
