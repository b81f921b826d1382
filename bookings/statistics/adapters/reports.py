"""A year's report as PDF, as a document for word processors, and as a workbook: one structure, three kinds of
file."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from io import BytesIO
from typing import Any

import openpyxl
from django.utils import translation
from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from reportlab.platypus import KeepTogether, LongTable, Spacer

from accounts.letters.words import is_chinese, site_name
from bookings.record.adapters import printed
from bookings.record.adapters.typeface import font_register
from bookings.statistics.domain.reports import TEXT, Head, Report, Section, kind_of, written
from instruments.reading.adapters.workbook import sheet_text
from instruments.reading.domain.delimited import text_cell

MEDIA = {
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
FORMATS = {
    "hours": "#,##0.0",
    "percent": "0.0%",
    "decimal": "#,##0.00",
    "whole": "#,##0",
    "day": "yyyy-mm-dd",
}


def report_file(report: Report, format: str) -> bytes:
    """Return a report in a format, in the current language."""
    return {"pdf": report_pdf, "docx": report_docx, "xlsx": report_workbook}[format](report)


def _lines(section: Section) -> Iterator[list[str]]:
    """Yield the rows of a section as text."""
    for row in section.rows:
        yield [written(*kind_of(value, head)) for value, head in zip(row, section.heads, strict=True)]


def _shares(section: Section) -> list[float]:
    """Return the share of the width that each column takes: as its longest text asks for, within limits."""
    longest = [min(_width(head.label), 12) for head in section.heads]
    for line in _lines(section):
        longest = [max(most, _width(text)) for most, text in zip(longest, line, strict=True)]
    weights = [min(most, 45) + 3 for most in longest]
    return [weight / sum(weights) for weight in weights]


def _width(text: str) -> int:
    """Return how many letters wide a text is; a Chinese character is as wide as two."""
    return sum(2 if ord(character) > 0x2E7F else 1 for character in text)


def _is_text(head: Head) -> bool:
    return head.kind in (TEXT, "day")


# PDF


def report_pdf(report: Report) -> bytes:
    """Return a report as PDF on A4."""
    font_register()
    story = printed.top(report.title, report.subtitle, report.facts)
    for section in report.sections:
        story += _pdf_section(section)
    return printed.build(report.title, f"{site_name()} · {report.subtitle}", site_name(), story)


def _pdf_section(section: Section) -> list[Any]:
    title = printed.text(section.title, 12, textColor=printed.ACCENT, spaceBefore=6, spaceAfter=3)
    notes = [printed.text(note, 8, textColor=printed.SOFT, spaceAfter=2) for note in section.notes]
    gap = Spacer(1, 12)
    if not section.rows:
        return [KeepTogether([title, *notes, gap])]
    heads = [(printed.head if _is_text(h) else printed.head_right)(h.label) for h in section.heads]
    cells = [
        [
            (printed.text if _is_text(head) else printed.right)(text)
            for text, head in zip(line, section.heads, strict=True)
        ]
        for line in _lines(section)
    ]
    table = LongTable(
        [heads, *cells],
        colWidths=[share * printed.WIDTH for share in _shares(section)],
        repeatRows=1,
        style=printed.GRID,
    )
    if len(cells) <= 16:
        return [KeepTogether([title, *notes, table]), gap]
    return [title, *notes, table, gap]


# Word processors


def report_docx(report: Report) -> bytes:
    """Return a report as a document, whose headings, tables and language programs read as such."""
    document = Document()
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin = section.right_margin = Mm(18)
    section.top_margin, section.bottom_margin = Mm(16), Mm(20)
    _styled(document)
    about = sheet_text(report.subtitle)
    document.core_properties.title = f"{report.title}: {about}"[:255]
    document.core_properties.author = sheet_text(site_name())[:255]
    document.core_properties.language = translation.get_language() or "en"
    document.add_heading(report.title, level=0)
    document.add_paragraph(about)
    facts = document.add_table(rows=0, cols=2)
    for label, value in report.facts:
        cells = facts.add_row().cells
        cells[0].text, cells[1].text = sheet_text(label), sheet_text(value)
    for part in report.sections:
        _docx_section(document, part)
    stream = BytesIO()
    document.save(stream)
    return stream.getvalue()


def _styled(document: Any) -> None:
    for name in ("Normal", "Title", "Heading 1"):
        style = document.styles[name]
        style.font.name = "Arial"
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        for attribute in ("w:asciiTheme", "w:hAnsiTheme", "w:eastAsiaTheme", "w:cstheme"):
            fonts.attrib.pop(qn(attribute), None)
        fonts.set(qn("w:eastAsia"), "Microsoft YaHei")
        style.font.color.rgb = RGBColor(0x1B, 0x24, 0x30) if name == "Normal" else RGBColor(0x08, 0x54, 0x57)
    language = OxmlElement("w:lang")
    language.set(qn("w:val"), "en-GB")
    language.set(qn("w:eastAsia"), "zh-CN")
    document.styles["Normal"].element.get_or_add_rPr().append(language)
    document.styles["Normal"].font.size = Pt(9 if is_chinese() else 9.5)


def _docx_section(document: Any, section: Section) -> None:
    document.add_heading(sheet_text(section.title), level=1)
    for note in section.notes:
        document.add_paragraph(sheet_text(note))
    if not section.rows:
        return
    table = document.add_table(rows=1, cols=len(section.heads))
    table.style = "Table Grid"
    table.autofit = False
    shares = _shares(section)
    _docx_row(table.rows[0], section, [head.label for head in section.heads], shares, is_bold=True)
    mark = OxmlElement("w:tblHeader")  # repeated on each page
    table.rows[0]._tr.get_or_add_trPr().append(mark)
    for line in _lines(section):
        _docx_row(table.add_row(), section, line, shares)


def _docx_row(
    row: Any, section: Section, texts: list[str], shares: list[float], *, is_bold: bool = False
) -> None:
    for cell, text, head, share in zip(row.cells, texts, section.heads, shares, strict=True):
        cell.width = Mm(174 * share)
        paragraph = cell.paragraphs[0]
        paragraph.paragraph_format.space_after = Pt(0)
        paragraph.add_run(sheet_text(text)).bold = is_bold
        if not _is_text(head):
            paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT


# Workbooks


def report_workbook(report: Report) -> bytes:
    """Return the tables of a report as a workbook with a sheet for each: hours as hours, shares as shares,
    days as days."""
    book = openpyxl.Workbook()
    first = book.active
    first.title = "report"
    for label, value in [(report.title, report.subtitle), *report.facts]:
        first.append([_text(label), _text(value)])
    first.column_dimensions["A"].width, first.column_dimensions["B"].width = 30, 60
    for section in report.sections:
        sheet = book.create_sheet(section.code)
        sheet.oddHeader.center.text = sheet_text(f"{report.title}: {report.subtitle}".replace("&", "&&"))[
            :200
        ]
        if section.heads and section.rows:
            sheet.append([_text(head.label) for head in section.heads])
            for cell in sheet[1]:
                cell.font = Font(bold=True)
            sheet.freeze_panes = "A2"
        for row in section.rows:
            pairs = [kind_of(value, head) for value, head in zip(row, section.heads, strict=True)]
            sheet.append([_value(*pair) for pair in pairs])
            for cell, (content, kind) in zip(sheet[sheet.max_row], pairs, strict=True):
                if kind in FORMATS and not isinstance(content, str):
                    cell.number_format = FORMATS[kind]
        for note in section.notes:
            sheet.append([_text(note)])
        for number, head in enumerate(section.heads, start=1):
            sheet.column_dimensions[get_column_letter(number)].width = 40 if head.kind == TEXT else 16
    stream = BytesIO()
    book.save(stream)
    return stream.getvalue()


def _value(value: Any, kind: str) -> Any:
    if isinstance(value, str):
        return _text(value)
    if value is None or isinstance(value, date):
        return value
    return Decimal(value) / 60 if kind == "hours" else value


def _text(text: str) -> str:
    return sheet_text(text_cell(text))
