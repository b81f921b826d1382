"""Agreements in force between a payer's region and those of the hosts."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from django.db.models import Q

from bookings.domain.agreements import AgreementValues
from bookings.models import Agreement, AgreementMember

Agreements = Mapping[UUID, tuple[AgreementValues, ...]]


def load_agreements(region_id: UUID, others: Iterable[UUID] | None = None) -> Agreements:
    """By region: the agreements, past and to come, that a region has signed together with it;
    only those with `others`, if given. One statement."""
    mine = AgreementMember.objects.filter(region_id=region_id, agreement__signed_at__isnull=False)
    partners = AgreementMember.objects.filter(
        ~Q(region_id=region_id), agreement__in=mine.values("agreement")
    ).select_related("agreement")
    if others is not None:
        partners = partners.filter(region_id__in=list(others))
    found: dict[UUID, list[AgreementValues]] = {}
    for member in partners:
        found.setdefault(member.region_id, []).append(load_agreement(member.agreement))
    return {region: tuple(agreements) for region, agreements in found.items()}


def load_agreement(row: Agreement) -> AgreementValues:
    """The row as a value."""
    return AgreementValues(
        id=row.pk,
        code=row.code,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        discount_percent=row.discount_percent,
        honours_vouchers=row.honours_vouchers,
        recognises_qualifications=row.recognises_qualifications,
    )
