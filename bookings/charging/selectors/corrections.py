"""Load what a correction is computed from."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.db.models import Q

from accounts.domain.errors import Refused
from accounts.domain.roles import Actor
from accounts.selectors.memberships import no_second, place_of
from accounts.selectors.rows import visible
from bookings.pricing.domain.quotes import input_from_json
from bookings.pricing.domain.vouchers import GrantValues
from bookings.pricing.models import Charge, Correction, VoucherGrant
from bookings.pricing.selectors.charges import charges_for


def correction_by_id(actor: Actor, correction_id: UUID) -> Correction:
    """Return a correction of a charge that the actor may see; raise `NotFound` otherwise."""
    seen = charges_for(actor).order_by().values("pk")
    return visible(Correction.objects.select_related("charge"), pk=correction_id, charge__in=seen)


def grants_after(charge: Charge, inputs: Mapping[str, Any]) -> tuple[GrantValues, ...]:
    """Return the voucher that the reservation was booked with, on the terms in the inputs, with what it has
    left once the charge is reversed; none for a course. Lock the grant before if the result must stay
    true."""
    if charge.reservation_id is None:
        return ()
    used = Q(earmarks__reservation_id=charge.reservation_id) | Q(pk=charge.grant_id)
    left = {
        code: grant.left + (charge.covered if grant.pk == charge.grant_id else 0)
        for grant in VoucherGrant.objects.filter(used)
        for code in (grant.code, *grant.former_codes)
    }
    quoted = input_from_json(inputs.get("quote", inputs))
    return tuple(replace(grant, remaining=left[grant.code]) for grant in quoted.grants if grant.code in left)[
        :1
    ]


HOST, PAYER, NOBODY = "host", "payer", ""


def side_that_agrees(charge: Charge, proposer_id: UUID | None, correction: Correction | None = None) -> str:
    """Return who agrees to a correction that a person of the host proposes: another manager or finance person
    of the `host` whose own booking or course it is not; where there is none, a manager or finance person of
    the `payer` other than the proposer; empty if there is nobody either. What a voucher covers is the money
    of others, so that the payer does not agree to a `correction` that changes it. Two statements at most."""
    besides = [proposer_id, *charge.people]
    if no_second("manage-charges", organisation=charge.host, besides=besides) is None:
        return HOST
    if correction is not None and changes_voucher(charge, correction):
        return NOBODY
    alone = no_second("manage-charges", organisation=charge.organisation, besides=[proposer_id])
    return NOBODY if alone else PAYER


def changes_voucher(charge: Charge, correction: Correction) -> bool:
    """Say whether a voucher would pay more or less of a charge once it is corrected."""
    return bool(correction.total - correction.payable != charge.covered)


def agrees(actor: Actor, charge: Charge, correction: Correction) -> bool:
    """Say whether an actor may agree to a correction, or refuse it (`side_that_agrees`)."""
    if actor.user_id == correction.proposed_by_id:
        return False
    side = side_that_agrees(charge, correction.proposed_by_id, correction)
    if side == PAYER:
        return actor.may("manage-charges", place_of(charge.organisation))
    is_own = actor.user_id in charge.people
    return side == HOST and not is_own and actor.may("manage-charges", place_of(charge.host))


def no_second_of_host(actor: Actor, charge: Charge) -> Refused | None:
    """Return a refusal if nobody but the actor could answer for a charge as manager or finance of the host,
    not counting the people whose booking or course it is; otherwise None."""
    people = [actor.user_id, *charge.people]
    return no_second("manage-charges", organisation=charge.host, besides=people)
