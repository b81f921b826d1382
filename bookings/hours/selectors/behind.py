"""What a number of the hours is made of, where that is not days of instruments."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

# The numbers that open such rows: of unmet demand, of flows, of bookings.
DEMAND = ("refused", "waited", "search", "wanted")
FLOWS = ("users", "money")
BOOKINGS = ("booked", "cancelled_late", "not_used")


@dataclass(frozen=True)
class BehindRow:
    """One of the things summed up. `kind` says what it is; names are English and Chinese;
    `amount` is minutes or money. `person` and the ids are empty where they are not the reader's
    to see; `nth` tells people apart all the same, where people are counted."""

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
    """A page of the rows; `number` and `amount` are of all of them, `people` of those who stand
    behind all of them where people are counted."""

    rows: Sequence[BehindRow]
    number: int
    amount: int | Decimal
    people: int = 0
