"""Read whom hosts block."""

from collections.abc import Iterable
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet

from accounts.domain.roles import MANAGER, Actor
from accounts.models import Organisation
from accounts.selectors.memberships import holders_of
from instruments.reading.domain.clock import local_date
from instruments.register.models import Facility, HostBlock, Instrument

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


def is_in_force(block: HostBlock, now: datetime) -> bool:
    """Return whether a block (loaded with its host's region) was not lifted and its last day is not over."""
    return block.lifted_at is None and block.last_day >= today_at(block.host, now)


def today_at(host: Organisation, now: datetime) -> date:
    """Return the day at a host, in the zone of its region."""
    return local_date(ZoneInfo(host.region.time_zone), now)


def block_of(instrument: Instrument, user_id: UUID, payer_id: UUID | None, now: datetime) -> HostBlock | None:
    """Return the block, of the person or else of the payer, that keeps them from booking an instrument; None
    if there is none. The instrument comes from its lock. It takes one statement, or none at a host that
    blocks nobody."""
    if not getattr(instrument, "has_blocks", True):
        return None
    here = Q(facility=None) | Q(facility_id=instrument.facility_id)
    them = Q(user_id=user_id) | Q(organisation_id=payer_id, organisation__isnull=False)
    rows = HostBlock.objects.filter(here, them, host_id=instrument.organisation_id, lifted_at=None)
    rows = rows.select_related("host__region", "organisation").order_by("organisation", "-last_day")
    found: Iterable[HostBlock] = sorted(rows, key=lambda row: row.organisation_id is not None)
    return next((row for row in found if is_in_force(row, now)), None)
