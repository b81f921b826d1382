"""The versions of one rate card beside each other: no day has two prices, no day between two
has none, and what bookings were priced by stays (docs/fees.md, Rate card)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from accounts.domain.errors import FieldProblem, Invalid
from instruments.domain.ratecards import RateCardValues

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Version:
    """A published version and the local days [`valid_from`, `valid_until`) it holds."""

    version: int
    valid_from: date
    valid_until: date | None


def require_room(
    card: RateCardValues,
    others: Sequence[Version],
    today: date,
    is_used: Callable[[int], bool],
) -> list[Version]:
    """The published versions that a new one ends or takes the place of.

    `Invalid` names the day that stands in the way: `valid_until` `in-the-past`;
    `overlaps-version`: another holds on some of its days and does not simply end where it
    begins; `version-used`: something was priced by the one it would replace, or would end
    before `today`; `leaves-gap`: from a day on there would be no price before the next version.
    """
    if card.valid_until and card.valid_until <= today:
        raise Invalid([FieldProblem("valid_until", "in-the-past")])
    ended = []
    for other in others:
        if not _meet(card, other):
            continue
        if other.valid_from > card.valid_from or other.valid_until is not None:
            raise _refused("valid_from", "overlaps-version", other.version)
        earliest = max(today, other.valid_from + DAY)
        if card.valid_from < earliest and is_used(other.version):
            raise _refused("valid_from", "version-used", other.version, earliest)
        ended.append(other)
    _require_no_gap(card, [other for other in others if other not in ended], ended, today)
    return ended


def _meet(card: RateCardValues, other: Version) -> bool:
    return (other.valid_until is None or other.valid_until > card.valid_from) and (
        card.valid_until is None or other.valid_from < card.valid_until
    )


def _require_no_gap(
    card: RateCardValues, others: Sequence[Version], ended: Sequence[Version], today: date
) -> None:
    """Days gone by without a price are gone: the gap is counted from `today` on."""
    before = [o for o in others if o.valid_until is not None and o.valid_until <= card.valid_from]
    if before and not ended:
        last = max(before, key=lambda other: other.valid_until or date.min)
        first = max(last.valid_until or date.min, today)
        if first < card.valid_from:
            raise _refused("valid_from", "leaves-gap", last.version, first)
    after = [other for other in others if other.valid_from > card.valid_from]
    if after and card.valid_until is not None:
        following = min(after, key=lambda other: other.valid_from)
        if card.valid_until < following.valid_from:
            raise _refused("valid_until", "leaves-gap", following.version, following.valid_from)


def _refused(field: str, code: str, version: int, day: date | None = None) -> Invalid:
    numbers: dict[str, str | int] = {"version": version}
    if day is not None:
        numbers["day"] = day.isoformat()
    return Invalid([FieldProblem(field, code, numbers)])
