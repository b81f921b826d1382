"""Files of the register: organisations and people."""

from collections.abc import Iterable

from accounts.domain.errors import FieldProblem, Invalid
from accounts.domain.organisations import COLUMNS, PAPER
from accounts.domain.people import PersonRow
from accounts.models import Organisation
from bookings.plans.adapters.tables import read_people
from bookings.settlement.adapters.sheets import csv_table
from instruments.reading.domain.delimited import FileRefused, text_cell


def organisations_csv(rows: Iterable[tuple[Organisation, bool]]) -> bytes:
    """Return a CSV with one row per organisation, in the columns that the import takes. What statements print
    of one is empty if the reader may not see it, and an empty cell changes nothing when imported."""
    return csv_table(
        COLUMNS,
        (
            (
                *(text_cell(text) for text in (row.code, row.name, row.name_zh, row.kind)),
                "true" if row.is_small else "false",
                text_cell(row.region.code),
                row.ror,
                *(text_cell(getattr(row, name)) if sees else "" for name in PAPER),
            )
            for row, sees in rows
        ),
    )


def people_of(content: bytes) -> list[PersonRow]:
    """Return the rows of a table of people; raise `Invalid` if it cannot be read."""
    try:
        return read_people(content)
    except FileRefused as refused:
        raise Invalid([FieldProblem("file", refused.code, refused.numbers)]) from None
