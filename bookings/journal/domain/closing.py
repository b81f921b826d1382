"""Rules of closing the journal of a month, and the digest of what is kept."""

import hashlib
import json
from collections.abc import Collection, Iterable
from datetime import date
from decimal import Decimal

from accounts.domain.errors import WrongState, invalid
from bookings.record.domain.months import month_after, month_before, months_between


def require_closable(month: date, closed: Collection[date], present: date) -> None:
    """Raise a refusal unless a month is over (`month-not-over`), not closed (`month-closed`) and the next
    after the last one that is closed (`earlier-month-open`); the first that is closed may be any.
    `present` is the month in which the organisation is."""
    if month >= present:
        raise invalid("month", "month-not-over")
    if not closed:
        return
    last = max(closed)
    if month <= last:
        raise WrongState("month-closed")
    if month != month_after(last):
        raise WrongState("earlier-month-open", month=f"{month_after(last):%Y-%m}")


class Digest:
    """The SHA-256 of the lines of a month, as JSON, one a line, in their order. Numbers are written without
    zeros at the end, so that what was stored has the digest of what was computed."""

    def __init__(self) -> None:
        self._sum = hashlib.sha256()

    def add(self, cells: Iterable[object]) -> None:
        """Add a line of the journal."""
        text = json.dumps([_written(cell) for cell in cells], ensure_ascii=False)
        self._sum.update(text.encode() + b"\n")

    @property
    def text(self) -> str:
        return self._sum.hexdigest()


def _written(cell: object) -> str | None:
    if isinstance(cell, Decimal):
        return f"{cell.normalize() + 0:f}"  # + 0: no -0
    return None if cell is None else str(cell)


def months_to_close(last: date | None, present: date) -> list[date]:
    """Return the months that are over and come after the last closed one, as far as they are in the year of
    the first of them; if none was ever closed, those of the year of the month before the present one."""
    first = month_after(last) if last else month_before(present).replace(month=1)
    return [month for month in months_between(first, first.replace(month=12)) if month < present]
