"""Charge ended reservations, and make charges final. How attended courses are charged is in `training`."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts import trail
from accounts.domain.roles import PLATFORM, By, Places
from accounts.notifications import Effect, enqueue
from accounts.services.jobs import work_through
from accounts.trail import Change
from bookings.charging.locks import claim_host_books, lock_host_books
from bookings.charging.services.ledger import charge_post
from bookings.funding.selectors.earmarks import kept_grants, load_earmarked
from bookings.funding.services.earmarks import earmarks_release, earmarks_spend
from bookings.pricing.domain.charges import DISPUTABLE, ChargeMade, charge
from bookings.pricing.models import Charge
from bookings.pricing.selectors.charges import drawn_months, load_ending, load_quoted, undisputed
from bookings.record.domain.months import month_for
from bookings.record.locks import lock_reservation
from bookings.record.models import Reservation


@transaction.atomic
def charge_make(*, reservation_id: UUID, now: datetime) -> Charge | None:
    """Charge an ended reservation, once. Return None if nothing is owed, or if the rate card charges by use
    and the times of use are not known yet."""
    _, reservation = lock_reservation(reservation_id)
    existing = (
        Charge.objects.filter(reservation=reservation, kind__in=Charge.ORIGINAL)
        .order_by("created_at", "id")
        .first()
    )
    if existing is not None:
        return existing
    # The voucher chosen at booking stays, with what it has left by now.
    quoted = load_quoted(reservation_id)
    grants = kept_grants(quoted, load_earmarked(reservation_id, lock=True))
    due = charge(replace(quoted, grants=grants), load_ending(reservation))
    if due is None:
        if reservation.state != Reservation.State.COMPLETED or reservation.struck:
            # Otherwise its times are yet to come.
            earmarks_release(reservation=reservation, now=now)
        return None
    grant_id = earmarks_spend(
        subject=reservation, covered=due.covered, payable=due.payable, currency=due.currency, now=now
    )
    row = charge_row(reservation=reservation, due=due, grant_id=grant_id, now=now)
    charge_store(By(PLATFORM, now), charge=row, places=reservation.places())
    free = Effect("event.free", f"event.free:{row.pk}", {"charge": str(row.pk)})  # of which nobody is told
    enqueue([charge_message("charged", row) if row.total else free], now=now)
    return row


def charge_row(*, reservation: Reservation, due: ChargeMade, grant_id: UUID | None, now: datetime) -> Charge:
    """Return a new open charge of a reservation, not stored yet."""
    parties = {name: getattr(reservation, name) for name in PARTIES}
    return open_charge(due, now, reservation=reservation, grant_id=grant_id, **parties)


PARTIES = ("organisation_id", "host_id", "payer_region_id", "host_region_id")


def open_charge(due: ChargeMade, now: datetime, **of: Any) -> Charge:
    """Return a new open charge, not stored yet. `of`: what it is for, and its parties."""
    amounts = ("kind", "currency", "tax", "total", "covered", "payable")
    return Charge(
        **of,
        **{name: getattr(due, name) for name in amounts},
        inputs=dict(due.inputs),
        result=dict(due.result),
        created_at=now,
        open_until=now + DISPUTABLE,
    )


def charge_store(by: By, *, charge: Charge, places: Places) -> None:
    """Store a new charge of any kind, with its postings and its entry in the trail."""
    Charge.objects.bulk_create([charge])
    charge_post(charge=charge, now=by.now)
    trail.record(by, "charge.create", charge, after=charge_recorded(charge), places=places)


def charge_recorded(charge: Charge) -> dict[str, Any]:
    """Return what the trail records about a new charge."""
    names = ["kind", "currency", "total", "payable", *(["month"] if charge.reverses_id else [])]
    values = {name: getattr(charge, name) for name in names}
    if charge.reverses_id:
        values["reverses"] = charge.reverses_id
    if charge.enrolment_id:
        return values | {"enrolment": charge.enrolment_id}
    return values | {"reservation": charge.reservation_id}


def charge_message(kind: str, charge: Charge) -> Effect:
    """Return a message about a charge in its present state. That of an attended course is loaded already."""
    if charge.enrolment_id:
        payload = {"enrolment": charge.enrolment_id, "user": charge.place.user_id, "charge": charge.pk}
        return Effect(
            kind=f"training.{kind}",
            key=f"training.{kind}:{charge.pk}:{charge.version}",
            payload={name: str(pk) for name, pk in payload.items()},
        )
    return Effect(
        kind=f"mail.{kind}",
        key=f"mail.{kind}:{charge.pk}:{charge.version}",
        payload={"reservation": str(charge.reservation_id), "charge": str(charge.pk)},
    )


def charge_finish(*, charge: Charge, state: str, at: datetime) -> None:
    """Make a charge final as of a moment, which also determines its month; one that was final already keeps
    both. The caller holds the locks of the host's books and of the charge, and stores it."""
    if charge.final_at is None:
        drawn = drawn_months(charge.host_id)
        charge.final_at = at
        charge.month = month_for(at, charge.host_region.time_zone, drawn)
    charge.state = state
    charge.version += 1


FINISHED = ("state", "final_at", "month", "version")


def charges_finalise(*, now: datetime, host_id: UUID | None = None, most: int = 2000) -> int:
    """Make charges final that nobody disputed in time, as of the end of that time even if this runs late;
    return how many. With `host_id`, only that host's, for whoever draws up its statements."""
    if host_id is not None:
        with transaction.atomic():
            return _finalise(host_id, now, most)

    def act(host_id: UUID) -> int:
        claim_host_books(host_id)
        return _finalise(host_id, now, most)

    return work_through(job="final charges", due=hosts_to_finalise(now), act=act, now=now)


def hosts_to_finalise(now: datetime) -> list[UUID]:
    """Return the hosts that have charges nobody disputed in time."""
    due = undisputed(now)
    return list(due.order_by("host_id").values_list("host_id", flat=True).distinct())


def _finalise(host_id: UUID, now: datetime, most: int) -> int:
    lock_host_books(host_id)
    # One that somebody disputes or corrects at this moment is left to the next run.
    rows = list(
        Charge.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
        .filter(host_id=host_id, state=Charge.State.OPEN, open_until__lte=now)
        .select_related("host_region", "payer_region")
        .order_by("pk")[:most]
    )
    if not rows:
        return 0
    drawn = drawn_months(host_id)
    for row in rows:
        row.state, row.final_at = Charge.State.FINAL, row.open_until
        at = row.open_until or now
        row.month = month_for(at, row.host_region.time_zone, drawn)
        row.version += 1
    Charge.objects.bulk_update(rows, FINISHED, batch_size=500)
    trail.record_all(
        Change(
            By(PLATFORM, now),
            "charge.final",
            row,
            before={"state": "open"},
            after={"state": "final", "final_at": row.final_at, "month": row.month},
        )
        for row in rows
    )
    told = (Effect("event.final", f"event.final:{row.pk}", {"charge": str(row.pk)}) for row in rows)
    enqueue(told, now=now)
    return len(rows)
