"""Locks of charges and of a host's books."""

from uuid import UUID

from accounts.domain.jobs import Busy
from accounts.models import Organisation
from bookings.pricing.models import Charge


def lock_host_books(host_id: UUID) -> Organisation:
    """Lock a host's books, which covers charges that become final and the drawing up or voiding of its
    statements. It is taken after instruments, reservations, sources and grants; several hosts in the order of
    their ids."""
    return (
        Organisation.objects.select_for_update(of=("self",), no_key=True)
        .select_related("region")
        .get(pk=host_id)
    )


def claim_host_books(host_id: UUID) -> None:
    """Lock the books of a host for a job, without waiting; raise `Busy` if another transaction has them."""
    free = Organisation.objects.filter(pk=host_id).order_by("pk")
    if not free.select_for_update(no_key=True, skip_locked=True).values_list("pk"):
        raise Busy


def lock_charge(charge_id: UUID) -> Charge:
    """Lock a charge and return it with its regions. If the host's books are needed too, they must be locked
    before."""
    rows = Charge.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("host_region", "payer_region").get(pk=charge_id)
