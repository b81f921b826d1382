"""Read the blocks that people may see."""

from django.db.models import Q, QuerySet

from accounts.domain.roles import MANAGER, Actor
from accounts.models import Organisation
from accounts.selectors.memberships import holders_of
from instruments.register.models import Facility, HostBlock

WITH = ("host__region", "facility", "user", "organisation", "made_by", "lifted_by")


def blocks_for(actor: Actor) -> QuerySet[HostBlock]:
    """Return the blocks that the actor may see, the newest first: those of hosts that they manage, those of
    themselves, and those of organisations that they manage."""
    managed = actor.organisations_where("manage-instruments")
    seen = Q(host__in=managed) | Q(user_id=actor.person) | Q(organisation__in=managed)
    return HostBlock.objects.filter(seen).select_related(*WITH).order_by("-made_at", "-id")


def blocks_made(actor: Actor) -> QuerySet[HostBlock]:
    """Return the blocks of hosts that the actor manages, the newest first."""
    return blocks_for(actor).filter(host__in=actor.organisations_where("manage-instruments"))


def contacts_of(host: Organisation, facility: Facility | None) -> set[str]:
    """Return the mail addresses, in small letters, to which those blocked at a host may be told to object:
    those of its active managers, and of the facility or else of all its facilities. Two statements."""
    sites = Facility.objects.filter(organisation=host, **({"pk": facility.pk} if facility else {}))
    found = [
        *holders_of(MANAGER, host.pk).values_list("email", flat=True),
        *sites.exclude(contact_email="").values_list("contact_email", flat=True),
    ]
    return {address.lower() for address in found}
