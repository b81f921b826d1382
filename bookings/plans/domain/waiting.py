"""The waiting list: who is offered a freed slot, which, and until when.

Order: the moment a wish was made, then its id. A wish has at most one offer that stands, is
offered the earliest start that fits it (in usual working hours before others), and never the
same time of the same instrument twice.
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
# Nobody reads a mail and completes a form in less.
LEAST_TO_ANSWER = timedelta(minutes=15)
# How often a wish is looked at even if nobody gave anything back.
LOOK_EVERY = timedelta(minutes=5)


class Waiting(Protocol):
    """What the order asks of a wish."""

    id: UUID
    created_at: datetime


def in_order[W: Waiting](wishes: Iterable[W]) -> list[W]:
    """The stated order."""
    return sorted(wishes, key=lambda wish: (wish.created_at, wish.id))


def ranks(line: Iterable[Waiting]) -> dict[UUID, int]:
    """The place of each wish in a line, from 1."""
    return {wish.id: rank for rank, wish in enumerate(in_order(line), start=1)}


def window_left(earliest: datetime, latest: datetime, minutes: int, now: datetime) -> Period | None:
    """What of a wish's window can still be offered: starts that leave time to answer. None once
    the length does not fit any more."""
    start = max(earliest, now + LEAST_TO_ANSWER)
    return Period(start, latest) if latest - start >= length_of(minutes) else None


def answer_by(now: datetime, offer_minutes: int, start: datetime) -> datetime | None:
    """Until when an offer stands: as long as the policy says, and not beyond the slot's start.
    None where the slot begins so soon that nobody could take it."""
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
    """The first of the starts (in order) that the wish takes: one whose period meets none
    that it was offered before on this instrument, and that `accepts(period)` finds bookable at
    the price. What was let go by is not offered again half an hour later: it goes to the next.
    """
    length = length_of(minutes)
    for start in starts:
        period = Period(start, start + length)
        if not any(period.meets(other) for other in offered) and accepts(period):
            return start
    return None


def length_of(minutes: int) -> timedelta:
    """How long a wish wants it."""
    return timedelta(minutes=minutes)


def is_at_most(price: tuple[Decimal | None, str], limit: tuple[Decimal, str] | None) -> bool:
    """Whether a price (amount, currency) is not above the one named. An amount that depends on
    more than the time, or is in another currency, cannot be said not to be."""
    if limit is None:
        return True
    amount, currency = price
    return amount is not None and currency == limit[1] and amount <= limit[0]


def hindrances(
    asker: Asker, window: Period, minutes: int, *, is_published: bool
) -> tuple[Refusal, ...]:
    """What would keep a wish from anything in the window that came free: the rules about the
    instrument and the person, not those about time."""
    refusals = []
    if not is_published:
        refusals.append(Refusal("not-published"))
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
    """The state of a wish at a moment, and since when it is final; deadlines and what was taken
    decide, not the job that writes it down. For one that is stored as final, its own word."""
    if state != "waiting":
        return state, None
    if taken_at is not None:
        return "fulfilled", taken_at
    if latest <= now:
        return "expired", latest
    return "waiting", None


def check_window(earliest: datetime, latest: datetime, minutes: int, now: datetime) -> None:
    """`Invalid` where no slot could ever come of the window."""
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
