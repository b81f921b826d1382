"""The payer's word against a charge, and the host's answer."""

from uuid import UUID

from django.db import transaction

from accounts.domain.errors import NotPermitted, WrongState, WrongVersion, invalid
from accounts.domain.roles import Actor, By
from accounts.notifications import enqueue
from accounts.permissions import require
from accounts.selectors.memberships import place_of
from bookings.charging.locks import lock_charge, lock_host_books
from bookings.charging.selectors.corrections import no_second_of_host
from bookings.charging.services.charges import (
    FINISHED,
    charge_finish,
    charge_message,
    charge_record,
)
from bookings.pricing.domain.charges import is_disputable
from bookings.pricing.models import Charge, Correction, Dispute
from bookings.pricing.selectors.charges import charge_by_id
from bookings.record.locks import lock_reservation
from bookings.record.models import Reservation


def require_payer(actor: Actor, reservation: Reservation) -> None:
    """The person of the reservation, or whoever answers for its payer's charges."""
    if actor.user_id != reservation.user_id:
        require(actor, "manage-charges", place_of(reservation.organisation))


def require_host(actor: Actor, reservation: Reservation) -> None:
    """Whoever answers for the host's charges; never for one's own."""
    require(actor, "manage-charges", place_of(reservation.host))
    if actor.user_id in {reservation.user_id, reservation.made_by_id}:
        raise no_second_of_host(actor, reservation) or NotPermitted("own-charge")


def charge_locked(
    actor: Actor, charge_id: UUID, expected_version: int | None, *, books: bool = False
) -> tuple[Reservation, Charge]:
    """A charge the actor may see, locked below its reservation; `books`: below the host's too."""
    seen = charge_by_id(actor, charge_id)
    _, reservation = lock_reservation(seen.reservation_id)
    if books:
        lock_host_books(reservation.host_id)
    charge = lock_charge(charge_id)
    charge.host_region = reservation.host_region
    if expected_version is not None and expected_version != charge.version:
        raise WrongVersion(version=charge.version)
    return reservation, charge


def worded(field: str, text: str) -> str:
    """`Invalid` without a word."""
    if not text.strip():
        raise invalid(field, "required")
    return text.strip()


@transaction.atomic
def dispute_open(by: By, *, charge_id: UUID, reason: str) -> Charge:
    """Dispute an open charge: it does not become final before the host has answered."""
    reservation, charge = charge_locked(by.actor, charge_id, by.version)
    require_payer(by.actor, reservation)
    reason = worded("reason", reason)
    if not is_disputable(charge.kind, charge.state, charge.open_until, by.now):
        state = "final" if charge.state == "open" else charge.state
        raise WrongState(state=state, wanted="disputed")
    Dispute.objects.create(
        charge=charge, reason=reason, opened_by_id=by.actor.person, opened_at=by.now
    )
    _move_to(charge, "disputed")
    charge_record(
        by,
        charge=charge,
        reservation=reservation,
        action="charge.dispute",
        before={"state": "open"},
        after={"state": "disputed"},
        reason=reason,
    )
    enqueue([charge_message("disputed", charge)], now=by.now)
    return charge


@transaction.atomic
def dispute_withdraw(by: By, *, charge_id: UUID) -> Charge:
    """The payer takes its word back: the charge is open for what is left of its time, or final."""
    reservation, charge = charge_locked(by.actor, charge_id, by.version, books=True)
    require_payer(by.actor, reservation)
    dispute = open_dispute(charge)
    dispute_end(by, dispute, "withdrawn")
    if charge.open_until is not None and by.now < charge.open_until:
        _move_to(charge, "open")
    else:
        charge_finish(charge=charge, state="final", at=by.now)
        charge.save(update_fields=FINISHED)
    charge_record(
        by,
        charge=charge,
        reservation=reservation,
        action="charge.dispute-withdraw",
        before={"state": "disputed"},
        after=_after(charge),
    )
    return charge


@transaction.atomic
def dispute_reject(by: By, *, charge_id: UUID, answer: str) -> Charge:
    """The host stands by the charge, which is final at once. To give the payer right, propose a
    correction: agreeing to it upholds the dispute."""
    reservation, charge = charge_locked(by.actor, charge_id, by.version, books=True)
    require_host(by.actor, reservation)
    dispute = open_dispute(charge)
    if dispute.opened_by_id == by.actor.user_id:
        raise no_second_of_host(by.actor, reservation) or NotPermitted("own-dispute")
    answer = worded("answer", answer)
    if Correction.objects.filter(charge=charge, state="proposed").exists():
        raise WrongState("correction-proposed")
    dispute_end(by, dispute, "rejected", answer=answer)
    charge_finish(charge=charge, state="final", at=by.now)
    charge.save(update_fields=FINISHED)
    charge_record(
        by,
        charge=charge,
        reservation=reservation,
        action="charge.dispute-reject",
        before={"state": "disputed"},
        after=_after(charge),
        reason=answer,
    )
    enqueue([charge_message("dispute-settled", charge)], now=by.now)
    return charge


def open_dispute(charge: Charge) -> Dispute:
    """`WrongState` if there is none."""
    found = Dispute.objects.filter(charge=charge, state="open").first()
    if found is None:
        raise WrongState(state=charge.state, wanted="disputed")
    return found


def dispute_end(by: By, dispute: Dispute, state: str, *, answer: str = "") -> None:
    """Settled, one way or another. Within a transaction, under the charge's lock."""
    dispute.state, dispute.settled_by_id, dispute.settled_at = state, by.actor.person, by.now
    dispute.answer = answer or dispute.answer
    dispute.version += 1
    dispute.save(update_fields=["state", "settled_by", "settled_at", "answer", "version"])


def _move_to(charge: Charge, state: str) -> None:
    charge.state = state
    charge.version += 1
    charge.save(update_fields=["state", "version"])


def _after(charge: Charge) -> dict[str, object]:
    return {"state": charge.state, "final_at": charge.final_at, "month": charge.month}
