"""The lock of a purchase case, taken after those of instruments, and before those of money and people."""

from uuid import UUID

from bookings.reviews.models import PurchaseCase


def lock_case(case_id: UUID) -> PurchaseCase:
    """Lock an existing case and read it again."""
    return (
        PurchaseCase.objects.select_for_update(of=("self",), no_key=True)
        .select_related("organisation__region", "user", "scheme")
        .get(pk=case_id)
    )
