"""Read whom hosts block at present."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q

from accounts.domain.roles import Actor
from accounts.letters.words import named
from accounts.models import Organisation
from accounts.prepared import Prepared
from instruments.reading.domain.clock import local_date
from instruments.register.models import HostBlock, Instrument


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
    return block_at(instrument.organisation_id, {instrument.facility_id}, user_id, payer_id, now)


def block_at(
    host_id: UUID, facilities: Iterable[UUID], user_id: UUID, payer_id: UUID | None, now: datetime
) -> HostBlock | None:
    """Return the block, of the person or else of the payer, at a host or at one of some facilities of it;
    None if there is none. One statement."""
    here = Q(facility=None) | Q(facility_id__in=list(facilities))
    them = Q(user_id=user_id) | Q(organisation_id=payer_id, organisation__isnull=False)
    rows = HostBlock.objects.filter(here, them, host_id=host_id, lifted_at=None)
    rows = rows.select_related("host__region", "organisation").order_by("organisation", "-last_day")
    found: Iterable[HostBlock] = sorted(rows, key=lambda row: row.organisation_id is not None)
    return next((row for row in found if is_in_force(row, now)), None)


def load_blocks(
    actor: Actor, instruments: Iterable[Instrument], payer_id: UUID | None, now: datetime
) -> dict[UUID, HostBlock]:
    """Return, by instrument, the block of the actor or the payer that keeps the actor from booking it. One
    statement; none for visitors."""
    if actor.user_id is None:
        return {}
    managed = actor.organisations_where("manage-instruments")
    listed = [each for each in instruments if each.organisation_id not in managed]
    hosts = list({each.organisation_id for each in listed})
    asked = {"payer_id": payer_id} if payer_id else {}
    rows = _BLOCKS.rows(payer_id is not None, user_id=actor.user_id, hosts=hosts, **asked)
    in_force = [row for row in rows if is_in_force(row, now)]
    return {
        each.pk: row
        for each in listed
        for row in in_force
        if row.host_id == each.organisation_id and row.facility_id in (None, each.facility_id)
    }


_BLOCKS = Prepared(
    lambda has_payer, user_id, hosts, payer_id=None: (
        HostBlock.objects.filter(
            Q(user_id=user_id) | Q(organisation_id=payer_id) if has_payer else Q(user_id=user_id),
            host_id__one_of=hosts,
            lifted_at=None,
        )
        .select_related("host__region")
        .order_by("last_day", "pk")
    )
)


def numbers_of(block: HostBlock, actor: Actor) -> dict[str, Any]:
    """Return what the refusal `blocked` says: the host and the last day, and the reason and the address for
    objections unless they are another person's affair."""
    numbers = {"host": named(block.host), "until": block.last_day.isoformat()}
    if block.organisation is None and block.user_id != actor.user_id:
        return numbers | {"why": "another"}
    numbers |= {"reason": block.reason.rstrip(" .。"), "contact": block.contact}
    if block.organisation is not None:
        numbers |= {"why": "payer", "payer": named(block.organisation)}
    return numbers
