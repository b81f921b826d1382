"""Periods of a journal: a month, a quarter or a year."""

import re
from datetime import date

from bookings.record.domain.months import month_before, month_read

_YEAR = re.compile(r"(19|20)\d\d", re.ASCII)
_QUARTER = re.compile(r"((?:19|20)\d\d)-Q([1-4])", re.ASCII)


def period_read(text: str) -> tuple[date, date] | None:
    """Return the first and the last month of a period written `2026-03`, `2026-Q1` or `2026`; None for
    anything else."""
    if month := month_read(text):
        return month, month
    if _YEAR.fullmatch(text):
        return date(int(text), 1, 1), date(int(text), 12, 1)
    if found := _QUARTER.fullmatch(text):
        last = int(found[2]) * 3
        return date(int(found[1]), last - 2, 1), date(int(found[1]), last, 1)
    return None


def periods_before(present: date, months: int = 12) -> list[str]:
    """Return the periods that a page offers: the last months, the quarters of this year and of the one
    before, and the two years, each the newest first."""
    found = [f"{month_before(present, count):%Y-%m}" for count in range(months + 1)]
    years = (present.year, present.year - 1)
    quarters = [(year, quarter) for year in years for quarter in (4, 3, 2, 1)]
    found += [f"{y}-Q{q}" for y, q in quarters if (y, q * 3 - 2) <= (present.year, present.month)]
    return found + [str(year) for year in years]
