"""Rows of a file: their values, their digest, and what becomes of each."""

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instruments.exchange.domain import fields as import_fields
from instruments.exchange.domain import imports
from instruments.exchange.domain.fields import clean, clean_lines, is_name
from instruments.reading.domain.delimited import RowProblem

HOURS = {"weekly": [{"weekday": 1, "opens": "08:00", "closes": "18:00"}]}


def row(key="1", **changes) -> imports.RowValues:
    values = imports.RowValues(key, {"name": "Raman microscope"}, imports.FacilityValues("Physics"))
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
    ("text", "answer"), [("97108", False), ("12/34-5", False), ("", False), ("镜", True), ("7T", True)]
)
def test_a_number_alone_is_no_name(text, answer):
    assert is_name(text) is answer


# --- fields -------------------------------------------------------------------------------


def test_a_row_becomes_values():
    values = imports.read_row(
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
    assert values == imports.RowValues(
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
        imports.FacilityValues("Chemistry", "", {"contact_email": "nmr@example.org", "contact_phone": ""}),
    )


def test_blank_texts_are_the_fields_empty_values():
    values = imports.read_row(dict.fromkeys(import_fields.INSTRUMENT_FIELDS, "") | {"name": "X"}, key="1")
    assert isinstance(values, imports.RowValues)
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
    problem = imports.read_row({"name": "SEM", field: text}, key="1")
    assert problem == RowProblem("bad-value", {"field": field})


@pytest.mark.parametrize(
    ("field", "most"), [("name", 250), ("model", 200), ("room", 80), ("facility", 200), ("contact_phone", 60)]
)
def test_a_text_too_long_for_its_field_refuses_the_row(field, most):
    assert isinstance(imports.read_row({"name": "SEM", field: "x" * most}, key="1"), imports.RowValues)
    problem = imports.read_row({"name": "SEM", field: "x" * (most + 1)}, key="1")
    assert problem == RowProblem("too-long", {"field": field, "length": most + 1, "most": most})


def test_a_row_needs_a_name_and_a_key():
    assert imports.read_row({"name": "UNKNOWN"}, key="1") == RowProblem("no-name")
    assert imports.read_row({"description": "A fine one"}, key="1") == RowProblem("no-name")
    assert imports.read_row({"name": "SEM"}, key="") == RowProblem("no-key")


# --- digest -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"record": {"name": "Raman"}}, "record"),
        ({"facility": imports.FacilityValues("Chemistry")}, "facility"),
        ({"facility": imports.FacilityValues("Physics", "", {"contact_phone": "1"})}, "contact"),
        ({"hours": HOURS}, "hours"),
    ],
)
def test_the_digest_says_which_part_of_a_row_changed(change, part):
    assert len(imports.digest(row())) == 64
    assert imports.changed_parts(imports.digest(row()), imports.digest(row(**change))) == {part}


def test_key_time_zone_and_order_of_fields_are_no_content():
    one = row(record={"name": "X", "room": "1"})
    other = row(key="2", record={"room": "1", "name": "X"})
    assert imports.digest(one) == imports.digest(other)
    assert imports.digest(row(facility=imports.FacilityValues("Physics", "Europe/London"))) == imports.digest(
        row()
    )


def test_a_digest_from_elsewhere_means_everything_changed():
    assert imports.changed_parts("", imports.digest(row())) == set(imports.PARTS)


def test_a_made_key_sees_content_and_not_spaces():
    assert imports.content_key("SEM", "Physics") == imports.content_key(" SEM ", "Physics ")
    assert imports.content_key("SEM", "Physics") != imports.content_key("SEMPhysics", "")


# --- keys ---------------------------------------------------------------------------------


def admitted(*rows):
    """The keys a file's rows are stored by, or why not; and which keys came again."""
    keys = imports.Keys()
    found = [keys.admit(line, row) for line, row in enumerate(rows, start=2)]
    return [r.key if isinstance(r, imports.RowValues) else r for r in found], keys.again


def test_rows_without_a_key_that_say_the_same_are_several_pieces():
    twin, other = row("row-a", repeats=True), row("row-b", repeats=True)
    assert admitted(twin, other, twin) == (["row-a-1", "row-b-1", "row-a-2"], {})
    # In another order, with one more.
    assert admitted(other, twin, twin, twin)[0] == ["row-b-1", "row-a-1", "row-a-2", "row-a-3"]


def test_a_key_that_comes_again_is_told_where():
    problem = RowProblem("duplicate-key", {"key": "1", "first": 2})
    assert admitted(row("1"), row("2"), row("1"), row("1")) == (["1", "2", problem, problem], {"1": 4})


def test_a_key_too_long_for_its_column_refuses_the_row():
    assert admitted(row("k" * 201))[0] == [
        RowProblem("too-long", {"field": "key", "length": 201, "most": 200})
    ]


# --- waiting ------------------------------------------------------------------------------


def test_a_row_waits_to_be_applied_as_it_is():
    texts = {
        "name": "NMR",
        "acquisition_cost": "12.50",
        "acquisition_date": "2020-02-29",
        "serial_number": "S",
        "facility": "Hill",
    }
    values = imports.read_row(texts, key="1", hours=HOURS, time_zone="Europe/London")
    again = imports.values_of("1", json.loads(json.dumps(imports.values_json(values))))
    assert again == values
    assert (again.kinds, again.names_only) == (values.kinds, True)
