"""Disputes about charges: the payer opens them, the host answers."""

from uuid import UUID

from django.db import transaction

from accounts import trail
from accounts.domain.errors import NotPermitted, WrongState, invalid
from accounts.domain.roles import Actor, By
from accounts.notifications import enqueue
from accounts.permissions import require
from accounts.selectors.memberships import place_of
from bookings.charging.locks import lock_charge, lock_host_books
from bookings.charging.selectors.corrections import no_second_of_host
from bookings.charging.services.charges import FINISHED, charge_finish, charge_message
from bookings.pricing.domain.charges import is_disputable
from bookings.pricing.models import Charge, Correction, Dispute
from bookings.pricing.selectors.charges import charge_by_id
from bookings.record.locks import lock_reservation
from bookings.record.models import Reservation


def require_payer(actor: Actor, reservation: Reservation) -> None:
    """Raise unless the actor is the person of the reservation, or answers for the payer's charges."""
    if actor.user_id != reservation.user_id:
        require(actor, "manage-charges", place_of(reservation.organisation))


def require_host(actor: Actor, reservation: Reservation) -> None:
    """Raise unless the actor answers for the host's charges and this is not their own booking."""
    require(actor, "manage-charges", place_of(reservation.host))
    if actor.user_id in {reservation.user_id, reservation.made_by_id}:
        raise no_second_of_host(actor, reservation) or NotPermitted("own-charge")


def charge_locked(by: By, charge_id: UUID, *, books: bool = False) -> tuple[Reservation, Charge]:
    """Lock a charge that the actor may see, after its reservation; with `books`, also after the host's
    books."""
    seen = charge_by_id(by.actor, charge_id)
    _, reservation = lock_reservation(seen.reservation_id)
    if books:
        lock_host_books(reservation.host_id)
    charge = lock_charge(charge_id)
    by.require_version(charge.version)
    return reservation, charge


def worded(field: str, text: str) -> str:
    """Return the text of a field, trimmed; raise `Invalid` if it is empty."""
    if not text.strip():
        raise invalid(field, "required")
    return text.strip()


@transaction.atomic
def dispute_open(by: By, *, charge_id: UUID, reason: str) -> Charge:
    """Dispute an open charge, which then does not become final before the host has answered."""
    reservation, charge = charge_locked(by, charge_id)
    require_payer(by.actor, reservation)
    reason = worded("reason", reason)
    if not is_disputable(charge.kind, charge.state, charge.open_until, by.now):
        state = "final" if charge.state == "open" else charge.state
        raise WrongState(state=state, wanted="disputed")
    Dispute.objects.create(charge=charge, reason=reason, opened_by_id=by.actor.person, opened_at=by.now)
    _move_to(charge, "disputed")
    trail.record(
        by, "charge.dispute", charge, before={"state": "open"}, after={"state": "disputed"}, reason=reason
    )
    enqueue([charge_message("disputed", charge)], now=by.now)
    return charge


@transaction.atomic
def dispute_withdraw(by: By, *, charge_id: UUID) -> Charge:
    """Withdraw a dispute, as the payer: the charge is open until its time is over, or else final."""
    reservation, charge = charge_locked(by, charge_id, books=True)
    require_payer(by.actor, reservation)
    dispute = open_dispute(charge)
    dispute_end(by, dispute, "withdrawn")
    if charge.open_until is not None and by.now < charge.open_until:
        _move_to(charge, "open")
    else:
        charge_finish(charge=charge, state="final", at=by.now)
        charge.save(update_fields=FINISHED)
    trail.record(by, "charge.dispute-withdraw", charge, before={"state": "disputed"}, after=_after(charge))
    return charge


@transaction.atomic
def dispute_reject(by: By, *, charge_id: UUID, answer: str) -> Charge:
    """Reject a dispute, as the host: the charge is final at once. To uphold a dispute instead, propose a
    correction; it is upheld once that is agreed to."""
    reservation, charge = charge_locked(by, charge_id, books=True)
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
    trail.record(
        by, "charge.dispute-reject", charge, before={"state": "disputed"}, after=_after(charge), reason=answer
    )
    enqueue([charge_message("dispute-settled", charge)], now=by.now)
    return charge


def open_dispute(charge: Charge) -> Dispute:
    """Return the open dispute about a charge; raise `WrongState` if there is none."""
    dispute = Dispute.objects.filter(charge=charge, state="open").first()
    if dispute is None:
        raise WrongState(state=charge.state, wanted="disputed")
    return dispute


def dispute_end(by: By, dispute: Dispute, state: str, *, answer: str = "") -> None:
    """Settle a dispute, in a transaction that holds the charge's lock."""
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
