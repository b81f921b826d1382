"""Voucher grants of a payer, as the fee rules need them."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from accounts.models import Organisation
from accounts.prepared import Prepared
from bookings.pricing.domain.vouchers import GrantOffer, serves_kind
from bookings.pricing.models import VoucherGrant, VoucherProgramme
from bookings.record.locks import locked


def load_grants(payers: Iterable[Organisation], *, lock: bool = False) -> dict[UUID, list[GrantOffer]]:
    """Return the grants of some payers that have money left, by the payer's id. One statement.

    `lock`: lock them, for a caller that will reserve money; in the order of their ids, after all other locks.
    """
    kinds = {payer.pk: payer for payer in payers}
    offers: dict[UUID, list[GrantOffer]] = {payer_id: [] for payer_id in kinds}
    if not kinds:
        return offers
    for row in _GRANTS.rows(lock, payers=sorted(kinds)):
        offers[row.organisation_id].append(load_grant(row, kinds[row.organisation_id]))
    return offers


def _grants(lock: bool, *, payers: Any) -> QuerySet[VoucherGrant]:
    rows = VoucherGrant.objects.filter(organisation_id__one_of=payers).select_related("programme")
    return (locked(rows) if lock else rows).order_by("pk")


_GRANTS = Prepared(_grants)


def load_grant(row: VoucherGrant, payer: Organisation) -> GrantOffer:
    """Return a voucher grant as a value; its programme is loaded with it."""
    programme = row.programme
    ends = [day for day in (row.valid_until, programme.valid_until) if day is not None]
    return GrantOffer(
        id=row.pk,
        code=row.code,
        percent=programme.percent,
        cap_per_booking=programme.cap_per_booking,
        currency=programme.currency,
        remaining=row.left,
        valid_from=max(row.valid_from, programme.valid_from),
        valid_until=min(ends) if ends else None,
        host_regions=frozenset(programme.host_regions),
        region=programme.region_id,
        is_open=row.suspended_at is None
        and programme.suspended_at is None
        and serves_kind(
            programme.payer_kinds, programme.is_for_small_only, kind=payer.kind, is_small=payer.is_small
        ),
        name=programme.name,
        name_zh=programme.name_zh,
    )


def programmes_of(codes: Iterable[str]) -> dict[str, VoucherProgramme]:
    """Return the programmes of the grants with these codes, by code. A grant that was continued by another
    keeps its code. One statement."""
    rows = VoucherGrant.objects.filter(code__in=set(codes)).select_related("programme")
    return {row.code: row.programme for row in rows}
