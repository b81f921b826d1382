"""Render statements as files, and mail them. Long ones are stored, since rendering takes seconds."""

from contextlib import suppress
from datetime import datetime
from functools import cache
from hashlib import sha256
from pathlib import Path

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from accounts.letters.mails import mail_of
from accounts.models import OutboxMessage
from accounts.services.messages import mail_send
from bookings.record.adapters import printed
from bookings.settlement.adapters import papers
from bookings.settlement.domain.statements import statement_number
from bookings.settlement.models import Statement
from bookings.settlement.notifications.papers import invoice_letter
from bookings.settlement.selectors.papers import load_statement_paper

KEPT_FROM = 100  # charges


def statement_file(row: Statement, *, language: str) -> bytes:
    """Return the PDF of a statement, in a language. A long one is stored as a file and made again only if the
    statement has changed (it was paid, converted, voided) or the layout has; everything else that it shows is
    frozen. The last line of the file, which is not sent, names the version and layout it was made with."""
    if row.charges < KEPT_FROM or row.parties is None:
        return papers.statement_pdf(load_statement_paper(row), language=language)
    name = f"statements/{row.pk.hex[-2:]}/{row.pk}-{language}.pdf"
    mark = f"\n%made of version {row.version} by layout {_layout()}".encode()
    # If files cannot be reached at the moment, the PDF can still be made.
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


def invoice_send(row: OutboxMessage, *, now: datetime) -> str:
    """Send the mail to a payer's invoice address, with the statement as PDF; return the outcome."""
    invoice = invoice_letter(row, now)
    if invoice is None:
        return "skipped"
    statement, letter = invoice
    number = statement_number(statement.host.code, statement.year, statement.number)
    reader = letter.person
    mail = mail_of(letter, reader, str(row.pk))
    pdf = statement_file(statement, language=reader.language)
    mail.attach(f"{number}.pdf", pdf, "application/pdf")
    return mail_send([mail])
