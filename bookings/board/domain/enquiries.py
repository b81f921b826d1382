"""The states and the deadlines of enquiries and bids, and the clusters that coordinators see."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import islice
from uuid import UUID

from accounts.domain.errors import invalid
from bookings.record.domain.disclosure import hidden_groups
from bookings.record.domain.refusals import Refusal

LIVE = frozenset({"open", "answered"})
STANDING = frozenset({"made", "amended"})
MOST_SLOTS = 2
LONGEST_REASON = 200
LONGEST_OPEN = timedelta(days=60)
LEAST_ORGANISATIONS, MOST_SHARE = 3, 0.8
# Refusals that say something about the instrument alone, not about who asks.
OF_INSTRUMENT = frozenset(
    {
        "instrument-closed",
        "not-published",
        "off-grid",
        "outside-opening-hours",
        "slot-taken",
        "too-far",
        "too-long",
        "too-short",
        "too-soon",
    }
)


def enquiry_state(state: str, closes_at: datetime, now: datetime) -> str:
    """Return the present state of an enquiry from its stored one. Deadlines decide, not jobs: an enquiry that
    was not awarded is unmet once it has closed."""
    return "unmet" if state in LIVE and closes_at <= now else state


def bid_state(state: str, valid_until: datetime, now: datetime) -> str:
    """Return the present state of a bid from its stored one: an open bid has lapsed after its deadline."""
    return "lapsed" if state in STANDING and valid_until <= now else state


def is_standing(state: str, valid_until: datetime, now: datetime) -> bool:
    """Return whether a bid can still be accepted, declined or withdrawn."""
    return bid_state(state, valid_until, now) in STANDING


def check_discount(percent: Decimal, reason: str) -> tuple[Decimal, str]:
    """Return by how much a bid is below the rate card, and why. Raise `Invalid` if it is above the card, or
    more than the whole price, has more than two decimals, or no reason."""
    if not percent.is_finite() or not 0 <= percent <= 100:
        raise invalid("discount_percent", "out-of-range", least=0, most=100)
    if percent != round(percent, 2):
        raise invalid("discount_percent", "too-many-decimals", decimals=2)
    reason = reason.strip()
    if percent and not reason:
        raise invalid("discount_reason", "required")
    if len(reason) > LONGEST_REASON:
        raise invalid("discount_reason", "too-long", most=LONGEST_REASON)
    return percent, reason if percent else ""


def told_to_host(refusals: Iterable[Refusal], *, is_confidential: bool) -> tuple[Refusal, ...]:
    """Return refusals of a time as the host may read them before the award. Of a confidential enquiry quotas,
    certificates and shares would tell who asks: one `not-for-who-asks` for each booking stands for them."""
    if not is_confidential:
        return tuple(refusals)
    told = (
        each if each.code in OF_INSTRUMENT else Refusal("not-for-who-asks", booking=each.booking)
        for each in refusals
    )
    return tuple({(each.code, each.booking): each for each in told}.values())


def two_days(starts: Sequence[datetime]) -> list[datetime]:
    """Return up to two of these starts to suggest for a bid: the first, and the first that is at least a day
    later, so that the two do not overlap."""
    later = (start for start in starts if start - starts[0] >= timedelta(days=1))
    return [*starts[:1], *islice(later, 1)]


@dataclass(frozen=True)
class EnquiryPart:
    """The contribution of one enquiry to a cluster. quarter: its first day."""

    technique: str
    region: UUID
    quarter: date
    organisation: UUID
    minutes: int


@dataclass(frozen=True)
class Cluster:
    """The enquiries of organisations of one region for one technique in a quarter."""

    technique: str
    region: UUID
    quarter: date
    organisations: int
    enquiries: int
    minutes: int

    @property
    def yearly_minutes(self) -> int:
        return 4 * self.minutes


def quarter_of(day: date) -> date:
    """Return the first day of the quarter that a day is in."""
    return date(day.year, (day.month - 1) // 3 * 3 + 1, 1)


def clusters(rows: Iterable[EnquiryPart]) -> list[Cluster]:
    """Return the clusters that do not reveal the demand of a single organisation: at least three
    organisations, none of which accounts for more than 80 % of the time. If that hides just one cluster of a
    quarter, its size would follow from the total, so the next smallest is hidden too. The newest come first,
    then the largest."""
    by_key: dict[tuple[str, UUID, date], list[EnquiryPart]] = {}
    for row in rows:
        by_key.setdefault((row.technique, row.region, row.quarter), []).append(row)
    counted: dict[date, dict[tuple[str, UUID, date], int]] = {}
    for key, group in by_key.items():
        counted.setdefault(key[2], {})[key] = _behind(group)
    hidden = set().union(*(hidden_groups(of_quarter, LEAST_ORGANISATIONS) for of_quarter in counted.values()))
    shown = [
        Cluster(
            *key,
            organisations=len({row.organisation for row in group}),
            enquiries=len(group),
            minutes=sum(row.minutes for row in group),
        )
        for key, group in by_key.items()
        if key not in hidden
    ]
    return sorted(shown, key=lambda one: (-one.quarter.toordinal(), -one.minutes, one.technique, one.region))


def _behind(group: Iterable[EnquiryPart]) -> int:
    """Return how many organisations a group of enquiries comes from; 0 if one of them accounts for nearly all
    of it."""
    minutes: dict[UUID, int] = {}
    for row in group:
        minutes[row.organisation] = minutes.get(row.organisation, 0) + row.minutes
    return 0 if _is_dominated(minutes) else len(minutes)


def _is_dominated(minutes: Mapping[UUID, int]) -> bool:
    return max(minutes.values()) > MOST_SHARE * sum(minutes.values())
