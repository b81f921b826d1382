"""Which office documents are taken as proofs, decided by their content."""

from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

import openpyxl
import pytest
from docx import Document
from hypothesis import given
from hypothesis import strategies as some

from accounts.domain.errors import Invalid
from instruments.attachments.domain.attachments import ending_of, kind_of, office_ending


def workbook() -> bytes:
    stream = BytesIO()
    openpyxl.Workbook().save(stream)
    return stream.getvalue()


def text() -> bytes:
    stream = BytesIO()
    Document().save(stream)
    return stream.getvalue()


def archive(*names: str, mimetype: str = "") -> bytes:
    stream = BytesIO()
    with ZipFile(stream, "w", ZIP_DEFLATED) as made:
        if mimetype:
            made.writestr("mimetype", mimetype)
        for name in names:
            made.writestr(name, "x")
    return stream.getvalue()


WORKBOOK = workbook()
ODS = "application/vnd.oasis.opendocument.spreadsheet"


def test_spreadsheets_and_texts_are_known_by_their_content() -> None:
    assert office_ending(workbook()) == "xlsx"
    assert office_ending(text()) == "docx"
    assert office_ending(archive("content.xml", mimetype=ODS)) == "ods"
    assert kind_of(workbook(), takes_office=True) == "document"
    assert ending_of("application/octet-stream", "card.xlsx") == "xlsx"


@pytest.mark.parametrize(
    "content",
    [
        archive("[Content_Types].xml", "xl/workbook.xml", "xl/vbaProject.bin"),
        archive("Basic/script.xml", mimetype=ODS),
        archive("index.html"),
        archive("content.xml", mimetype="application/zip"),
        WORKBOOK[:-30],
        b"<html>" + WORKBOOK,
        b"PK\x03\x04",
        archive(*(f"{number:0>200}" for number in range(5000)), "[Content_Types].xml", "xl/workbook.xml"),
    ],
)
def test_macros_other_archives_and_broken_ones_are_not(content: bytes) -> None:
    assert office_ending(content) == ""
    with pytest.raises(Invalid) as caught:
        kind_of(content, takes_office=True)
    assert caught.value.problems[0].code == "unknown-office-file"


def test_only_where_they_are_taken() -> None:
    with pytest.raises(Invalid) as caught:
        kind_of(workbook())
    assert caught.value.problems[0].code == "unknown-file"


@given(some.binary(max_size=60), some.integers(0, 8000))
def test_any_bytes_have_an_answer(more: bytes, at: int) -> None:
    assert office_ending(WORKBOOK[:at] + more + WORKBOOK[at:]) in {"", "xlsx"}
    assert office_ending(b"PK\x03\x04" + more) == ""
