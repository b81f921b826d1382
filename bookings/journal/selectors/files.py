"""The journal as a table: a row for each line."""

from collections.abc import Iterator

from accounts.letters.words import is_chinese
from bookings.journal.selectors.journal import Journal
from bookings.record.selectors.lists import Cell, amount_cell

HEADS = (
    "number", "date", "document_date", "document", "statement", "kind", "text", "account", "account_name",
    "debit", "credit", "currency", "cost_centre", "tax_code", "tax_percent", "partner", "partner_name",
    "role", "entry", "state",
)  # fmt: skip
CLOSED, PROVISIONAL = "closed", "provisional"


def file_name(journal: Journal, period: str) -> str:
    """Return the name of the file of a journal, without its ending."""
    return f"journal-{journal.organisation.code}-{journal.side}-{period}"


def file_lines(journal: Journal) -> Iterator[list[Cell]]:
    """Yield the lines of a journal as a file has them, so that a year fits into memory. `number` is the month
    and the number of the entry, empty while the month is open."""
    chinese = is_chinese()
    for entry in journal.stream():
        number = f"{entry.day:%Y-%m}-{entry.number:05d}" if entry.number else ""
        text = entry.text_zh if chinese and entry.text_zh else entry.text
        partner = entry.partner_name_zh if chinese and entry.partner_name_zh else entry.partner_name
        for line in entry.lines:
            account = line.account_name_zh if chinese and line.account_name_zh else line.account_name
            yield [
                number,
                entry.day,
                entry.document_day,
                entry.document,
                entry.statement,
                entry.kind,
                text,
                line.account,
                account,
                amount_cell(line.debit, entry.currency) if line.debit else None,
                amount_cell(line.credit, entry.currency) if line.credit else None,
                entry.currency,
                line.cost_centre,
                line.tax_code,
                None if line.tax_percent is None else f"{line.tax_percent.normalize():f}",
                entry.partner,
                partner,
                line.role,
                str(entry.row),
                CLOSED if entry.number else PROVISIONAL,
            ]
