"""Workbooks and records that would fill the memory are refused before anything keeps them."""

import io
import zipfile

import openpyxl
import pytest

from instruments.exchange.adapters import pidinst
from instruments.reading.adapters import workbook
from instruments.reading.adapters.workbook import read_records
from instruments.reading.domain.delimited import FileRefused

SHEET, STYLES, STRINGS = "xl/worksheets/sheet1.xml", "xl/styles.xml", "xl/sharedStrings.xml"
TYPES, LINKS = "[Content_Types].xml", "xl/_rels/workbook.xml.rels"
MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
HEAD = '<row><c t="inlineStr"><is><t>id</t></is></c></row>'


def book(changed=(), renamed=()):
    """A workbook with other content of some parts, or other names for some."""
    made = openpyxl.Workbook()
    made.active.append(["id", "name"])
    made.active.append(["1", "SEM"])
    plain, out = io.BytesIO(), io.BytesIO()
    made.save(plain)
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(out, "w", 8) as new:
        for info in old.infolist():
            content, name = dict(changed).get(info.filename), info.filename
            content = old.read(info).decode() if content is None else content
            for before, after in dict(renamed).items():
                name, content = name.replace(before, after), content.replace(before, after)
            new.writestr(name, content)
    return out


def sheet(rows, around=""):
    return f"<worksheet {MAIN}>{around}<sheetData>{rows}</sheetData></worksheet>"


@pytest.mark.parametrize(
    ("file", "code"),
    [
        # One row without an end; what no row has; what is no sheet.
        (book({SHEET: sheet("<row>" + "<c/>" * 600 + "</row>")}), "line-too-long"),
        (book({SHEET: sheet(HEAD, "<z/>" * 1200)}), "xml-too-many"),
        (book({SHEET: sheet(HEAD, f"<z>{'z' * 16000}</z>")}), "xml-too-many"),
        (book({STYLES: f"<styleSheet {MAIN}>{' ' * 16000}</styleSheet>"}), "zip-bomb"),
        # A part that is called a sheet is one only where sheets lie, and if nothing else.
        (book({SHEET: sheet(HEAD + " " * 16000)}, {"worksheets/": "elsewhere/"}), "zip-bomb"),
        # Whatever its name, what reads the file takes it for XML.
        (book({SHEET: f"<!DOCTYPE x []>{sheet(HEAD)}"}, {"sheet1.xml": "sheet1.x"}), "xml-doctype"),
    ],
)  # fmt: skip
def test_a_workbook_of_which_too_much_would_be_kept(monkeypatch, file, code):
    for name, value in (("MAX_ROW", 2000), ("MAX_PART", 12000), ("_LOOSE", 1000)):
        monkeypatch.setattr(workbook, name, value)
    with pytest.raises(FileRefused) as refused:
        list(read_records(file)[1])
    assert refused.value.code == code


def test_large_sheets_and_strings_are_no_bombs(monkeypatch):
    monkeypatch.setattr(workbook, "MAX_PART", 12000)
    rows = f"{HEAD}{'<row><c><v>1</v></c></row>' * 600}"
    assert len(list(read_records(book({SHEET: sheet(rows)}))[1])) == 600
    strings = f"<sst {MAIN}>{'<si><t>same</t></si>' * 300}</sst>"
    assert len(list(read_records(book({STRINGS: strings}))[1])) == 1


def test_what_stands_around_records_is_bounded():
    for xml in ("<a/>" * 1100, "<instrument/>" * 3 + "<a/>" * 1100):
        with pytest.raises(FileRefused) as refused:
            list(pidinst.read(io.BytesIO(f"<r>{xml}</r>".encode()), site="x"))
        assert refused.value.code == "xml-too-many"
    around = "<record><header><a/></header><metadata><instrument/></metadata></record>"
    assert len(list(pidinst.read(io.BytesIO(f"<r>{around * 400}</r>".encode()), site="x"))) == 400
