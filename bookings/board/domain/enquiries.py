"""The states of enquiries and bids, how long each stands, and what coordinators read of many."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice
from uuid import UUID

from bookings.record.domain.disclosure import hidden_groups

LIVE = frozenset({"open", "answered"})
STANDING = frozenset({"made", "amended"})
MOST_SLOTS = 2
LONGEST_OPEN = timedelta(days=60)
LEAST_ORGANISATIONS, MOST_SHARE = 3, 0.8


def enquiry_state(state: str, closes_at: datetime, now: datetime) -> str:
    """Deadlines decide, not jobs: an enquiry that nobody awarded is unmet once it has closed."""
    return "unmet" if state in LIVE and closes_at <= now else state


def bid_state(state: str, valid_until: datetime, now: datetime) -> str:
    """Past its deadline a bid that stood has lapsed."""
    return "lapsed" if state in STANDING and valid_until <= now else state


def two_days(starts: Sequence[datetime]) -> list[datetime]:
    """Two of these starts, in order, for a bid to begin with: the first, and the first that is at
    least a day later, so that neither takes the other's time."""
    later = (start for start in starts if start - starts[0] >= timedelta(days=1))
    return [*starts[:1], *islice(later, 1)]


@dataclass(frozen=True)
class Asked:
    """What one enquiry adds to a cluster. quarter: its first day."""

    technique: str
    region: UUID
    quarter: date
    organisation: UUID
    minutes: int


@dataclass(frozen=True)
class Cluster:
    """What organisations of one region asked for of one technique in a quarter."""

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
    """The first day of the quarter that a day is in."""
    return date(day.year, (day.month - 1) // 3 * 3 + 1, 1)


def clusters(rows: Iterable[Asked]) -> list[Cluster]:
    """Those from which nobody could tell what a single organisation asked for: of three
    organisations at least, none of which asked for more than 80 % of the time. Where that leaves
    one of a quarter hidden, the next smallest is hidden too, which would give it away. The newest
    first, then the largest."""
    by_key: dict[tuple[str, UUID, date], list[Asked]] = {}
    for row in rows:
        by_key.setdefault((row.technique, row.region, row.quarter), []).append(row)
    counted: dict[date, dict[tuple[str, UUID, date], int]] = {}
    for key, group in by_key.items():
        counted.setdefault(key[2], {})[key] = _behind(group)
    hidden = set().union(
        *(hidden_groups(of_quarter, LEAST_ORGANISATIONS) for of_quarter in counted.values())
    )
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
    return sorted(
        shown, key=lambda one: (-one.quarter.toordinal(), -one.minutes, one.technique, one.region)
    )


def _behind(group: Iterable[Asked]) -> int:
    """How many organisations stand behind a group; none where one stands for nearly all of it."""
    minutes: dict[UUID, int] = {}
    for row in group:
        minutes[row.organisation] = minutes.get(row.organisation, 0) + row.minutes
    return 0 if _is_dominated(minutes) else len(minutes)


def _is_dominated(minutes: Mapping[UUID, int]) -> bool:
    return max(minutes.values()) > MOST_SHARE * sum(minutes.values())
