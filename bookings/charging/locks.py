"""Locks of charges and of a host's books."""

from uuid import UUID

from accounts.domain.jobs import Busy
from accounts.models import Organisation
from bookings.pricing.models import Charge


def lock_host_books(host_id: UUID) -> Organisation:
    """Lock what decides a host's month: charges that become final, and drawing up or voiding
    its statements. After instruments, reservations, sources and grants; several
    hosts in the order of their ids."""
    return (
        Organisation.objects.select_for_update(of=("self",), no_key=True)
        .select_related("region")
        .get(pk=host_id)
    )


def claim_host_books(host_id: UUID) -> None:
    """Lock the books of a host for a job, without waiting; `Busy` while another has them."""
    free = Organisation.objects.filter(pk=host_id).order_by("pk")
    if not free.select_for_update(no_key=True, skip_locked=True).values_list("pk"):
        raise Busy


def lock_charge(charge_id: UUID) -> Charge:
    """Lock a charge, after the host's books where both are needed; with its regions."""
    rows = Charge.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("host_region", "payer_region").get(pk=charge_id)
