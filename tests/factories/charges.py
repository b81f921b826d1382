"""Bookings that were used, cancelled or missed, and what they cost."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from accounts.domain.roles import By
from bookings.charging.services.charges import charge_make
from bookings.models import Agreement, AgreementMember, Charge, Reservation, VoucherGrant, VoucherProgramme
from bookings.reserving.services.reservations import reservation_cancel
from bookings.usage.services.usage import reservation_check_in, reservation_check_out
from tests.factories.cast import NOW, Cast, at, reserve

BY_USE = {"charge_basis": "used"}


def use(
    cast: Cast, start: str, end: str, *, who: str = "wang", used: tuple[str, str] | None = None, **values: Any
) -> Charge:
    """The charge of a booking that was used, from its start to its end unless `used` says when."""
    made = reserve(cast, start, end, who=who, now=at(start) - timedelta(days=1), **values)
    check_in, check_out = (at(moment) for moment in used or (start, end))
    actor = cast.actor(who)
    reservation_check_in(By(actor, check_in), reservation_id=made.pk)
    reservation_check_out(By(actor, check_out), reservation_id=made.pk)
    return due(made, check_out)


def cancel(cast: Cast, start: str, end: str, when: str, *, who: str = "wang", **values: Any) -> Charge:
    """The charge of a booking that was cancelled late."""
    made = reserve(cast, start, end, who=who, **{"now": NOW, **values})
    reservation_cancel(By(cast.actor(who), at(when)), reservation_id=made.pk, reason="changed")
    return due(made, at(when))


def due(reservation: Reservation, now: datetime) -> Charge:
    charge = charge_make(reservation_id=reservation.pk, now=now)
    assert charge is not None
    return charge


def grant(cast: Cast, amount: str = "1000", percent: str = "30", **values: Any) -> VoucherGrant:
    """Of Fudan, good anywhere in USTC's region while an agreement honours it."""
    programme = VoucherProgramme.objects.create(
        region=cast.shanghai,
        code="sh-voucher",
        name="Voucher",
        percent=Decimal(percent),
        currency="CNY",
        valid_from=NOW.date() - timedelta(days=60),
        created_by=cast.xu,
        created_at=NOW,
    )
    return VoucherGrant.objects.create(
        programme=programme,
        organisation=cast.fudan,
        code="v-1",
        amount=Decimal(amount),
        valid_from=NOW.date() - timedelta(days=60),
        valid_until=NOW.date() + timedelta(days=300),
        granted_by=cast.xu,
        granted_at=NOW,
        **values,
    )


def agreement(cast: Cast, discount: str = "10") -> None:
    """Between Anhui and Shanghai, vouchers honoured."""
    made = Agreement.objects.create(
        code="yangtze",
        name="Yangtze",
        valid_from=NOW.date() - timedelta(days=60),
        discount_percent=Decimal(discount),
        honours_vouchers=True,
        proposed_by=cast.xu,
        proposed_at=NOW,
        signed_at=NOW,
    )
    for region, who in ((cast.anhui, cast.coordinator), (cast.shanghai, cast.xu)):
        AgreementMember.objects.create(agreement=made, region=region, signed_by=who, signed_at=NOW)
