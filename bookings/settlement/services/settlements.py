"""Settlements between two regions: drawing them up, and having both confirm them."""

from datetime import date, datetime
from uuid import UUID

from django.db import connection, transaction

from accounts import trail
from accounts.domain.errors import NotPermitted, WrongState, invalid
from accounts.domain.roles import PLATFORM, By
from accounts.models import Region
from accounts.models.keys import new_id
from accounts.notifications import Effect, enqueue
from accounts.selectors.memberships import no_second
from accounts.trail import Change
from bookings.record.locks import locked
from bookings.settlement.domain.statements import PAYABLE_WITHIN, day_of
from bookings.settlement.locks import lock_settlement
from bookings.settlement.models import Settlement
from bookings.settlement.selectors import settlements

# Both directions are in one settlement: use at hosts of either region by organisations of the other.
LINES = """
INSERT INTO bookings_settlementline
    (settlement_id, host_id, payer_id, charges, total, covered, payable)
SELECT s.id, c.host_id, c.organisation_id, count(*), sum(c.total), sum(c.covered), sum(c.payable)
FROM bookings_settlement s
JOIN bookings_closedmonth k ON k.month = s.month
JOIN bookings_charge c ON c.host_id = k.host_id AND c.month = k.month
    AND c.currency = s.currency AND c.payer_region_id <> c.host_region_id
    AND c.payer_region_id IN (s.first_id, s.second_id)
    AND c.host_region_id IN (s.first_id, s.second_id)
WHERE s.id = ANY(%s)
GROUP BY s.id, c.host_id, c.organisation_id
"""


@transaction.atomic
def settlements_draw(*, month: date, now: datetime) -> int:
    """Draw up the settlements of a month for every pair of regions that owes anything and whose hosts have
    all closed it; return how many. None is drawn up twice: of two calls at the same moment, the second waits
    for the first and finds its rows."""
    pairs = settlements.load_due_pairs(month)
    if not pairs:
        return 0
    ids = {pk for pair in pairs for pk in (pair.first_id, pair.second_id)}
    regions = Region.objects.in_bulk(ids)
    rows = [
        Settlement(
            pk=new_id(),
            first=regions[pair.first_id],
            second=regions[pair.second_id],
            month=month,
            currency=pair.currency,
            first_owes=pair.first_owes,
            second_owes=pair.second_owes,
            drawn_up_at=now,
        )
        for pair in pairs
    ]
    for row in rows:  # by the day of the region that is paid, as for being overdue
        row.due_date = day_of(now, settlements.creditor_of(row).time_zone) + PAYABLE_WITHIN
    Settlement.objects.bulk_create(rows, ignore_conflicts=True)
    new = list(Settlement.objects.filter(pk__in=[row.pk for row in rows]).select_related("first", "second"))
    with connection.cursor() as cursor:
        cursor.execute(LINES, [[row.pk for row in new]])
    trail.record_all(
        Change(
            By(PLATFORM, now),
            "settlement.draw",
            row,
            after={
                "month": row.month,
                "regions": [row.first.code, row.second.code],
                "currency": row.currency,
                "first_owes": row.first_owes,
                "second_owes": row.second_owes,
                "state": row.state,
            },
        )
        for row in new
    )
    enqueue([_message("drawn", row) for row in new], now=now)
    return len(new)


def settlements_catch_up(*, now: datetime) -> int:
    """Draw up the settlements of every closed month that are complete by now; return how many."""
    _confirm_empty(now)
    return sum(settlements_draw(month=month, now=now) for month in settlements.closed_months(now))


@transaction.atomic
def _confirm_empty(now: datetime) -> None:
    """Confirm those settlements without any amount that earlier versions drew up and left to the regions."""
    rows = Settlement.objects.filter(
        state=Settlement.State.DRAWN_UP, first_owes=0, second_owes=0
    ).select_related("first", "second")
    for row in locked(rows.order_by("pk")):
        before = row.state
        row.state, row.first_confirmed_at, row.second_confirmed_at = Settlement.State.CONFIRMED, now, now
        row.version += 1
        row.save(update_fields=["state", "first_confirmed_at", "second_confirmed_at", "version"])
        trail.record(
            By(PLATFORM, now), "settlement.confirm", row, before={"state": before}, after={"state": row.state}
        )


def _message(kind: str, row: Settlement) -> Effect:
    """Return a message about a settlement to the coordinators of both regions."""
    return Effect(
        kind=f"settlement.{kind}", key=f"settlement.{kind}:{row.pk}", payload={"settlement": str(row.pk)}
    )


@transaction.atomic
def settlement_confirm(by: By, *, settlement_id: UUID, region: str = "") -> Settlement:
    """Confirm a settlement as the coordinator of a region; once both have done so, it can be paid. The two
    regions need two different people. `region`: the code of the region for which it is confirmed, required if
    the actor coordinates both."""
    row = lock_settlement(settlements.settlements_for(by.actor), settlement_id)
    sides = settlements.sides_of(by.actor, row)
    if not sides:
        raise NotPermitted(capability="coordinate")
    by.require_version(row.version)
    if region:
        named = [side for side in sides if getattr(row, side).code == region]
        if not named:
            raise invalid("region", "unknown-region", region=region)
        sides = named
    unconfirmed = [side for side in sides if getattr(row, f"{side}_confirmed_at") is None]
    if not unconfirmed:
        raise WrongState(state=row.state, wanted="confirmed")
    if len(unconfirmed) > 1:
        raise invalid("region", "required")
    (side,) = unconfirmed
    other = "second" if side == "first" else "first"
    if getattr(row, f"{other}_confirmed_by_id") == by.actor.person:
        raise no_second(
            "coordinate", region=getattr(row, side), besides=[by.actor.person], refusal=WrongState
        ) or WrongState("another-person")
    before = row.state
    setattr(row, f"{side}_confirmed_by_id", by.actor.person)
    setattr(row, f"{side}_confirmed_at", by.now)
    if row.first_confirmed_at and row.second_confirmed_at:
        row.state = Settlement.State.CONFIRMED
    row.version += 1
    row.save(update_fields=[f"{side}_confirmed_by", f"{side}_confirmed_at", "state", "version"])
    trail.record(
        by,
        "settlement.confirm",
        row,
        before={"state": before},
        after={"state": row.state, "region": getattr(row, side).code},
    )
    return row
