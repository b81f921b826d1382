"""The month a charge belongs to: the one in which it became final, in the host's zone."""

import re
from collections.abc import Collection
from datetime import date, datetime
from zoneinfo import ZoneInfo

from instruments.reading.domain.clock import instant


def month_of(moment: datetime, time_zone: str) -> date:
    """Return the first day of the local month of a moment."""
    return moment.astimezone(ZoneInfo(time_zone)).date().replace(day=1)


def month_read(text: str) -> date | None:
    """Return the first day of a month written `2026-03`; None for anything else."""
    if not re.fullmatch(r"(19|20)\d\d-(0[1-9]|1[0-2])", text, re.ASCII):
        return None
    return date.fromisoformat(f"{text}-01")


def month_after(month: date) -> date:
    """Return the first day of the following month."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def month_before(month: date, count: int = 1) -> date:
    """Return the first day of the month `count` months before, by default the month before."""
    year, index = divmod(month.year * 12 + month.month - 1 - count, 12)
    return date(year, index + 1, 1)


def months_between(first: date, last: date) -> list[date]:
    """Return every month from the first to the last, both included; none if the last is earlier."""
    months, month = [], first.replace(day=1)
    while month <= last:
        months.append(month)
        month = month_after(month)
    return months


def months_span(zone: ZoneInfo, first: date, last: date) -> tuple[datetime, datetime]:
    """Return the instants [start, end) of the local months from the first to the last, both included."""
    return instant(zone, first, 0), instant(zone, month_after(last), 0)


def month_for(final_at: datetime, time_zone: str, drawn: Collection[date]) -> date:
    """Return the month of a charge that became final at a moment; if the host's statements of that month are
    drawn up already, the next month whose statements are not."""
    month = month_of(final_at, time_zone)
    while month in drawn:
        month = month_after(month)
    return month
