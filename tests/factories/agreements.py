"""Agreements, programmes and grants, made through the services."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from accounts.domain.roles import By
from bookings.funding.domain.programmes import ProgrammeTerms
from bookings.funding.services.grants import grant_create
from bookings.funding.services.programmes import programme_create
from bookings.models import Agreement, VoucherGrant, VoucherProgramme
from bookings.pricing.domain.agreements import AgreementTerms
from bookings.pricing.services.agreements import agreement_propose, agreement_sign
from tests.factories.cast import Cast
from tests.factories.moments import NOW

D = Decimal


def terms(cast: Cast, **changes: Any) -> AgreementTerms:
    """Anhui and Shanghai, for the year: 10 %, vouchers honoured."""
    values: dict[str, Any] = {
        "code": "ah-sh",
        "name": "Anhui and Shanghai",
        "name_zh": "皖沪协议",
        "regions": (cast.anhui.pk, cast.shanghai.pk),
        "valid_from": date(2026, 1, 1),
        "valid_until": date(2027, 1, 1),
        "discount_percent": D(10),
        "honours_vouchers": True,
    }
    return AgreementTerms(**values | changes)


def propose(cast: Cast, *, now: datetime = NOW, **changes: Any) -> Agreement:
    """By the coordinator of Anhui."""
    return agreement_propose(By(cast.actor("coordinator"), now), terms=terms(cast, **changes))


def agree(cast: Cast, *, now: datetime = NOW, **changes: Any) -> Agreement:
    """Signed by both."""
    made = propose(cast, now=now, **changes)
    agreement_sign(By(cast.actor("coordinator"), now), agreement_id=made.pk)
    return agreement_sign(By(cast.actor("xu"), now), agreement_id=made.pk)


def programme_terms(**changes: Any) -> ProgrammeTerms:
    """Half of each booking, in yuan, from the beginning of 2026 on."""
    values: dict[str, Any] = {
        "code": "sh-vouchers",
        "name": "Shanghai innovation vouchers",
        "name_zh": "上海科技创新券",
        "percent": D(50),
        "currency": "CNY",
        "valid_from": date(2026, 1, 1),
        "valid_until": None,
    }
    return ProgrammeTerms(**values | changes)


def programme(cast: Cast, *, now: datetime = NOW, **changes: Any) -> VoucherProgramme:
    """Of Shanghai, by its coordinator."""
    return programme_create(By(cast.actor("xu"), now), region=cast.shanghai, terms=programme_terms(**changes))


def grant(
    cast: Cast, of: VoucherProgramme, amount: str = "1000", *, now: datetime = NOW, **changes: Any
) -> VoucherGrant:
    """To Fudan, for the year."""
    values: dict[str, Any] = {
        "organisation": cast.fudan,
        "amount": D(amount),
        "valid_from": date(2026, 1, 1),
        "valid_until": date(2027, 1, 1),
    }
    return grant_create(By(cast.actor("xu"), now), programme_id=of.pk, **values | changes)
