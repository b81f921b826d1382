"""Correct charges: one person of the host proposes, another agrees. Charges themselves are never edited."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts import trail
from accounts.domain.errors import NotPermitted, WrongState
from accounts.domain.roles import Actor, By
from accounts.notifications import enqueue
from accounts.permissions import require
from accounts.selectors.memberships import place_of
from bookings.charging.domain import corrections
from bookings.charging.locks import lock_charge, lock_host_books
from bookings.charging.selectors.corrections import (
    PAYER,
    agrees,
    changes_voucher,
    correction_by_id,
    grants_after,
    no_second_of_host,
    side_that_agrees,
)
from bookings.charging.selectors.melting import melting_of
from bookings.charging.services import charges
from bookings.charging.services.disputes import (
    charge_locked,
    charge_with,
    dispute_end,
    open_dispute,
    require_host,
    subject_locked,
    worded,
)
from bookings.funding.services.earmarks import earmarks_respend
from bookings.pricing.domain.charges import ORIGINAL, ChargeMade
from bookings.pricing.domain.quotes import input_from_json
from bookings.pricing.domain.usage import require_usage
from bookings.pricing.models import Charge, Correction, Dispute, VoucherGrant
from bookings.pricing.selectors.charges import charge_by_id, load_quoted
from bookings.record.domain.money import format_amount
from bookings.record.locks import locked
from bookings.record.models import Reservation, UsageSession
from bookings.usage.services.sessions import session_set


@transaction.atomic
def correction_propose(
    by: By, *, charge_id: UUID, amendment: corrections.Amendment, reason: str, settles: bool = False
) -> Correction:
    """Propose what a charge in force should have been, even if it is final or on a statement, as the host's
    manager or finance, of one's own booking too. Nothing changes before a second person agrees
    (`side_that_agrees`). `settles`: the correction upholds the open dispute."""
    charge = charge_locked(by, charge_id)
    reservation = charge.reservation
    require(by.actor, "manage-charges", place_of(charge.host))
    reason = worded("answer" if settles else "reason", reason)
    _require_in_force(charge)
    if settles:
        dispute = open_dispute(charge)
        if dispute.opened_by_id == by.actor.user_id:
            raise no_second_of_host(by.actor, charge) or NotPermitted("own-dispute")
        dispute.answer = reason
        dispute.save(update_fields=["answer"])
    if Correction.objects.filter(charge=charge, state="proposed").exists():
        raise WrongState("correction-proposed")
    if amendment.usage is not None and reservation is not None:
        reserved = (reservation.start_at, reservation.end_at)
        require_usage(amendment.usage, reserved=reserved, now=by.now)
    after = corrections.amended(
        charge.kind,
        charge.inputs,
        amendment,
        quoted=load_quoted(reservation.pk) if reservation else input_from_json(charge.inputs),
        grants=grants_after(charge, charge.inputs),
        cut_at=_cut_at(reservation) if reservation else None,
    )
    corrections.require_change(charge.result, charge.kind, after, charge.inputs, amendment.usage)
    due = after.due
    correction = Correction.objects.create(
        charge=charge,
        reason=reason,
        kind=after.kind if due else "",
        inputs=dict(after.inputs) if due else None,
        result=dict(due.result) if due else None,
        total=due.total if due else Decimal(0),
        payable=due.payable if due else Decimal(0),
        proposed_by_id=by.actor.person,
        proposed_at=by.now,
    )
    _touch(charge)
    trail.record(
        by,
        "charge.correct-propose",
        charge,
        before={"total": charge.total, "payable": charge.payable},
        after={"correction": correction.pk, "total": correction.total, "payable": correction.payable},
        reason=reason,
    )
    if side_that_agrees(charge, by.actor.user_id, correction) == PAYER:
        enqueue([charges.charge_message("correction-proposed", charge)], now=by.now)
    return correction


@transaction.atomic
def correction_refuse(by: By, *, correction_id: UUID, reason: str) -> Correction:
    """Refuse a correction as a second person: the charge stays, and so does a dispute about it."""
    charge, correction = _locked(by, correction_id)
    _require_second(by.actor, charge, correction)
    reason = worded("reason", reason)
    _require_proposed(correction)
    _decide(by, correction, "refused")
    _touch(charge)
    trail.record(by, "charge.correct-refuse", charge, after={"correction": correction.pk}, reason=reason)
    return correction


@transaction.atomic
def correction_withdraw(by: By, *, correction_id: UUID) -> Correction:
    """Withdraw a correction that the actor has proposed."""
    charge, correction = _locked(by, correction_id)
    require(by.actor, "manage-charges", place_of(charge.host))
    if by.actor.user_id != correction.proposed_by_id:
        raise NotPermitted("not-your-proposal")
    _require_proposed(correction)
    _decide(by, correction, "withdrawn")
    _touch(charge)
    trail.record(by, "charge.correct-withdraw", charge, after={"correction": correction.pk})
    return correction


@transaction.atomic
def correction_agree(by: By, *, correction_id: UUID) -> Correction:
    """Agree to a correction as a second person. In one step the charge is reversed, a new one is created,
    which the payer may dispute in turn, and the money of sources and voucher is spent anew. What the voucher
    covers is computed from what it has left at this moment."""
    # The charge itself is locked after the host's books; until then the lock of its reservation, or of its
    # course session, protects it.
    seen, correction = _locked(by, correction_id, with_charge=False)
    _require_second(by.actor, seen, correction)
    _require_proposed(correction)
    _require_in_force(seen)
    due, replacement = charge_replace(seen, correction.kind, correction.inputs, by.now)
    if due is not None:
        correction.inputs, correction.result = dict(due.inputs), dict(due.result)
        correction.payable = due.payable
    recorded = {"correction": correction.pk}
    charge = charge_take_back(by, seen, replacement, reason=correction.reason, recorded=recorded)
    if replacement is not None and charge.reservation is not None:
        _use_as_corrected(by, charge.reservation, correction)
    dispute = Dispute.objects.filter(charge=charge, state="open").first()
    if dispute is not None:
        dispute_end(by, dispute, "upheld", answer=correction.reason)
    correction.replacement = replacement
    _decide(by, correction, "agreed")
    enqueue([charges.charge_message("corrected", replacement or charge)], now=by.now)
    return correction


def reversal_row(
    charge: Charge,
    now: datetime,
    *,
    kind: str,
    amounts: Mapping[str, Decimal] | None = None,
    inputs: Mapping[str, Any] | None = None,
    result: Mapping[str, Any] | None = None,
) -> Charge:
    """Build the charge that reverses another, completely or by `amounts` (below 0). It is final at once; it
    is not stored yet."""
    names = ("tax", "total", "covered", "payable")
    taken = amounts or {name: -getattr(charge, name) for name in names}
    row = Charge(
        reservation_id=charge.reservation_id,
        enrolment_id=charge.enrolment_id,
        kind=kind,
        reverses=charge,
        organisation_id=charge.organisation_id,
        host_id=charge.host_id,
        payer_region_id=charge.payer_region_id,
        host_region=charge.host_region,
        inputs={"charge": str(charge.pk), **(inputs or {})},
        result={**{name: format_amount(taken[name], charge.currency) for name in names}, **(result or {})},
        currency=charge.currency,
        grant_id=charge.grant_id if taken["covered"] else None,
        created_at=now,
        version=0,
        **taken,
    )
    charges.charge_finish(charge=row, state="final", at=now)
    return row


def _cut_at(reservation: Reservation) -> datetime | None:
    return UsageSession.objects.filter(reservation=reservation).values_list("cut_at", flat=True).first()


def charge_take_back(
    by: By, seen: Charge, replacement: Charge | None, *, reason: str, recorded: Mapping[str, Any]
) -> Charge:
    """Reverse a charge, with what rebooking reduced of it, and store the one that takes its place, if there
    is one. `seen` has the rows around it; `recorded` says in the trail why. The host's books are locked here;
    return the charge as it is then. Call `charge_replace` before."""
    lock_host_books(seen.host_id)
    charge = charge_with(lock_charge(seen.pk), seen, seen.reservation)
    places = charge.reservation.places() if charge.reservation else charge.places()
    was = {"state": charge.state, "total": charge.total}
    melted = melting_of(charge.pk)
    for taken_back in [charge, *([melted] if melted else [])]:
        charges.charge_finish(charge=taken_back, state="reversed", at=by.now)
        taken_back.save(update_fields=charges.FINISHED)
        reversal = reversal_row(taken_back, by.now, kind="reversal")
        charges.charge_store(by, charge=reversal, places=places)
        if taken_back is melted:
            trail.record(
                by,
                "charge.reverse",
                melted,
                before={"state": "final"},
                after={"state": "reversed", "month": melted.month, **recorded},
                reason=reason,
            )
    if replacement is not None:
        charges.charge_store(by, charge=replacement, places=places)
    trail.record(
        by,
        "charge.reverse",
        charge,
        before=was,
        after={
            "state": "reversed",
            "month": charge.month,
            **recorded,
            "replacement": replacement.pk if replacement else None,
        },
        reason=reason,
    )
    return charge


def charge_replace(
    charge: Charge, kind: str, inputs: Mapping[str, Any] | None, now: datetime
) -> tuple[ChargeMade | None, Charge | None]:
    """Return the amounts computed from the inputs and the charge that takes the place of another, which is
    not stored yet; two times None if nothing is owed any more. For a reservation, what is owed now is spent
    in place of what was owed before; no voucher pays for a course."""
    if charge.reservation is not None:
        return _respent(charge.reservation, charge, kind, inputs, now)
    due = None if inputs is None else corrections.charged_again(kind, inputs)
    earmarks_respend(
        subject=charge.place,
        covered=Decimal(0),
        payable=due.payable if due else Decimal(0),
        currency=charge.currency,
    )
    if due is None:
        return None, None
    of = {name: getattr(charge, name) for name in charges.PARTIES}
    return due, charges.open_charge(due, now, enrolment=charge.enrolment, **of)


def _respent(
    reservation: Reservation, charge: Charge, kind: str, inputs: Mapping[str, Any] | None, now: datetime
) -> tuple[ChargeMade | None, Charge | None]:
    kept = VoucherGrant.objects.filter(earmarks__reservation=reservation).order_by("pk")
    list(locked(VoucherGrant.objects.filter(pk__in=kept.values("pk")).order_by("pk")))
    due = None
    if inputs is not None:
        inputs = corrections.with_grants(kind, inputs, grants_after(charge, inputs))
        due = corrections.charged_again(kind, inputs)
    grant_id = earmarks_respend(
        subject=reservation,
        covered=due.covered if due else Decimal(0),
        payable=due.payable if due else Decimal(0),
        currency=charge.currency,
    )
    if due is None:
        return None, None
    return due, charges.charge_row(reservation=reservation, due=due, grant_id=grant_id, now=now)


def _use_as_corrected(by: By, reservation: Reservation, correction: Correction) -> None:
    """Record the times of use that the correction sets, if any."""
    usage = corrections.usage_of(correction.inputs or {})
    if usage is not None:
        session_set(by, reservation=reservation, usage=usage, reason=correction.reason)


def _locked(by: By, correction_id: UUID, *, with_charge: bool = True) -> tuple[Charge, Correction]:
    """Return a correction and its charge with what it is for, locked; without `with_charge` the charge itself
    is not locked."""
    found = correction_by_id(by.actor, correction_id)
    if with_charge:
        charge = charge_locked(replace(by, version=None), found.charge_id)
    else:
        seen = charge_by_id(by.actor, found.charge_id)
        reservation = subject_locked(seen)
        charge = charge_with(Charge.objects.select_related("grant").get(pk=seen.pk), seen, reservation)
    correction = Correction.objects.get(pk=correction_id)
    by.require_version(correction.version)
    return charge, correction


def _require_second(actor: Actor, charge: Charge, correction: Correction) -> None:
    if agrees(actor, charge, correction):
        return
    if actor.user_id == correction.proposed_by_id:
        side = side_that_agrees(charge, actor.user_id, correction)
        raise (None if side else no_second_of_host(actor, charge)) or NotPermitted("own-correction")
    of_payer = actor.may("manage-charges", place_of(charge.organisation))
    if of_payer and changes_voucher(charge, correction) and actor.user_id not in charge.people:
        raise NotPermitted("voucher-by-host")
    require_host(actor, charge)
    raise NotPermitted


def _require_in_force(charge: Charge) -> None:
    if charge.kind not in ORIGINAL or charge.state == "reversed":
        state = "reversed" if charge.state == "reversed" else charge.kind
        raise WrongState(state=state, wanted="reversed")


def _require_proposed(correction: Correction) -> None:
    if correction.state != "proposed":
        raise WrongState(state=correction.state, wanted="proposed")


def _decide(by: By, correction: Correction, state: str) -> None:
    correction.state = state
    correction.decided_by_id, correction.decided_at = by.actor.person, by.now
    correction.version += 1
    correction.save()


def _touch(charge: Charge) -> None:
    charge.version += 1
    charge.save(update_fields=["version"])
