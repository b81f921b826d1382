"""Keeping long statements as files, which take seconds to draw up."""

from contextlib import suppress
from functools import cache
from hashlib import sha256
from pathlib import Path

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from bookings.record.adapters import printed
from bookings.settlement.adapters import papers
from bookings.settlement.models import Statement
from bookings.settlement.selectors.papers import load_statement_paper

KEPT_FROM = 100  # charges


def statement_file(row: Statement, *, language: str) -> bytes:
    """Return the PDF of a statement, in a language. A long one is kept as a file and made anew only
    once the statement has changed (it was paid, converted, voided), or its layout: what else it
    shows is frozen. The last line of the file, which is not sent, says what it was made of."""
    if row.charges < KEPT_FROM or row.parties is None:
        return papers.statement_pdf(load_statement_paper(row), language=language)
    name = f"statements/{row.pk.hex[-2:]}/{row.pk}-{language}.pdf"
    mark = f"\n%made of version {row.version} by layout {_layout()}".encode()
    # Where files cannot be reached just now, the PDF can be made all the same.
    with suppress(OSError), default_storage.open(name) as file:
        content: bytes = file.read()
        if content.endswith(mark):
            return content.removesuffix(mark)
    content = papers.statement_pdf(load_statement_paper(row), language=language)
    with suppress(OSError):
        default_storage.delete(name)
        default_storage.save(name, ContentFile(content + mark))
    return content


@cache
def _layout() -> str:
    files = (papers.__file__, str(printed.__file__))
    return sha256(b"".join(Path(file).read_bytes() for file in files)).hexdigest()[:16]
