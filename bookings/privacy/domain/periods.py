"""Decide how long records may be kept."""

from collections.abc import Iterable, Mapping
from datetime import date

from accounts.domain.errors import invalid

MOST_DAYS = 3650


def check_period(*, kind: str, days: int, valid_from: date, today: date, least: Mapping[str, int]) -> None:
    """Raise `Invalid` unless records of a kind may be kept for so many days from a day on: today at the
    earliest. `least`: the fewest days of each kind whose period may be changed."""
    if kind not in least:
        raise invalid("kind", "unknown-choice", allowed=", ".join(sorted(least)))
    if not least[kind] <= days <= MOST_DAYS:
        raise invalid("days", "out-of-range", least=least[kind], most=MOST_DAYS)
    if valid_from < today:
        raise invalid("valid_from", "in-the-past")


def days_on(entered: Iterable[tuple[str, date, int]], day: date) -> dict[str, int]:
    """Return the days that hold on a day, by kind, of those entered (kind, valid from, days)."""
    held = sorted((one for one in entered if one[1] <= day), key=lambda one: one[1])
    return {kind: days for kind, _, days in held}
