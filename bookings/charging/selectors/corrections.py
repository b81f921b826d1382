"""Load what a correction is computed from."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.db.models import Q

from accounts.domain.errors import Refused
from accounts.domain.roles import Actor
from accounts.selectors.memberships import no_second
from accounts.selectors.rows import visible
from bookings.pricing.domain.quotes import input_from_json
from bookings.pricing.domain.vouchers import GrantValues
from bookings.pricing.models import Charge, Correction, VoucherGrant
from bookings.pricing.selectors.charges import charges_for
from bookings.record.models import Reservation


def correction_by_id(actor: Actor, correction_id: UUID) -> Correction:
    """Return a correction of a charge that the actor may see; raise `NotFound` otherwise."""
    seen = charges_for(actor).order_by().values("pk")
    return visible(Correction.objects.select_related("charge"), pk=correction_id, charge__in=seen)


def grants_after(charge: Charge, inputs: Mapping[str, Any]) -> tuple[GrantValues, ...]:
    """Return the voucher that the reservation was booked with, on the terms in the inputs, with what it has
    left once the charge is reversed. Lock the grant before if the result must stay true."""
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


def no_second_of_host(actor: Actor, reservation: Reservation) -> Refused | None:
    """Return a refusal if nobody but the actor could answer for a charge as manager or finance of the host,
    not counting the person whose booking it is; otherwise None."""
    people = [actor.user_id, reservation.user_id, reservation.made_by_id]
    return no_second("manage-charges", organisation=reservation.host, besides=people)
