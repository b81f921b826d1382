"""Reading the rows of a calendar that was kept elsewhere."""

from datetime import UTC, datetime
from decimal import Decimal
from io import BytesIO
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from openpyxl import Workbook

from accounts.domain.errors import Invalid
from bookings.plans.adapters.tables import read_table
from bookings.plans.domain import imports
from bookings.record.domain.periods import Period
from instruments.reading.domain.delimited import FileRefused

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
HEADER = "instrument,starts,ends\n"


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def codes(call, *args):
    with pytest.raises(Invalid) as refused:
        call(*args)
    return [(problem.field, problem.code) for problem in refused.value.problems]


@pytest.mark.parametrize(
    ("text", "zone", "wanted"),
    [
        ("2026-03-09 09:00", SHANGHAI, "2026-03-09 01:00"),
        ("2026/3/9 9:05:00", SHANGHAI, "2026-03-09 01:05"),
        ("2026年3月9日 9:05", SHANGHAI, "2026-03-09 01:05"),
        ("2026年3月9日9时05分", SHANGHAI, "2026-03-09 01:05"),
        ("2026-03-09T09:00:00+01:00", SHANGHAI, "2026-03-09 08:00"),
        ("2026-03-09T09:00Z", SHANGHAI, "2026-03-09 09:00"),
        ("2026-03-29 03:00", BERLIN, "2026-03-29 01:00"),
        ("2026-10-25 02:30+02:00", BERLIN, "2026-10-25 00:30"),
        ("2026-10-25 02:30+01:00", BERLIN, "2026-10-25 01:30"),
    ],
)
def test_a_time_is_of_the_instruments_wall_clock_or_has_an_offset(text, zone, wanted):
    assert imports.instant_of(text, zone, "starts") == utc(wanted)


@pytest.mark.parametrize(
    ("text", "zone", "code"),
    [
        ("", BERLIN, "required"),
        ("09/03/2026 09:00", BERLIN, "not-a-moment"),  # of March, or of September?
        ("2026-03-09", BERLIN, "not-a-moment"),
        ("2026-02-30 09:00", BERLIN, "not-a-moment"),
        ("2026-03-09 25:00", BERLIN, "not-a-moment"),
        ("2026-03-09 09:00+99:99", BERLIN, "not-a-moment"),
        ("1899-12-30 09:00", BERLIN, "out-of-range"),
        ("2026-03-29 02:30", BERLIN, "time-skipped"),
        ("2026-10-25 02:30", BERLIN, "time-twice"),
        ("2026-10-04 02:15", LORD_HOWE, "time-skipped"),
        ("2026-04-05 01:45", LORD_HOWE, "time-twice"),
    ],
)
def test_what_is_no_time_or_would_be_a_guess_is_refused(text, zone, code):
    assert codes(imports.instant_of, text, zone, "ends") == [("ends", code)]


def test_an_end_or_a_length_in_elapsed_minutes():
    row = imports.ImportRow(2, {"starts": "2026-03-29 01:30", "minutes": "60"})
    assert imports.period_of(row, BERLIN) == Period(utc("2026-03-29 00:30"), utc("2026-03-29 01:30"))
    row = imports.ImportRow(2, {"starts": "2026-03-29 01:30", "ends": "2026-03-29 03:30"})
    assert imports.period_of(row, BERLIN).minutes == 60
    backwards = imports.ImportRow(2, {"starts": "2026-03-09 09:00", "ends": "2026-03-09 09:00"})
    assert codes(imports.period_of, backwards, BERLIN) == [("ends", "not-after-start")]
    both = imports.ImportRow(2, {"starts": "soon", "ends": "later"})
    assert codes(imports.period_of, both, BERLIN) == [("starts", "not-a-moment"), ("ends", "not-a-moment")]


def test_details():
    row = imports.ImportRow(
        2,
        {
            "person": "li@x.example",
            "purpose": "教学",
            "service_mode": "送样",
            "subject": "Course",
            "quantity": "3.0",
            "options": "operator；liquid-nitrogen=2.5",
        },
    )
    found = imports.details_of(row)
    assert (found.person, found.purpose, found.service_mode) == (
        "li@x.example", "teaching", "entrusted",
    )  # fmt: skip
    assert found.quantity == 3
    assert found.options == {"operator": Decimal(1), "liquid-nitrogen": Decimal("2.5")}
    wrong = imports.ImportRow(
        2, {"purpose": "fun", "service_mode": "magic", "quantity": "0", "subject": "x" * 501}
    )
    assert codes(imports.details_of, wrong) == [
        ("subject", "too-long"),
        ("purpose", "unknown-choice"),
        ("service_mode", "unknown-choice"),
        ("quantity", "out-of-range"),
    ]


def test_rows_without_a_reference_are_known_by_what_they_say():
    period = Period(utc("2026-03-09 01:00"), utc("2026-03-09 02:00"))
    one = imports.digest_of(UUID(int=1), period, "li@x.example")
    other = imports.digest_of(UUID(int=2), period, "li@x.example")
    keys = imports.references_of([("", one), ("B-1", one), ("", other), ("", one)])
    assert keys[1] == "B-1"
    assert len(set(keys)) == 4
    assert imports.references_of([("", one), ("", one)]) == [keys[0], keys[3]]
    known = imports.References({"B-1": one, "B-2": one})
    assert known.is_known(2, "B-1", one)
    assert not known.is_known(3, "B-3", one)
    assert codes(known.is_known, 4, "B-3", one) == [("reference", "reference-repeated")]
    assert codes(known.is_known, 5, "B-2", other) == [("reference", "imported-otherwise")]


class TestTable:
    def read(self, text, encoding="utf-8"):
        return read_table(text.encode(encoding), encoding=encoding)

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
    def test_chinese_columns_any_delimiter_and_a_mark(self, encoding):
        text = "仪器;开始时间;结束时间;预约编号;备注\n电镜;2026/3/9 9:00;2026/3/9 10:00;B-1;无\n;;;;\n"
        table = read_table(text.encode(encoding), encoding="utf-8" if "sig" in encoding else encoding)
        (row,) = table.rows
        assert row.texts == {
            "instrument": "电镜",
            "starts": "2026/3/9 9:00",
            "ends": "2026/3/9 10:00",
            "reference": "B-1",
        }
        assert (row.line, table.ignored) == (2, ("备注",))

    @pytest.mark.parametrize(
        ("content", "code"),
        [
            (b"", "empty-file"),
            ("仪器,开始,结束\n".encode("gb18030"), "not-text"),
            (b"instrument,starts\n", "column-missing"),
            (b"instrument,starts,ends,id,Reference\n", "column-twice"),
            (HEADER.encode(), "no-rows"),
            (HEADER.encode() + b"a,b,c\n" * (imports.MOST_ROWS + 1), "too-many-rows"),
            (b"x" * 700_001, "file-too-large"),
            (b"PK\x03\x04 and no more", "not-a-workbook"),
            (b"\xd0\xcf\x11\xe0", "old-workbook"),
        ],
    )
    def test_what_is_no_table_of_bookings(self, content, code):
        with pytest.raises(FileRefused) as refused:
            read_table(content)
        assert refused.value.code == code

    def test_a_row_that_is_none_costs_only_itself(self):
        rows = self.read(HEADER + "a,b\na,2026-03-09 09:00,x\n" + "a" * 10_001 + ",b,c\n").rows
        assert [row.problem and row.problem.reason for row in rows] == [
            "wrong-cells", None, "cell-too-long",
        ]  # fmt: skip

    def test_a_workbook_reads_as_the_same_table_saved_as_text(self):
        book = Workbook()
        sheet = book.active
        sheet.append(["Instrument", "Starts", "Minutes", "Reference", None])
        sheet.append(["TEM", datetime(2026, 3, 9, 8, 59, 59, 999_900), 120.0, 17, "  "])
        sheet.append([])
        sheet.append(["=1+1", "2026-03-09 09:00", 30, "two\nlines"])
        out = BytesIO()
        book.save(out)
        rows = read_table(out.getvalue()).rows
        assert [(row.line, row.texts) for row in rows] == [
            (2, dict(zip(
                ("instrument", "starts", "minutes", "reference"),
                ("TEM", "2026-03-09 09:00:00", "120", "17"),
                strict=True,
            ))),
            # A formula counts as what the program that saved it made of it: here none did.
            (4, {
                "instrument": "", "starts": "2026-03-09 09:00", "minutes": "30",
                "reference": "two lines",
            }),
        ]  # fmt: skip


def test_a_cell_of_options_costs_no_more_than_its_length() -> None:
    """Each space once: pairs of them would take minutes here, and a file has many cells."""
    assert imports._options("oil bath  =2.5; nitrogen") == {
        "oil bath": Decimal("2.5"),
        "nitrogen": Decimal(1),
    }
    with pytest.raises(Invalid):
        imports._options("a" + " " * 100_000 + "=x")
