"""Ratings: who may rate a session and until when, and which average of an instrument is shown."""

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
PRIOR = 10  # ratings at the techniques' mean that are added to an instrument's own
LEAST_RATERS, LEAST_ORGANISATIONS = 5, 3
NOT_USABLE = 2  # of 5: with this mark or a lower one the result was not usable


@dataclass(frozen=True)
class Rateable:
    """A session that a person from outside the host could rate; `rating` is their rating, and `usable` their
    mark of the result, if they gave one."""

    rater: UUID
    organisation: UUID
    rating: int | None = None
    usable: int | None = None


@dataclass(frozen=True)
class ShownRating:
    """The ratings of an instrument that everybody may read. Shares are between 0 and 1; the share of unusable
    results is None if nobody marked any results."""

    mean: Decimal
    ratings: int
    raters: int
    organisations: int
    not_usable: Decimal | None
    response: Decimal


def require_rateable(*, ended_at: datetime, rated_at: datetime | None, now: datetime) -> None:
    """Raise `WrongState` unless a session that ended may be rated: once, within thirty days."""
    if rated_at is not None:
        raise WrongState("rated-already")
    if now >= ended_at + RATE_WITHIN:
        raise WrongState("rating-too-late", days=RATE_WITHIN.days)


def require_answerable(*, answered_at: datetime | None, now: datetime) -> None:
    """Raise `WrongState` unless a host may answer a rating: once; the answer can be edited for a day."""
    if answered_at is not None and now >= answered_at + ANSWER_EDITED_FOR:
        raise WrongState("rating-answered")


def check_mark(name: str, value: int | None) -> None:
    """Raise `Invalid` unless a mark is None or from 1 to 5."""
    if value is not None and not 1 <= value <= 5:
        raise invalid(name, "out-of-range", least=1, most=5)


def shown_rating(sessions: Iterable[Rateable], techniques: Sequence[tuple[int, int]]) -> ShownRating | None:
    """Return the rating of an instrument as it is shown, from its sessions of the last 24 months: (10 m +
    sum) / (10 + n), where m is the mean of its `techniques`, given as the number and the sum of their ratings
    (if they have none, that of the instrument itself).

    None for fewer than five raters or three organisations. This is the definition, which only tests call:
    `_SHOWN` of usage/services/ratings computes the same in SQL, and a property test holds the two equal.
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
