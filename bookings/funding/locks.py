"""Locks of programmes and their grants."""

from uuid import UUID

from accounts.selectors.rows import visible
from bookings.pricing.models import VoucherGrant, VoucherProgramme
from bookings.record.locks import locked


def lock_programme(programme_id: UUID) -> VoucherProgramme:
    """Lock a programme before its grants, to make or change one: its budget is shared out by one
    at a time. `NotFound` if there is none."""
    rows = VoucherProgramme.objects.select_for_update(of=("self",), no_key=True)
    return visible(rows.select_related("region"), pk=programme_id)


def lock_grant(grant_id: UUID) -> tuple[VoucherProgramme, VoucherGrant]:
    """Lock a grant after its programme. `NotFound` if there is none."""
    programme_id = visible(VoucherGrant.objects.only("programme_id"), pk=grant_id).programme_id
    programme = lock_programme(programme_id)
    (grant,) = locked(
        VoucherGrant.objects.filter(pk=grant_id).select_related("organisation__region")
    )
    return programme, grant
