"""The lock of a purchase case: after those of instruments, before those of money and people."""

from uuid import UUID

from bookings.reviews.models import PurchaseCase


def lock_case(case_id: UUID) -> PurchaseCase:
    """Lock a case, which is there, and read it anew."""
    return (
        PurchaseCase.objects.select_for_update(of=("self",), no_key=True)
        .select_related("organisation__region", "user", "scheme")
        .get(pk=case_id)
    )
