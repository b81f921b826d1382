"""Mappings of tables: what they may say, and a row read through one."""

from typing import Any

import pytest

from instruments.exchange.domain.imports import UNREADABLE, Remark, RowValues
from instruments.exchange.domain.mappings import parse_mapping
from instruments.reading.domain.delimited import FileRefused, RowProblem

BASE: dict[str, Any] = {"source": "lab", "key": "id", "fields": {"name": "title"}}
CELLS = {"id": "7", "title": "SEM", "state": "A", "hours": "10", "note": ""}


def mapping(**changes: Any):
    return parse_mapping(BASE | changes)


def hours_of(text: str, **changes: Any) -> Any:
    rule = {"column": "hours", "opens": "08:00", "weekdays": ["1", "2"]} | changes
    return mapping(opening_hours=rule).row(CELLS | {"hours": text})


def weekly(*windows: tuple[int, str, str]) -> list[dict[str, Any]]:
    return [{"weekday": day, "opens": opens, "closes": closes} for day, opens, closes in windows]


def test_the_least_a_mapping_says():
    assert mapping().row(CELLS) == RowValues("7", {"name": "SEM"})


def test_columns_are_found_whatever_their_case():
    found = mapping(key="ID", fields={"name": " Title"})
    found.check_columns(CELLS)
    assert isinstance(found.row(CELLS), RowValues)


def test_parts_are_joined_with_their_prefixes_and_blanks_left_out():
    parts = ["title", {"column": "note", "prefix": "Note: "}, {"column": "state", "prefix": "State: "}]
    row = mapping(fields={"name": parts, "description": parts, "instrument_types": parts}).row(CELLS)
    assert isinstance(row, RowValues)
    assert row.record == {
        "name": "SEM State: A",
        "description": "SEM\nState: A",
        "instrument_types": [{"name": "SEM"}, {"name": "State: A"}],
    }


def test_values_are_translated_and_unknown_ones_refused():
    state = {"column": "state", "values": {"A": "general", "B": "dedicated"}}
    fields = {"name": "title", "kind": state}
    row = mapping(fields=fields).row(CELLS | {"state": " B "})
    assert isinstance(row, RowValues)
    assert row.record["kind"] == "dedicated"
    unknown = CELLS | {"state": "C"}
    assert mapping(fields=fields).row(unknown) == RowProblem("bad-value", {"field": "kind", "value": "C"})
    fields["kind"] = state | {"otherwise": "general"}
    row = mapping(fields=fields).row(unknown)
    assert isinstance(row, RowValues)
    assert row.record["kind"] == "general"


def test_constants_fill_what_a_row_leaves_blank():
    found = mapping(fields={"name": "title", "room": "note"}, constants={"room": "B1", "facility": "Physics"})
    row = found.row(CELLS)
    assert isinstance(row, RowValues)
    assert (row.record["room"], row.facility.name) == ("B1", "Physics")
    row = found.row(CELLS | {"note": "A2"})
    assert isinstance(row, RowValues)
    assert row.record["room"] == "A2"


def test_a_key_of_several_columns_needs_them_all():
    found = mapping(key=["id", "state"])
    row = found.row(CELLS)
    assert isinstance(row, RowValues)
    assert row.key == "7/A"
    assert found.row(CELLS | {"state": " "}) == RowProblem("no-key")


def test_backslash_escapes_are_read_where_the_mapping_says_so():
    cells = CELLS | {"title": r"ESI\\MALDI\n"}
    names = []
    for flag in ("false", "true"):
        row = mapping(backslash_escapes=flag).row(cells)
        assert isinstance(row, RowValues)
        names.append(row.record["name"])
    assert names == [r"ESI\\MALDI\n", r"ESI\MALDI"]


@pytest.mark.parametrize("rule", [{"values": ["a", "B"]}, {"containing": "a"}])
def test_rows_that_are_left_out_say_why(rule):
    found = mapping(leave_out=[{"column": "state", "because": "it is gone"} | rule])
    assert found.row(CELLS) == RowProblem("left-out", {"because": "it is gone"})
    assert isinstance(found.row(CELLS | {"state": "C"}), RowValues)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10", weekly((1, "08:00", "18:00"), (2, "08:00", "18:00"))),
        ("7.5", weekly((1, "08:00", "15:30"), (2, "08:00", "15:30"))),
        ("16", weekly((1, "08:00", "24:00"), (2, "08:00", "24:00"))),
        ("20", weekly((1, "08:00", "04:00"), (2, "08:00", "04:00"))),
        ("24", weekly(*((day, "00:00", "24:00") for day in range(1, 8)))),
    ],
)
def test_hours_a_day_become_a_week(text, expected):
    row = hours_of(text)
    assert isinstance(row, RowValues)
    assert row.hours == {"weekly": expected, "overrides": [], "observes_holidays": False}


@pytest.mark.parametrize("text", ["", "0", "0.0", " unknown "])
def test_no_hours_a_day_are_no_opening_hours(text):
    row = hours_of(text)
    assert isinstance(row, RowValues)
    assert row.hours is None


@pytest.mark.parametrize("text", ["25", "24.5", "-1", "ten", "1e1", "NaN", "٨", "0.001"])
def test_hours_that_no_day_has_are_a_remark(text):
    row = hours_of(text)
    assert isinstance(row, RowValues) and row.hours is None
    assert row.remarks == (Remark("opening_hours", text, UNREADABLE),)


def test_hours_may_observe_holidays():
    row = hours_of("10", observes_holidays="true")
    assert isinstance(row, RowValues)
    assert row.hours is not None
    assert row.hours["observes_holidays"] is True


@pytest.mark.parametrize(
    ("data", "code", "numbers"),
    [
        (None, "mapping-bad-entry", {"entry": "the whole file"}),
        ([], "mapping-bad-entry", {"entry": "the whole file"}),
        ({**BASE, "colour": "red"}, "mapping-unknown-entry", {"entry": "colour"}),
        ({"key": "id", "fields": {"name": "x"}}, "mapping-missing-entry", {"entry": "source"}),
        ({"source": "lab", "fields": {"name": "x"}}, "mapping-missing-entry", {"entry": "key"}),
        ({"source": "lab", "key": "id"}, "mapping-missing-entry", {"entry": "fields.name"}),
        ({**BASE, "source": "Our Lab"}, "mapping-bad-entry", {"entry": "source"}),
        ({**BASE, "source": "x" * 35}, "mapping-bad-entry", {"entry": "source"}),
        ({**BASE, "key": []}, "mapping-bad-entry", {"entry": "key"}),
        ({**BASE, "fields": ["name"]}, "mapping-bad-entry", {"entry": "fields"}),
        ({**BASE, "time_zone": "Mars"}, "mapping-bad-entry", {"entry": "time_zone"}),
        ({**BASE, "delimiter": "::"}, "mapping-bad-entry", {"entry": "delimiter"}),
        ({**BASE, "backslash_escapes": "perhaps"}, "mapping-bad-entry",
         {"entry": "backslash_escapes"}),
        ({**BASE, "constants": {"kind": ["a"]}}, "mapping-bad-entry", {"entry": "constants.kind"}),
        ({**BASE, "constants": {"publication": "published"}}, "mapping-unknown-field",
         {"field": "publication"}),
        ({**BASE, "fields": {"name": "x", "colour": "y"}}, "mapping-unknown-field",
         {"field": "colour"}),
        ({**BASE, "fields": {"name": {"col": "x"}}}, "mapping-unknown-entry",
         {"entry": "fields.name.col"}),
        ({**BASE, "fields": {"name": {"prefix": "x"}}}, "mapping-missing-entry",
         {"entry": "fields.name.column"}),
        ({**BASE, "opening_hours": {"column": "h", "opens": "8", "weekdays": ["1"]}},
         "mapping-bad-entry", {"entry": "opening_hours.opens"}),
        ({**BASE, "opening_hours": {"column": "h", "opens": "08:00", "weekdays": ["8"]}},
         "mapping-bad-entry", {"entry": "opening_hours.weekdays"}),
        ({**BASE, "leave_out": [{"column": "x", "because": "y"}]}, "mapping-missing-entry",
         {"entry": "leave_out.values"}),
    ],
)  # fmt: skip
def test_a_mapping_that_means_nothing_is_refused(data, code, numbers):
    with pytest.raises(FileRefused) as caught:
        parse_mapping(data)
    assert (caught.value.code, caught.value.numbers) == (code, numbers)


@pytest.mark.parametrize(
    "changes",
    [
        {"key": "nowhere"},
        {"fields": {"name": ["title", "nowhere"]}},
        {"leave_out": [{"column": "nowhere", "values": ["x"], "because": "y"}]},
        {"opening_hours": {"column": "nowhere", "opens": "08:00", "weekdays": ["1"]}},
    ],
)
def test_a_column_the_table_does_not_have_is_refused(changes):
    with pytest.raises(FileRefused) as caught:
        mapping(**changes).check_columns(CELLS)
    assert caught.value.code == "mapping-absent-column"
    assert caught.value.numbers == {"column": "nowhere"}


@pytest.mark.parametrize(
    ("column", "text", "cost"),
    [("单价（元）", "586000", 586_000), ("单价(万元)", "58.6", 586_000), ("单价（万元）", "58.6万", 586_000)],
)
def test_the_unit_beside_a_price_is_its_currency(column: str, text: str, cost: int):
    fields = {"name": "title", "acquisition_cost": column}
    row = mapping(fields=fields).row({**CELLS, column: text})
    assert isinstance(row, RowValues)
    assert (row.record["acquisition_cost"], row.record["acquisition_currency"]) == (cost, "CNY")
    # A column of currencies says more.
    row = mapping(fields=fields | {"acquisition_currency": "state"}).row(
        {**CELLS, column: text, "state": "USD"}
    )
    assert isinstance(row, RowValues) and row.record["acquisition_currency"] == "USD"


def test_a_price_without_a_unit_has_no_currency():
    row = mapping(fields={"name": "title", "acquisition_cost": "price"}).row({**CELLS, "price": "5"})
    assert isinstance(row, RowValues) and "acquisition_currency" not in row.record
