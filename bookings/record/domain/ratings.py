"""Ratings: who may rate a session and until when, and which mean of an instrument is shown."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from uuid import UUID

from accounts.domain.errors import WrongState, invalid

MARKS = ("usable", "support", "on_time", "price_as_quoted")
RATE_WITHIN = timedelta(days=30)
ANSWER_EDITED_FOR = timedelta(days=1)
SHOWN_MONTHS = 24
PRIOR = 10  # as many ratings at the techniques' mean stand beside an instrument's own
LEAST_RATERS, LEAST_ORGANISATIONS = 5, 3
NOT_USABLE = 2  # of 5: such a mark or a lower one says that the result was not usable


@dataclass(frozen=True)
class Rateable:
    """A session that could be rated by somebody who is not of its host; `rating` where it was,
    and the mark of its result where one was given."""

    rater: UUID
    organisation: UUID
    rating: int | None = None
    usable: int | None = None


@dataclass(frozen=True)
class ShownRating:
    """What everybody may read of an instrument's ratings. Shares are between 0 and 1; that of
    results that were not usable is None where nobody gave a mark for them."""

    mean: Decimal
    ratings: int
    raters: int
    organisations: int
    not_usable: Decimal | None
    response: Decimal


def require_rateable(*, ended_at: datetime, rated_at: datetime | None, now: datetime) -> None:
    """`WrongState` unless a session that ended may be rated: once, within thirty days."""
    if rated_at is not None:
        raise WrongState("rated-already")
    if now >= ended_at + RATE_WITHIN:
        raise WrongState("rating-too-late", days=RATE_WITHIN.days)


def require_answerable(*, answered_at: datetime | None, now: datetime) -> None:
    """`WrongState` unless a host may answer a rating: once; for a day it can be edited."""
    if answered_at is not None and now >= answered_at + ANSWER_EDITED_FOR:
        raise WrongState("rating-answered")


def check_mark(name: str, value: int | None) -> None:
    """`Invalid` unless a mark is from 1 to 5, or none."""
    if value is not None and not 1 <= value <= 5:
        raise invalid(name, "out-of-range", least=1, most=5)


def shown_rating(
    sessions: Iterable[Rateable], techniques: Sequence[tuple[int, int]]
) -> ShownRating | None:
    """The rating of an instrument as it is shown, from its sessions of the last 24 months:
    (10 m + sum) / (10 + n), where m is the mean of its techniques, which are given as the number
    and the sum of their ratings (without any, the instrument's own stand in their place).

    None below five raters of three organisations.
    """
    every = list(sessions)
    rated = [one for one in every if one.rating is not None]
    raters = {one.rater for one in rated}
    organisations = {one.organisation for one in rated}
    if len(raters) < LEAST_RATERS or len(organisations) < LEAST_ORGANISATIONS:
        return None
    number, total = len(rated), sum(one.rating or 0 for one in rated)
    others, sum_of_others = map(sum, zip(*techniques or [(number, total)], strict=True))
    marks = [one.usable for one in rated if one.usable is not None]
    unusable = sum(mark <= NOT_USABLE for mark in marks)
    return ShownRating(
        mean=_share(PRIOR * sum_of_others + total * others, others * (PRIOR + number), 2),
        ratings=number,
        raters=len(raters),
        organisations=len(organisations),
        not_usable=_share(unusable, len(marks), 3) if marks else None,
        response=_share(number, len(every), 3),
    )


def _share(part: int, whole: int, places: int) -> Decimal:
    return (Decimal(part) / whole).quantize(Decimal(10) ** -places, ROUND_HALF_UP)
