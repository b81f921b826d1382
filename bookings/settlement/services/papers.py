"""Render statements as files, and mail them. Long ones are stored, since rendering takes seconds."""

from contextlib import suppress
from datetime import datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction

from accounts.domain.errors import NotFound, WrongState
from accounts.domain.roles import By
from accounts.letters.mails import mail_of
from accounts.models import OutboxMessage, User
from accounts.services.messages import mail_send
from bookings.record.adapters import printed
from bookings.settlement.adapters import papers
from bookings.settlement.adapters.einvoices import e_invoice
from bookings.settlement.domain.statements import statement_number
from bookings.settlement.models import Statement
from bookings.settlement.notifications.papers import invoice_letter
from bookings.settlement.selectors.papers import (
    e_invoice_gaps,
    load_statement_paper,
    long_statements_with,
    parties_of,
    people_of,
    sources_of,
)

KEPT_FROM = 100  # charges
SIDES = ("", "-payer")  # in names of files
BILLING = frozenset({"issued", "replaced"})  # messages that come with the electronic invoice


def statement_file(row: Statement, *, language: str, for_payer: bool = False) -> bytes:
    """Return the PDF of a statement, in a language; the payer's names the funding source of each line. A long
    one is stored as a file and made again only if the statement has changed (it was paid, converted, voided),
    its sources, its people's names or the layout have; everything else that it shows is frozen. The last line
    of the file, which is not sent, names the version, sources, people and layout it was made with."""
    sources = sources_of(row) if for_payer else {}
    if row.charges < KEPT_FROM or row.parties is None:
        return papers.statement_pdf(load_statement_paper(row, sources), language=language)
    side = SIDES[for_payer]
    name = _name(row.pk, language, side)
    people = people_of(row)
    named = _digest(sorted((person.pk, str(person)) for person in people))
    made_of = f"version {row.version}, sources {_digest(sorted(sources.items()))}, people {named}"
    mark = f"\n%made of {made_of} by layout {_layout()}".encode()
    # If files cannot be reached at the moment, the PDF can still be made.
    with suppress(OSError), default_storage.open(name) as file:
        content: bytes = file.read()
        if content.endswith(mark):
            return content.removesuffix(mark)
    content = papers.statement_pdf(load_statement_paper(row, sources), language=language)
    if any(person.erasure_asked_at and not person.erased_at for person in people):
        return content  # with a name that is about to be forgotten
    with suppress(OSError):
        default_storage.delete(name)
        default_storage.save(name, ContentFile(content + mark))
    return content


def e_invoice_file(row: Statement) -> bytes:
    """Return a statement as an electronic invoice by EN 16931. Raise `NotFound` if none is made of it, and
    `WrongState` (`e-invoice-lacks`) while the host's details are incomplete."""
    gaps = e_invoice_gaps(row, parties_of(row))
    if gaps is None:
        raise NotFound(statement=str(row.pk))
    if gaps:
        raise WrongState("e-invoice-lacks", missing=", ".join(gaps))
    return e_invoice(load_statement_paper(row))


def _name(statement_id: UUID, language: str, side: str) -> str:
    return f"statements/{statement_id.hex[-2:]}/{statement_id}-{language}{side}.pdf"


def _digest(values: object) -> str:
    return sha256(repr(values).encode()).hexdigest()[:16]


def statement_files_forget(by: By, *, user: User) -> None:
    """Delete the stored files of statements that name somebody who leaves for good, once the transaction that
    closes the account is committed."""
    names = [
        _name(pk, language, side)
        for pk in long_statements_with(user.pk, KEPT_FROM)
        for language, _label in settings.LANGUAGES
        for side in SIDES
    ]

    def delete() -> None:
        for name in names:
            with suppress(OSError):
                default_storage.delete(name)

    if names:
        transaction.on_commit(delete, robust=True)


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
    pdf = statement_file(statement, language=reader.language, for_payer=True)
    mail.attach(f"{number}.pdf", pdf, "application/pdf")
    if row.kind.partition(".")[2] in BILLING:  # a reminder is no second invoice
        with suppress(NotFound, WrongState):
            mail.attach(f"{number}.xml", e_invoice_file(statement), "application/xml")
    return mail_send([mail])
