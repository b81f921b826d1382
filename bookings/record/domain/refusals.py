"""Refusals: the reasons why the rules do not allow a booking."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from accounts.domain.errors import Refused
from bookings.record.domain.periods import Period

# If one of these is the only refusal, capacity is lacking: status 409, and unmet demand.
CAPACITY = frozenset({"slot-taken", "instrument-closed"})

# The rules that a manager may override, by name and with a reason; no others can be overridden.
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
    """Another instrument with the same techniques, and its free period nearest to the one requested.
    `payable` is None if the price depends on more than the time."""

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
    """A session of a training course with `free` places; the zone is its facility's."""

    session: UUID
    start: datetime
    end: datetime
    time_zone: str
    free: int


@dataclass(frozen=True)
class CourseOffered:
    """A course that gives the missing certificate, and its next sessions."""

    course: UUID
    name: str
    name_zh: str
    sessions: tuple[SessionOffered, ...]


@dataclass(frozen=True)
class Way:
    """Another service mode of the same instrument, and the nearest period in which the rules allow it."""

    mode: str
    period: Period


@dataclass(frozen=True)
class Refusal:
    """One rule that refuses: a code; the numbers behind it; the nearest period that would be allowed; for a
    taken slot the nearest equivalent instruments; for a missing certificate the ways of working that need
    none, and the courses that give it."""

    code: str
    numbers: Mapping[str, str | int] = field(default_factory=dict)
    nearest: Period | None = None
    equivalents: tuple[Equivalent, ...] = ()
    ways: tuple[Way, ...] = ()
    courses: tuple[CourseOffered, ...] = ()
    booking: int | None = None  # number from 0, if several bookings were requested at once


class RulesRefuse(Refused):
    """The rules refuse a booking; `refusals` names every one that does."""

    code = "rules-refuse"

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        self.refusals = tuple(refusals)
        super().__init__(self.refusals[0].code if len(self.refusals) == 1 else None)

    @property
    def lacks_capacity(self) -> bool:
        """Say whether the only reason is that the slot is gone."""
        return all(refusal.code in CAPACITY for refusal in self.refusals)
