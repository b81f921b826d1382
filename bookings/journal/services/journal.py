"""Closing the journal of a month: what it says is kept, and never altered."""

from datetime import date
from uuid import UUID

from django.db import transaction

from accounts import trail
from accounts.domain.errors import WrongState, invalid
from accounts.domain.roles import By
from accounts.models.keys import new_id
from bookings.journal.domain.closing import Digest
from bookings.journal.domain.journal import SIDES
from bookings.journal.models import JournalLine, JournalMonth
from bookings.journal.selectors.journal import OF_ENTRY, OF_LINE, Entry, Sums, load_journal
from bookings.journal.selectors.kept import KEPT
from bookings.journal.selectors.obstacles import require_ready
from bookings.journal.services.charts import books_locked

STORED_AT_ONCE = 2000  # lines


@transaction.atomic
def journal_close(by: By, *, organisation: str, side: str, month: date) -> JournalMonth:
    """Close a month of an organisation's journal, for its finance: its lines are numbered and kept as
    they are now, whatever changes later; a correction belongs to the month in which it is made.

    Raises `Invalid` (`month-not-over`); `WrongState` if it is closed (`month-closed`), an earlier month
    is not (`earlier-month-open`), the host has not drawn up its statements (`statements-not-drawn`), the
    sources of a charge may still change (`month-has-open-charges`), or a line has no account
    (`accounts-unassigned`).
    """
    if side not in SIDES:
        raise invalid("side", "unknown-value")
    row, month = books_locked(by, organisation), month.replace(day=1)
    journal = load_journal(row, side, month, month)
    require_ready(row, side, month, journal.closed, by.now)
    pk, sums, digest = new_id(), Sums(), Digest()
    lines: list[JournalLine] = []
    for number, entry in enumerate(journal.stream(), 1):
        sums.add(entry)
        if sums.unassigned:  # go on only to count them
            continue
        of_entry = _lines(pk, number, entry)
        for line in of_entry:
            digest.add(getattr(line, name) for name in KEPT)
        lines += of_entry
        if len(lines) >= STORED_AT_ONCE:
            JournalLine.objects.bulk_create(lines)
            lines = []
    if sums.unassigned:
        raise WrongState("accounts-unassigned", count=sum(sums.unassigned.values()))
    JournalLine.objects.bulk_create(lines)
    made = JournalMonth.objects.create(
        id=pk,
        organisation=row,
        side=side,
        month=month,
        entries=sums.entries,
        sums=sums.to_json(),
        digest=digest.text,
        closed_by_id=by.actor.user_id,
        closed_at=by.now,
    )
    after = {"side": side, "month": month, "entries": made.entries, "digest": made.digest}
    trail.record(by, "journal.close", made, after=after, places=row.places())
    return made


def _lines(journal_id: UUID, number: int, entry: Entry) -> list[JournalLine]:
    named = {name: getattr(entry, name) for name in OF_ENTRY}
    named |= {"date": entry.day, "document_date": entry.document_day}
    return [
        JournalLine(
            journal_id=journal_id,
            number=number,
            position=position,
            **named,
            **{name: getattr(line, name) for name in OF_LINE},
        )
        for position, line in enumerate(entry.lines, 1)
    ]
