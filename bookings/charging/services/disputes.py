"""Disputes about charges: the payer opens them, the host answers."""

from uuid import UUID

from django.db import transaction

from accounts import trail
from accounts.domain.errors import NotPermitted, WrongState, invalid
from accounts.domain.roles import Actor, By
from accounts.notifications import Effect, enqueue
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
from instruments.training.services.enrolments import lock_session


def require_payer(actor: Actor, charge: Charge) -> None:
    """Raise unless the actor is the person who booked or attended, or answers for the payer's charges."""
    if actor.user_id != charge.person.pk:
        require(actor, "manage-charges", place_of(charge.organisation))


def require_host(actor: Actor, charge: Charge) -> None:
    """Raise unless the actor answers for the host's charges and this is not their own booking or course."""
    require(actor, "manage-charges", place_of(charge.host))
    if actor.user_id in charge.people:
        raise no_second_of_host(actor, charge) or NotPermitted("own-charge")


def charge_locked(by: By, charge_id: UUID, *, books: bool = False) -> Charge:
    """Lock a charge that the actor may see, after its reservation or course session; with `books`, also after
    the host's books."""
    seen = charge_by_id(by.actor, charge_id)
    subject = subject_locked(seen)
    if books:
        lock_host_books(seen.host_id)
    charge = charge_with(lock_charge(charge_id), seen, subject)
    by.require_version(charge.version)
    return charge


def subject_locked(charge: Charge) -> Reservation | None:
    """Lock what a charge is for, and return the reservation; None for a course, whose session is locked."""
    if charge.reservation_id is None:
        lock_session(charge.place.session_id)
        return None
    return lock_reservation(charge.reservation_id)[1]


def charge_with(charge: Charge, seen: Charge, reservation: Reservation | None) -> Charge:
    """Set on a locked charge the rows around it that are loaded already."""
    charge.reservation, charge.enrolment = reservation, seen.enrolment
    charge.organisation, charge.host = seen.organisation, seen.host
    return charge


def worded(field: str, text: str) -> str:
    """Return the text of a field, trimmed; raise `Invalid` if it is empty."""
    if not text.strip():
        raise invalid(field, "required")
    return text.strip()


@transaction.atomic
def dispute_open(by: By, *, charge_id: UUID, reason: str) -> Charge:
    """Dispute an open charge, which then does not become final before the host has answered."""
    charge = charge_locked(by, charge_id)
    require_payer(by.actor, charge)
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
    charge = charge_locked(by, charge_id, books=True)
    require_payer(by.actor, charge)
    dispute = open_dispute(charge)
    dispute_end(by, dispute, "withdrawn")
    if charge.open_until is not None and by.now < charge.open_until:
        _move_to(charge, "open")
    else:
        charge_finish(charge=charge, state="final", at=by.now)
        charge.save(update_fields=FINISHED)
    trail.record(by, "charge.dispute-withdraw", charge, before={"state": "disputed"}, after=_after(charge))
    key = f"event.undisputed:{charge.pk}:{charge.version}"
    enqueue([Effect("event.undisputed", key, {"charge": str(charge.pk)})], now=by.now)
    return charge


@transaction.atomic
def dispute_reject(by: By, *, charge_id: UUID, answer: str) -> Charge:
    """Reject a dispute, as the host: the charge is final at once. To uphold a dispute instead, propose a
    correction; it is upheld once that is agreed to."""
    charge = charge_locked(by, charge_id, books=True)
    require_host(by.actor, charge)
    dispute = open_dispute(charge)
    if dispute.opened_by_id == by.actor.user_id:
        raise no_second_of_host(by.actor, charge) or NotPermitted("own-dispute")
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
