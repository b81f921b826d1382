"""Locks of programmes and their grants."""

from uuid import UUID

from accounts.domain.errors import NotFound
from bookings.pricing.models import VoucherGrant, VoucherProgramme
from bookings.record.locks import locked


def lock_programme(programme_id: UUID) -> VoucherProgramme | None:
    """Before its grants, by whoever makes or changes one: its budget is shared out by one at a
    time."""
    return (
        VoucherProgramme.objects.select_for_update(of=("self",), no_key=True)
        .select_related("region")
        .filter(pk=programme_id)
        .first()
    )


def lock_grant(grant_id: UUID) -> tuple[VoucherProgramme, VoucherGrant]:
    """A grant after its programme, both locked. `NotFound` if there is none."""
    programme_id = (
        VoucherGrant.objects.filter(pk=grant_id).values_list("programme_id", flat=True).first()
    )
    programme = lock_programme(programme_id) if programme_id else None
    if programme is None:
        raise NotFound
    (grant,) = locked(
        VoucherGrant.objects.filter(pk=grant_id).select_related("organisation__region")
    )
    return programme, grant
