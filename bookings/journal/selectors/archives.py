"""The files of a year: journals, open items and statements."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from django.db.models import Q

from accounts.domain.roles import By
from accounts.letters.words import named
from accounts.models import Organisation
from bookings.journal.domain.journal import SIDES
from bookings.journal.selectors.files import HEADS, file_lines, file_name
from bookings.journal.selectors.journal import load_journal
from bookings.journal.selectors.years import open_items
from bookings.record.domain.months import months_span
from bookings.record.selectors.lists import Cell, amount_cell
from bookings.settlement.domain.ageing import BUCKETS
from bookings.settlement.selectors.statements import STATEMENTS, listed_statements

OPEN_HEADS = ("side", "partner", "partner_name", "currency", *BUCKETS, "unbilled", "balance")


def files_of_year(
    by: By, organisation: Organisation, year: int
) -> Iterator[tuple[str, Sequence[str], Iterable[Sequence[Cell]]]]:
    """Yield the tables of a year, whose rows are read when they are written: name, heads, rows."""
    first, last = date(year, 1, 1), date(year, 12, 1)
    for side in SIDES:
        journal = load_journal(organisation, side, first, last)
        yield file_name(journal, str(year)), HEADS, file_lines(journal)
    since, end = months_span(journal.zone, first, last)
    items: Iterator[tuple[Cell, ...]] = (
        (
            side,
            item.partner.code,
            named(item.partner),
            item.currency,
            *(amount_cell(item.buckets[name], item.currency) for name in BUCKETS),
            amount_cell(item.unbilled, item.currency),
            amount_cell(item.balance, item.currency),
        )
        for side in SIDES
        for item in open_items(organisation, side, end)
    )
    yield f"open-items-{organisation.code}-{year}", OPEN_HEADS, items
    mine = Q(host=organisation) | Q(payer=organisation)
    rows = listed_statements().filter(mine, issued_at__gte=since, issued_at__lt=end)
    yield f"statements-{organisation.code}-{year}", STATEMENTS.heads, STATEMENTS.lines(rows, by)
