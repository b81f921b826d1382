"""Read the obstacles to closing a month."""

from collections.abc import Collection
from datetime import date, datetime

from accounts.domain.errors import Refused, WrongState
from accounts.models import Organisation
from bookings.charging.selectors.obstacles import IS_OPEN, charges_of
from bookings.journal.domain.closing import require_closable
from bookings.journal.domain.journal import HOST
from bookings.pricing.models import Charge, ClosedMonth
from bookings.record.domain.months import month_of


def count_not_final(organisation: Organisation, side: str, month: date) -> int:
    """Return how many charges of a month may still be charged to other funding sources of the
    organisation: as payer those that are not final, as host the internal ones among them. One statement."""
    rows = charges_of(organisation, side, month, month).filter(IS_OPEN)
    if side == HOST:
        rows = rows.filter(organisation=organisation)
    return rows.count()


def statements_are_drawn(organisation: Organisation, month: date) -> bool:
    """Say whether a host has drawn up the statements of a month, or has never charged anything."""
    closed = ClosedMonth.objects.filter(host=organisation, month__gte=month)
    return closed.exists() or not Charge.objects.filter(host=organisation).exists()


def require_ready(
    organisation: Organisation, side: str, month: date, closed: Collection[date], now: datetime
) -> None:
    """Raise what keeps a month from being closed, except lines without an account: it is not over or not the
    next to be closed (`require_closable`), its statements are not drawn up (`statements-not-drawn`), or the
    sources of a charge may still change (`month-has-open-charges`)."""
    require_closable(month, closed, month_of(now, organisation.region.time_zone))
    if side == HOST and not statements_are_drawn(organisation, month):
        raise WrongState("statements-not-drawn")
    if count := count_not_final(organisation, side, month):
        raise WrongState("month-has-open-charges", count=count)


def refusal_to_close(
    organisation: Organisation,
    side: str,
    month: date,
    *,
    closed: Collection[date],
    unassigned: int,
    now: datetime,
) -> Refused | None:
    """Return what keeps a month from being closed, as closing it would say; None if nothing does.
    `unassigned`: how many lines have no account."""
    try:
        require_ready(organisation, side, month, closed, now)
    except Refused as refusal:
        return refusal
    return WrongState("accounts-unassigned", count=unassigned) if unassigned else None
