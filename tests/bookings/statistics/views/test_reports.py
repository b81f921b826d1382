"""The report of a year: who reads it, and its files, read by programs."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO
from typing import Any

import openpyxl
import pytest
from django.test import Client
from django.utils import translation
from django.utils.text import slugify
from docx import Document
from pypdf import PdfReader

from accounts.domain.errors import Invalid, NotFound, NotPermitted, invalid
from accounts.domain.roles import By
from accounts.models import User
from bookings.hours.services.hours import hours_roll_up
from bookings.models import HoursExport, SessionRating, UsageSession
from bookings.statistics.adapters.reports import report_file
from bookings.statistics.domain.reports import Head, Section, is_empty, without_empty_tables, year_of
from bookings.statistics.selectors import reports
from bookings.statistics.selectors.reports import load_report
from bookings.statistics.services.exports import export_name, export_open, exports_work
from bookings.usage.services.usage import reservation_check_in, reservation_check_out
from tests.accounts.pages import page_of
from tests.factories.api import Program
from tests.factories.cast import Cast, at, reserve
from tests.factories.money import charge_of, store

pytestmark = pytest.mark.django_db
NOW = at("2026-03-08 12:00")
YEAR = (date(2026, 1, 1), date(2027, 1, 1))
CODES = [
    "glance", "months", "idle", "users", "regions", "organisations", "samples", "money", "results", "ratings",
    "qualifications", "outputs", "changes", "definitions",
]  # fmt: skip


@pytest.fixture
def used(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Cast:
    """Friday 10 to 12, used by Fudan and rolled up; a charge of 318 yuan, 18 of it tax."""
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    made = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    reservation_check_in(By(cast.actor("wang"), at("2026-03-06 10:00")), reservation_id=made.pk)
    reservation_check_out(By(cast.actor("wang"), at("2026-03-06 12:00")), reservation_id=made.pk)
    hours_roll_up(since=None, until=None, now=NOW)
    store([charge_of(cast, total="318.00")])
    return cast


def about(cast: Cast, what: str) -> dict[str, str]:
    one = cast.microscope
    return {
        "instrument": {"instrument": str(one.pk)},
        "facility": {"facility": str(one.facility_id)},
        "organisation": {"organisation": one.organisation.code},
        "region": {"region": one.region.code},
    }[what]


def value(report: Any, code: str, label: str, column: int = 1) -> Any:
    (section,) = [section for section in report.sections if section.code == code]
    (row,) = [row for row in section.rows if row[0] == label]
    cell = row[column]
    return getattr(cell, "value", cell)


@pytest.mark.parametrize("what", ["instrument", "facility", "organisation"])
def test_a_manager_reads_their_own(used: Cast, what: str) -> None:
    report = load_report(used.actor("zhao"), about(used, what), *YEAR)
    expected = CODES if what == "instrument" else [*CODES[:2], "instruments", *CODES[2:]]
    assert [section.code for section in report.sections] == expected
    assert value(report, "glance", "Effective hours") == 120
    assert value(report, "glance", "Users") == value(report, "glance", "Sessions") == 1
    assert value(report, "glance", "Effective hours", 2) in (None, 0)
    assert value(report, "regions", "Shanghai") == 120
    assert value(report, "months", "2026-03") == 120
    assert value(report, "idle", "Standby in all") == value(report, "months", "2026-03", 4) + sum(
        row[4] for section in report.sections if section.code == "months" for row in section.rows[:-1]
    )
    (money,) = [section for section in report.sections if section.code == "money"]
    assert [Decimal(cell) for cell in money.rows[0][3:6]] == [300, 18, 318]


def test_who_may_not(used: Cast) -> None:
    for who, what in (("zhao", "region"), ("lin", "instrument"), ("lin", "organisation")):
        with pytest.raises(NotFound):
            load_report(used.actor(who), about(used, what), *YEAR)
    with pytest.raises(NotPermitted):
        load_report(used.actor("wang"), about(used, "instrument"), *YEAR)
    for narrowed, days in (
        ({}, YEAR),
        (about(used, "instrument") | about(used, "region"), YEAR),
        (about(used, "instrument"), (date(2026, 1, 1), date(2026, 12, 31))),
    ):
        with pytest.raises(Invalid):
            load_report(used.actor("zhao"), narrowed, *days)
    # An auditor reads the region's, with money; a coordinator without it.
    codes = [
        section.code for section in load_report(used.actor("auditor"), about(used, "region"), *YEAR).sections
    ]
    assert "money" in codes
    report = load_report(used.actor("coordinator"), about(used, "region"), *YEAR)
    assert "money" not in [section.code for section in report.sections]


def test_ratings_of_too_few_are_hidden(used: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def ratings() -> Any:
        report = load_report(used.actor("zhao"), about(used, "instrument"), *YEAR)
        return next(section for section in report.sections if section.code == "ratings")

    session = UsageSession.objects.get()
    UsageSession.objects.update(rating=4)
    SessionRating.objects.create(session=session, support=5, rated_at=NOW)
    assert ratings().rows == () and "fewer than 5 people of 3 organisations" in ratings().notes[0]
    monkeypatch.setattr(reports, "LEAST_RATERS", 1)
    monkeypatch.setattr(reports, "LEAST_ORGANISATIONS", 1)
    assert ratings().rows == [("Overall", 1, Decimal("4.00")), ("Support", 1, Decimal("5.00"))]
    # Two ratings of a mark by one person are one person.
    made = reserve(used, "2026-03-06 13:00", "2026-03-06 14:00", who="sun")
    reservation_check_in(By(used.actor("sun"), at("2026-03-06 13:00")), reservation_id=made.pk)
    reservation_check_out(By(used.actor("sun"), at("2026-03-06 14:00")), reservation_id=made.pk)
    UsageSession.objects.update(rating=4)
    monkeypatch.setattr(reports, "LEAST_RATERS", 2)
    assert ratings().rows == [("Overall", 2, Decimal("4.00"))]
    again = reserve(used, "2026-03-06 15:00", "2026-03-06 16:00")
    reservation_check_in(By(used.actor("wang"), at("2026-03-06 15:00")), reservation_id=again.pk)
    reservation_check_out(By(used.actor("wang"), at("2026-03-06 16:00")), reservation_id=again.pk)
    UsageSession.objects.update(rating=4)
    second = UsageSession.objects.get(reservation=again)
    SessionRating.objects.create(session=second, support=5, rated_at=NOW)
    assert ratings().rows == [("Overall", 3, Decimal("4.00"))]


def test_too_much_of_one_section_loses_only_that_section(used: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "MOST_LISTED", 1)
    years = reports._Year.hours

    def hours(year: Any, by: Any, **changes: Any) -> Any:
        if by == ["instrument"]:
            raise invalid("by", "too-many-figures", rows=9, most=1)
        return years(year, by, **changes)

    monkeypatch.setattr(reports._Year, "hours", hours)
    report = load_report(used.actor("zhao"), about(used, "organisation"), *YEAR)
    sections = {section.code: section for section in report.sections}
    assert "too many" in sections["instruments"].notes[0] and not sections["instruments"].rows
    changes = sections["changes"]
    assert len(changes.rows) == 1 and changes.notes[0].startswith("The first 1 of ")


def test_only_whole_years() -> None:
    assert year_of(*YEAR) == 2026
    assert year_of(date(2026, 1, 2), date(2027, 1, 1)) is year_of(date(2026, 1, 1), date(2028, 1, 1)) is None


@pytest.mark.parametrize(
    ("language", "title", "hours", "region"),
    [
        ("en", "Report of the year 2026", "Effective hours", "Shanghai"),
        ("zh-hans", "2026 年度报告", "有效机时", "上海"),
    ],
)
def test_files_are_read_back(used: Cast, language: str, title: str, hours: str, region: str) -> None:
    used.microscope.name = used.microscope.name_zh = "=HYPERLINK(1) \x0b"
    used.microscope.save()
    with translation.override(language):
        report = load_report(used.actor("zhao"), about(used, "instrument"), *YEAR)
        files = {format: BytesIO(report_file(report, format)) for format in ("pdf", "docx", "xlsx")}
    text = "\n".join(page.extract_text() for page in PdfReader(files["pdf"]).pages)
    document = Document(files["docx"])
    headings = [p.text for p in document.paragraphs if p.style.name == "Heading 1"]
    assert headings == [section.title for section in report.sections]
    for part in (title, hours, region, "2.0"):
        assert part in text
    written = [[cell.text for cell in row.cells] for table in document.tables for row in table.rows]
    assert document.paragraphs[0].text == title
    assert [hours, "2.0"] in [row[:2] for row in written]
    assert [region, "2.0", "100.0 %", "1", "1"] in written
    assert document.core_properties.language == language
    book = openpyxl.load_workbook(files["xlsx"])
    assert book.sheetnames == ["report", *CODES]
    rows = {row[0]: row for row in book["glance"].iter_rows(values_only=True)}
    assert rows[hours][1] == 2
    assert book["report"]["B1"].value == "'=HYPERLINK(1) " and book["report"]["B1"].data_type == "s"
    march = {row[0].value: row for row in book["months"].iter_rows()}["2026-03"]
    assert march[1].value == 2 and march[3].number_format == "0.0%" and march[3].data_type == "n"
    changed = [row[0] for row in book["changes"].iter_rows(min_row=2, values_only=True) if row[1]]
    assert changed and all(isinstance(day, datetime) for day in changed)


def test_page_and_job(used: Cast, client: Client, program: Callable[..., Program]) -> None:
    client.force_login(used.people["zhao"])
    asked = f"instrument={used.microscope.pk}"
    html = page_of(client.get(f"/hours/report/?{asked}&year=2026"))
    assert "Report of the year 2026" in html and "Share of the norm" in html
    assert f"?{asked.replace('&', '&amp;')}&amp;year=2026" in page_of(client.get(f"/hours/?{asked}&by=day"))
    days = "since=2026-01-01&until=2027-01-01"
    assert client.post(f"/hours/exports/new/?table=report&format=docx&{days}&{asked}").status_code == 302
    assert client.post(f"/hours/exports/new/?table=report&format=csv&{days}&{asked}").status_code == 400
    body = {"table": "report", "format": "pdf", "from": "2026-01-01", "until": "2027-01-01"}
    zhao = program("zhao")
    assert zhao.post("statistics/exports/", body | {"instrument": str(used.microscope.pk)}).status == 202
    assert zhao.post("statistics/exports/", body).problems == [("about", "unknown-choice")]
    assert zhao.post("statistics/exports/", body | {"table": "hours"}).problems == [
        ("format", "unknown-choice")
    ]
    half = body | {"until": "2026-07-01", "instrument": str(used.microscope.pk)}
    assert zhao.post("statistics/exports/", half).problems == [("from", "whole-year")]
    assert HoursExport.objects.count() == 2
    assert exports_work(now=NOW) == 2
    for job in HoursExport.objects.all():
        assert job.state == "done" and job.rows_done > 20
        assert export_name(job) == f"report-ustc-instrument-{slugify(used.microscope.name)}-2026.{job.format}"
        start = export_open(job).read(4)
        assert start == (b"%PDF" if job.format == "pdf" else b"PK\x03\x04")
        file = client.get(f"/hours/exports/{job.pk}/")
        assert file["Content-Disposition"].endswith(
            f'report-ustc-instrument-{slugify(used.microscope.name)}-2026.{job.format}"'
        )
    report = zhao.get(f"statistics/report/?year=2026&{asked}").body
    assert [section["code"] for section in report["sections"]] == CODES
    assert program("lin").get(f"statistics/report/?year=2026&{asked}").status == 404


def test_a_written_report_is_in_the_language_of_its_reader(used: Cast, client: Client) -> None:
    User.objects.filter(pk=used.zhao.pk).update(language="zh-hans")
    client.force_login(User.objects.get(pk=used.zhao.pk))
    days = "since=2026-01-01&until=2027-01-01"
    client.post(
        f"/hours/exports/new/?table=report&format=docx&{days}&organisation={used.microscope.organisation.code}",
        headers={"accept-language": "zh-hans"},
    )
    exports_work(now=NOW)
    document = Document(BytesIO(export_open(HoursExport.objects.get()).read()))
    assert document.paragraphs[0].text == "2026 年度报告"


def test_a_year_without_any_data_says_so(used: Cast, client: Client) -> None:
    client.force_login(used.people["zhao"])
    html = page_of(client.get(f"/hours/report/?organisation={used.ustc.code}&year=2015"))
    assert "There are no hours, sessions or bookings of 2015 about" in html and "<table" not in html
    report = load_report(
        used.actor("zhao"), {"organisation": used.ustc.code}, date(2015, 1, 1), date(2016, 1, 1)
    )
    assert [section.code for section in report.sections] == ["nothing"]
    assert report.file_name == "report-ustc-2015"


def test_a_table_without_rows_is_a_sentence() -> None:
    heads = [Head("Purpose"), Head("2026")]
    full, empty = Section("a", "A", heads, [("x", 1)]), Section("b", "B", heads, [], ["Note."])
    assert without_empty_tables([full, empty], "None.") == [
        full,
        Section("b", "B", (), [], ["Note.", "None."]),
    ]
    assert not is_empty(full) and is_empty(Section("a", "A", heads, [("x", 0), ("y", None)]))
