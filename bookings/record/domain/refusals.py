"""What the rules answer when they will not have a booking."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from accounts.domain.errors import Refused
from bookings.record.domain.periods import Period

# A sole refusal of these is lack of capacity: 409 at the door, and unmet demand.
CAPACITY = frozenset({"slot-taken", "instrument-closed"})

# What a manager may set aside, by name and with a reason; nobody sets aside anything else.
OVERRIDABLE = (
    "too-soon",
    "too-far",
    "off-grid",
    "too-short",
    "too-long",
    "outside-opening-hours",
    "user-quota",
    "organisation-quota",
    "group-quota",
    "kept-for-other-regions",
    "kept-for-holder",
)


@dataclass(frozen=True)
class Equivalent:
    """Another instrument of the same techniques, and the period nearest to the one wished that
    it could take. `payable` is None where the price depends on more than the time."""

    instrument: UUID
    name: str
    name_zh: str
    host: str
    host_names: tuple[str, str]  # English, Chinese
    region: str
    region_names: tuple[str, str]
    time_zone: str
    period: Period
    price_group: str
    currency: str
    payable: Decimal | None


@dataclass(frozen=True)
class SessionOffered:
    """A session of a course that has `free` places; the zone is its facility's."""

    session: UUID
    start: datetime
    end: datetime
    time_zone: str
    free: int


@dataclass(frozen=True)
class CourseOffered:
    """A course that ends in the certificate that is missing, and its next sessions."""

    course: UUID
    name: str
    name_zh: str
    sessions: tuple[SessionOffered, ...]


@dataclass(frozen=True)
class Refusal:
    """One rule that refuses: a code, the numbers behind it, the nearest period that passes, for
    a slot that is taken the nearest equivalent instruments, and for a certificate that is missing
    the courses that give it."""

    code: str
    numbers: Mapping[str, str | int] = field(default_factory=dict)
    nearest: Period | None = None
    equivalents: tuple[Equivalent, ...] = ()
    courses: tuple[CourseOffered, ...] = ()
    booking: int | None = None  # which, from 0, where several were asked for at once


class RulesRefuse(Refused):
    """The rules refuse a booking; `refusals` names every one that does."""

    code = "rules-refuse"

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        self.refusals = tuple(refusals)
        super().__init__(self.refusals[0].code if len(self.refusals) == 1 else None)

    @property
    def lacks_capacity(self) -> bool:
        """Whether nothing refuses but that the slot is gone."""
        return all(refusal.code in CAPACITY for refusal in self.refusals)
