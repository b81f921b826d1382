"""Locks of programmes and their grants, and of the defaults of an organisation."""

from uuid import UUID

from django.db.models import QuerySet

from accounts.models import Organisation
from accounts.selectors.rows import visible
from bookings.pricing.models import VoucherGrant, VoucherProgramme
from bookings.record.locks import locked


def lock_programme(seen: QuerySet[VoucherProgramme], programme_id: UUID) -> VoucherProgramme:
    """Lock one of the programmes that the actor sees, before any of its grants, so that only one transaction
    at a time shares out its budget. Raise `NotFound` if it is not among them."""
    return visible(locked(seen), pk=programme_id)


def lock_grant(seen: QuerySet[VoucherGrant], grant_id: UUID) -> tuple[VoucherProgramme, VoucherGrant]:
    """Lock one of the grants that the actor sees, after its programme. Raise `NotFound` if it is not among
    them."""
    programme_id = visible(seen, pk=grant_id).programme_id
    (programme,) = locked(VoucherProgramme.objects.filter(pk=programme_id).select_related("region"))
    (grant,) = locked(VoucherGrant.objects.filter(pk=grant_id).select_related("organisation__region"))
    return programme, grant


def lock_defaults(organisation_id: UUID) -> None:
    """Lock the default sources of an organisation's people, after the source that is given: two sources that
    are given to somebody at once would pay twice as much as everything."""
    Organisation.objects.select_for_update(of=("self",), no_key=True).get(pk=organisation_id)
