"""Load the rows behind a figure that is not computed from instruments' days."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from accounts.domain.roles import Actor
from accounts.models import User
from bookings.record.selectors.reservations import visible_among

# The figures that lead to such rows: of unmet demand, of flows, of bookings.
DEMAND = ("refused", "waited", "search", "wanted")
FLOWS = ("users", "money")
BOOKINGS = ("booked", "cancelled_late", "not_used")


@dataclass(frozen=True)
class BehindRow:
    """One of the rows that a figure sums up. `kind` says what it is; names are English and Chinese; `amount`
    is minutes or money. `person` and the ids are empty where the reader may not see them; where people are
    counted, `nth` tells them apart all the same."""

    kind: str
    starts_at: datetime
    ends_at: datetime | None
    zone: str
    instrument: tuple[str, str]
    organisation: tuple[str, str]
    amount: int | Decimal
    person: str = ""
    nth: int | None = None
    note: str = ""
    lead_hours: Decimal | None = None
    reservation_id: UUID | None = None
    charge_id: UUID | None = None


@dataclass(frozen=True)
class Behind:
    """A page of the rows. `number` and `amount` cover all rows, not only the page; `people` is the number of
    people behind all of them, where people are counted."""

    rows: Sequence[BehindRow]
    number: int
    amount: int | Decimal
    people: int = 0


def load_behind(actor: Actor, rows: Sequence[Any]) -> Behind:
    """Load a page of rows from the rows of a statement. Their columns are: reservation, charge, kind, start,
    end, instrument's names, zone, organisation's names, amount, person, number of the person, hours ahead,
    note, whether the person may be named (null: if the actor may see the reservation); then the number,
    amount and people of all rows. At most two statements."""
    ids = [row[0] for row in rows if row[0]]
    readable = visible_among(actor, ids) if ids else ()
    named = [row[0] in readable if row[15] is None else row[15] for row in rows]
    people = User.objects.in_bulk({row[11] for row, is_named in zip(rows, named, strict=True) if is_named})
    return Behind(
        [
            BehindRow(
                kind=row[2],
                starts_at=row[3],
                ends_at=row[4],
                instrument=row[5:7],
                zone=row[7],
                organisation=row[8:10],
                amount=row[10],
                person=str(people[row[11]]) if is_named else "",
                nth=row[12],
                lead_hours=None if row[13] is None else round(Decimal(row[13]), 1),
                note=row[14] if is_named else "",  # a search text may reveal who searched
                reservation_id=row[0] if is_named else None,
                charge_id=row[1] if is_named else None,
            )
            for row, is_named in zip(rows, named, strict=True)
        ],
        *(rows[0][16:19] if rows else (0, 0, 0)),
    )
