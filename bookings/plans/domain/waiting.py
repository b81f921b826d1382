"""The waiting list: who is offered a freed slot, which slot, and until when.

Order: the moment an entry was made, then its id. An entry has at most one open offer, is offered the earliest
start that fits it (usual working hours first), and never the same time of the same instrument twice.
"""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol
from uuid import UUID

from accounts.domain.errors import FieldProblem, Invalid
from bookings.availability.domain.availability import Asker, unqualified
from bookings.record.domain.periods import Period, clip
from bookings.record.domain.refusals import Refusal

MOST_WISHES = 10
LONGEST_WINDOW = timedelta(days=92)
FARTHEST = timedelta(days=366)
# Nobody can read a mail and complete a form in less time.
LEAST_TO_ANSWER = timedelta(minutes=15)
# How often an entry is looked at even if no time was released.
LOOK_EVERY = timedelta(minutes=5)


class Waiting(Protocol):
    """The fields of a waiting-list entry that decide its place in line."""

    id: UUID
    created_at: datetime


def in_order[W: Waiting](wishes: Iterable[W]) -> list[W]:
    """Return waiting-list entries in the order in which they are served."""
    return sorted(wishes, key=lambda wish: (wish.created_at, wish.id))


def ranks(line: Iterable[Waiting]) -> dict[UUID, int]:
    """Return the place of each waiting-list entry in a line, counted from 1."""
    return {wish.id: rank for rank, wish in enumerate(in_order(line), start=1)}


def window_left(earliest: datetime, latest: datetime, minutes: int, now: datetime) -> Period | None:
    """Return the part of an entry's window that can still be offered: starts that leave time to answer. None
    if its length no longer fits."""
    start = max(earliest, now + LEAST_TO_ANSWER)
    return Period(start, latest) if latest - start >= length_of(minutes) else None


def answer_by(now: datetime, offer_minutes: int, start: datetime) -> datetime | None:
    """Return until when an offer stands: as long as the policy says, but not beyond the slot's start. None if
    the slot begins too soon for anybody to take it."""
    if start - now < LEAST_TO_ANSWER:
        return None
    return min(now + timedelta(minutes=offer_minutes), start)


def first_fit(
    starts: Iterable[datetime],
    minutes: int,
    *,
    offered: Collection[Period],
    accepts: Callable[[Period], bool],
) -> datetime | None:
    """Return the first of the starts (in order) that suits a waiting-list entry: its period overlaps none in
    `offered`, the earlier offers on this instrument, and `accepts(period)` finds it bookable at the price. So
    a declined time is not offered again half an hour later, but to the next in line."""
    length = length_of(minutes)
    for start in starts:
        period = Period(start, start + length)
        if not any(period.meets(other) for other in offered) and accepts(period):
            return start
    return None


def length_of(minutes: int) -> timedelta:
    """Return the length of time that a waiting-list entry asks for."""
    return timedelta(minutes=minutes)


def is_at_most(price: tuple[Decimal | None, str], limit: tuple[Decimal, str] | None) -> bool:
    """Say whether a price (amount, currency) is known to be within the limit. It is not known if the amount
    depends on more than the time or is in another currency."""
    if limit is None:
        return True
    amount, currency = price
    return amount is not None and currency == limit[1] and amount <= limit[0]


def hindrances(asker: Asker, window: Period, minutes: int, *, is_published: bool) -> tuple[Refusal, ...]:
    """Return why somebody cannot have any slot in their window, by the rules about the instrument and the
    person; the rules about time are not applied."""
    refusals = []
    if not is_published:
        refusals.append(Refusal("not-published"))
    if not asker.is_priced:
        refusals.append(Refusal("mode-not-priced"))
    if not asker.is_served:
        refusals.append(Refusal("audience-not-served", {"price_group": asker.price_group}))
    if asker.qualified is not None and not any(
        (part := clip(span.start, span.end, window)) and part.length >= length_of(minutes)
        for span in asker.qualified
    ):
        lacking = Period(window.end - length_of(minutes), window.end)
        refusals += unqualified(asker, lacking)
    return tuple(refusals)


def state_at(
    state: str, latest: datetime, taken_at: datetime | None, now: datetime
) -> tuple[str, datetime | None]:
    """Return the state of a waiting-list entry at a moment, and when it became final if that is not stored
    yet. Deadlines and accepted offers decide, not the job that stores the state."""
    if state != "waiting":
        return state, None
    if taken_at is not None:
        return "fulfilled", taken_at
    if latest <= now:
        return "expired", latest
    return "waiting", None


def check_window(earliest: datetime, latest: datetime, minutes: int, now: datetime) -> None:
    """Raise `Invalid` if no slot could ever be offered in the window of a waiting-list entry."""
    problems = []
    if latest <= earliest:
        problems.append(FieldProblem("latest", "not-after-start"))
    elif latest <= now:
        problems.append(FieldProblem("latest", "in-the-past"))
    elif latest - now > FARTHEST:
        problems.append(FieldProblem("latest", "span-too-long", {"days": FARTHEST.days}))
    elif latest - max(earliest, now) > LONGEST_WINDOW:
        problems.append(FieldProblem("latest", "span-too-long", {"days": LONGEST_WINDOW.days}))
    elif window_left(earliest, latest, minutes, now) is None:
        problems.append(FieldProblem("minutes", "longer-than-window"))
    if problems:
        raise Invalid(problems)
