"""Rows of a file: their values, their digest, and what becomes of each."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instruments.domain import import_fields
from instruments.domain.delimited import RowProblem
from instruments.domain.import_fields import clean, clean_lines, is_name
from instruments.domain.imports import (
    PARTS,
    FacilityValues,
    Result,
    RowValues,
    changed_parts,
    content_key,
    digest,
    plan,
    read_row,
)

HOURS = {"weekly": [{"weekday": 1, "opens": "08:00", "closes": "18:00"}]}


def row(key="1", **changes) -> RowValues:
    values = RowValues(key, {"name": "Raman microscope"}, FacilityValues("Physics"))
    return replace(values, **changes)


# --- text ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("  SEM \t 2 ", "SEM 2"),
        ("SEM\r\n2", "SEM 2"),
        ("S\x00E\x07M\x1b[31m", "SEM[31m"),
        ("\ufeffSEM\u200b \u202eX\u202c", "SEM X"),
        ("Cafe\u0301", "Café"),
        ("电子\u3000显微镜", "电子 显微镜"),
        ("UNKNOWN", ""),
        (" n/a ", ""),
        ("无", ""),
        ("---", ""),
        ("None of these", "None of these"),
    ],
)
def test_cleaning(text, cleaned):
    assert clean(text) == cleaned


def test_cleaning_several_lines_keeps_their_breaks():
    assert clean_lines(" one \r\n\r\n two  x\nUNKNOWN\n") == "one\ntwo x"


@given(st.text())
def test_cleaning_twice_is_cleaning_once(text):
    once = clean(text)
    assert clean(once) == once
    assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in once)


@pytest.mark.parametrize(
    ("text", "answer"),
    [("97108", False), ("12/34-5", False), ("", False), ("镜", True), ("7T", True)],
)
def test_a_number_alone_is_no_name(text, answer):
    assert is_name(text) is answer


# --- fields -------------------------------------------------------------------------------


def test_a_row_becomes_values():
    values = read_row(
        {
            "name": " NMR  600 ",
            "description": "First line\n\nSecond",
            "landing_page": "www.example.org/nmr",
            "manufacturers": "Bruker; JEOL;Bruker",
            "service_modes": "Assisted;self",
            "acquisition_cost": "120000.50",
            "acquisition_currency": "gbp",
            "acquisition_date": "2019-03-01 00:00:00",
            "commissioned_date": "2019-04-01",
            "decommissioned_date": "",
            "serial_number": "S-1",
            "norm_hours": "1600",
            "kind": "Dedicated",
            "facility": "Chemistry",
            "contact_email": "mailto:nmr@example.org",
            "contact_phone": "unknown",
        },
        key="7",
    )
    assert values == RowValues(
        "7",
        {
            "name": "NMR 600",
            "description": "First line\nSecond",
            "landing_page": "https://www.example.org/nmr",
            "manufacturers": [{"name": "Bruker"}, {"name": "JEOL"}],
            "service_modes": ["assisted", "self"],
            "acquisition_cost": Decimal("120000.50"),
            "acquisition_currency": "GBP",
            "acquisition_date": date(2019, 3, 1),
            "norm_hours": 1600,
            "kind": "dedicated",
            "dates": [{"date": "2019-04-01", "date_type": "Commissioned"}],
            "alternate_identifiers": [{"identifier": "S-1", "identifier_type": "SerialNumber"}],
        },
        FacilityValues("Chemistry", "", {"contact_email": "nmr@example.org", "contact_phone": ""}),
    )


def test_blank_texts_are_the_fields_empty_values():
    values = read_row(dict.fromkeys(import_fields.INSTRUMENT_FIELDS, "") | {"name": "X"}, key="1")
    assert isinstance(values, RowValues)
    empty = {name: value for name, value in values.record.items() if value not in ("", [], None)}
    assert empty == {"name": "X", "kind": "general"}


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("landing_page", "javascript:alert(1)"),
        ("landing_page", "ftp://example.org/"),
        ("landing_page", "https://user:secret@example.org/"),
        ("landing_page", "https://[::1"),
        ("landing_page", "ask at reception"),
        ("landing_page", "https://exa mple.org"),
        ("website", "http://"),
        ("contact_email", "nobody"),
        ("contact_email", "a@example.org, b@example.org"),
        ("contact_email", "a@example.org\nBcc: b@example.org"),
        ("acquisition_date", "2019-02-30"),
        ("acquisition_date", "01/02/2019"),
        ("acquisition_cost", "-1"),
        ("acquisition_cost", "NaN"),
        ("acquisition_cost", "1e9"),
        ("acquisition_cost", "١٢"),
        ("acquisition_currency", "POUND"),
        ("norm_hours", "many"),
        ("kind", "special"),
        ("service_modes", "self; sometimes"),
    ],
)
def test_a_value_of_the_wrong_form_refuses_the_row(field, text):
    problem = read_row({"name": "SEM", field: text}, key="1")
    assert problem == RowProblem("bad-value", {"field": field})


@pytest.mark.parametrize(
    ("field", "most"),
    [("name", 250), ("model", 200), ("room", 80), ("facility", 200), ("contact_phone", 60)],
)
def test_a_text_too_long_for_its_field_refuses_the_row(field, most):
    assert isinstance(read_row({"name": "SEM", field: "x" * most}, key="1"), RowValues)
    problem = read_row({"name": "SEM", field: "x" * (most + 1)}, key="1")
    assert problem == RowProblem("too-long", {"field": field, "length": most + 1, "most": most})


def test_a_row_needs_a_name_and_a_key():
    assert read_row({"name": "UNKNOWN"}, key="1") == RowProblem("no-name")
    assert read_row({"description": "A fine one"}, key="1") == RowProblem("no-name")
    assert read_row({"name": "SEM"}, key="") == RowProblem("no-key")


# --- digest -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"record": {"name": "Raman"}}, "record"),
        ({"facility": FacilityValues("Chemistry")}, "facility"),
        ({"facility": FacilityValues("Physics", "", {"contact_phone": "1"})}, "contact"),
        ({"hours": HOURS}, "hours"),
    ],
)
def test_the_digest_says_which_part_of_a_row_changed(change, part):
    assert len(digest(row())) == 64
    assert changed_parts(digest(row()), digest(row(**change))) == {part}


def test_key_time_zone_and_order_of_fields_are_no_content():
    one = row(record={"name": "X", "room": "1"})
    other = row(key="2", record={"room": "1", "name": "X"})
    assert digest(one) == digest(other)
    assert digest(row(facility=FacilityValues("Physics", "Europe/London"))) == digest(row())


def test_a_digest_from_elsewhere_means_everything_changed():
    assert changed_parts("", digest(row())) == set(PARTS)


def test_a_made_key_sees_content_and_not_spaces():
    assert content_key("SEM", "Physics") == content_key(" SEM ", "Physics ")
    assert content_key("SEM", "Physics") != content_key("SEMPhysics", "")


# --- plan ---------------------------------------------------------------------------------


def stored(outcomes) -> dict[str, str]:
    return {outcome.key: outcome.digest for outcome in outcomes if outcome.digest}


def test_each_row_ends_as_created_changed_unchanged_or_refused():
    existing = {"1": digest(row("1")), "2": digest(row("2"))}
    changed = row("2", hours=HOURS)
    problem = RowProblem("no-name")
    rows = [(2, row("1")), (3, changed), (5, row("3")), (6, problem), (7, row("3")), (8, row("1"))]
    assert [(o.line, o.result.value, o.key, o.problem) for o in plan(existing, rows)] == [
        (2, "unchanged", "1", None),
        (3, "changed", "2", None),
        (5, "created", "3", None),
        (6, "refused", "", problem),
        (7, "refused", "3", RowProblem("duplicate-key", {"key": "3", "first": 5})),
        (8, "refused", "1", RowProblem("duplicate-key", {"key": "1", "first": 2})),
    ]


def test_only_what_is_to_be_stored_carries_values():
    first, second, third = plan(
        {"1": digest(row("1")), "2": "0" * 64}, [(2, row("1")), (3, row("2")), (4, row("3"))]
    )
    assert first.values is None
    assert second.values == row("2")
    assert second.changes == set(PARTS)
    assert third.values == row("3")


def test_rows_without_a_key_that_say_the_same_are_several_pieces():
    twin = row("row-a", repeats=True)
    other = row("row-b", repeats=True)
    outcomes = list(plan({}, [(2, twin), (3, other), (4, twin)]))
    assert [outcome.key for outcome in outcomes] == ["row-a-1", "row-b-1", "row-a-2"]
    assert {outcome.result for outcome in outcomes} == {Result.CREATED}
    # In another order, with one more.
    again = plan(stored(outcomes), [(2, other), (3, twin), (4, twin), (5, twin)])
    assert [outcome.result.value for outcome in again] == ["unchanged"] * 3 + ["created"]


def test_a_key_too_long_for_its_column_refuses_the_row():
    (outcome,) = plan({}, [(2, row("k" * 201))])
    assert outcome.problem == RowProblem("too-long", {"field": "key", "length": 201, "most": 200})


def test_the_plan_takes_rows_as_they_come():
    def rows():
        yield 2, row("1")
        raise AssertionError("read too far")

    assert next(plan({}, rows())).result is Result.CREATED


ROWS = st.builds(
    row,
    key=st.sampled_from("abc"),
    record=st.fixed_dictionaries({"name": st.sampled_from(["SEM", "TEM"])}),
    hours=st.sampled_from([None, HOURS]),
    repeats=st.booleans(),
) | st.just(RowProblem("no-name"))


@given(st.lists(ROWS, max_size=12))
def test_a_file_imported_again_changes_nothing(rows):
    numbered = list(enumerate(rows, start=2))
    outcomes = list(plan({}, numbered))
    assert [outcome.line for outcome in outcomes] == [line for line, _row in numbered]
    again = list(plan(stored(outcomes), numbered))
    assert {outcome.result for outcome in again} <= {Result.UNCHANGED, Result.REFUSED}
    assert [o.problem for o in again] == [o.problem for o in outcomes]
