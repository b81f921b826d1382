"""Charge places in courses once they were attended, and take the charge back."""

from decimal import Decimal
from zoneinfo import ZoneInfo

from accounts import trail
from accounts.domain.errors import WrongState
from accounts.domain.roles import By
from accounts.notifications import enqueue
from accounts.selectors.organisations import load_moves, organisation_region_on
from bookings.charging.domain.corrections import charged_again
from bookings.charging.domain.places import require_reversible, require_timely
from bookings.charging.locks import lock_charge, lock_host_books
from bookings.charging.services import charges
from bookings.charging.services.corrections import reversal_row
from bookings.funding.services.earmarks import earmarks_spend
from bookings.funding.services.places import place_release
from bookings.pricing.domain.charges import use_charge
from bookings.pricing.domain.quotes import input_from_json
from bookings.pricing.models import Charge, Correction
from instruments.reading.domain.clock import local_date
from instruments.training.domain.training import ATTENDED
from instruments.training.models import Enrolment


def place_settle(by: By, enrolment: Enrolment, was: str) -> None:
    """Charge a place in a course whose result says for the first time that it was attended, at the price for
    which it was taken, from the sources in which that is reserved; reverse the charge if it was not attended
    after all, and release what is reserved if it will not take place. The caller's transaction holds
    the lock of the course session. Nothing is charged if the price is zero. What two people have agreed on
    stands: after a correction the place is charged as corrected, or not at all.

    Raise `WrongState` while a correction is proposed (`correction-proposed`), or if it is too late
    (`require_timely`, `require_reversible`)."""
    is_attended = enrolment.state in ATTENDED
    if is_attended != (was in ATTENDED):
        if is_attended:
            _charge(by, enrolment)
        else:
            _reverse(by, enrolment)
    if not is_attended:
        place_release(enrolment=enrolment, now=by.now)


def _charge(by: By, enrolment: Enrolment) -> None:
    session, payer, price = enrolment.session, enrolment.organisation, enrolment.price
    if payer is None or price is None:
        return
    agreed = Correction.objects.filter(charge__enrolment=enrolment, state="agreed").order_by(
        "decided_at", "id"
    )
    corrected = agreed.last()
    if corrected is None:
        due = use_charge(input_from_json(price["inputs"]))
    elif corrected.inputs is None:
        place_release(enrolment=enrolment, now=by.now)
        return
    else:
        due = charged_again(corrected.kind, corrected.inputs)
    if not due.total:
        place_release(enrolment=enrolment, now=by.now)
        return
    require_timely(session.end_at, by.now)
    host = session.course.organisation
    day = local_date(ZoneInfo(session.facility.time_zone), session.start_at)
    load_moves([payer, host])
    _spend(enrolment, due.payable, due.currency, by)
    row = charges.open_charge(
        due,
        by.now,
        enrolment=enrolment,
        organisation=payer,
        host=host,
        payer_region=organisation_region_on(payer, day),
        host_region=organisation_region_on(host, day),
    )
    charges.charge_store(by, charge=row, places=row.places())
    enqueue([charges.charge_message("charged", row)], now=by.now)


def _spend(enrolment: Enrolment, payable: Decimal, currency: str, by: By) -> None:
    """Spend an amount from the sources that pay for a place; sources are locked before a host's books."""
    earmarks_spend(subject=enrolment, covered=Decimal(0), payable=payable, currency=currency, now=by.now)


def _reverse(by: By, enrolment: Enrolment) -> None:
    standing = Charge.objects.filter(enrolment=enrolment, kind="training").exclude(state="reversed").first()
    if standing is None:
        return
    _spend(enrolment, -standing.payable, standing.currency, by)
    lock_host_books(standing.host_id)
    charge = lock_charge(standing.pk)
    charge.enrolment = enrolment
    if Correction.objects.filter(charge=charge, state="proposed").exists():
        raise WrongState("correction-proposed")
    require_reversible(state=charge.state, open_until=charge.open_until, now=by.now)
    was = {"state": charge.state, "total": charge.total}
    charges.charge_finish(charge=charge, state="reversed", at=by.now)
    charge.save(update_fields=charges.FINISHED)
    reversal = reversal_row(charge, by.now, kind="reversal")
    charges.charge_store(by, charge=reversal, places=charge.places())
    after = {"state": "reversed", "month": charge.month, "enrolment": enrolment.pk}
    trail.record(by, "charge.reverse", charge, before=was, after=after, places=charge.places())
    enqueue([charges.charge_message("corrected", charge)], now=by.now)
