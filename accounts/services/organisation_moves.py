"""Decide that an organisation moves to another region from a given day on, or withdraw that decision."""

from datetime import date, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction

from accounts import trail
from accounts.domain.errors import NotFound, WrongState, invalid
from accounts.domain.roles import By, Place
from accounts.models import Organisation, OrganisationMove, Region
from accounts.notifications import Effect, enqueue
from accounts.permissions import require
from accounts.selectors.memberships import place_of
from accounts.selectors.organisations import require_open
from accounts.selectors.rows import visible

CAPABILITY = "manage-organisations"
LONGEST_AHEAD = timedelta(days=731)


@transaction.atomic
def move_decide(by: By, *, organisation_id: UUID, region: Region, starts_on: date) -> OrganisationMove:
    """Decide that the organisation belongs to `region` from the day `starts_on`, today or later in that
    region's zone. A job carries it out on that day; bookings already made keep their regions.

    Raise `NotPermitted` unless the actor manages organisations in both regions; `WrongState` for a closed
    organisation or region and while another move is ahead (`move-ahead`); `Invalid` for the present region
    (`same-region`), a region that does not share, and a day that is past, more than two years away, or not
    after the last move (`before-last-move`).
    """
    row = organisation_locked(organisation_id)
    require(by.actor, CAPABILITY, place_of(row))
    require(by.actor, CAPABILITY, Place(None, frozenset(region.lineage)))
    by.require_version(row.version)
    require_open(row)
    region = Region.objects.select_for_update(no_key=True).get(pk=region.pk)  # or it closes now
    if region.closed_at is not None:
        raise WrongState("region-closed", region=region.code)
    if not region.shares:
        raise invalid("region", "region-does-not-share")
    if region.pk == row.region_id:
        raise invalid("region", "same-region")
    standing = row.moves.filter(withdrawn_at=None).order_by("-starts_on")
    if standing.filter(carried_out_at=None).exists():
        raise WrongState("move-ahead")
    today = by.now.astimezone(ZoneInfo(region.time_zone)).date()
    if starts_on < today:
        raise invalid("starts_on", "in-the-past")
    if starts_on > today + LONGEST_AHEAD:
        raise invalid("starts_on", "too-far-away")
    last = standing.first()
    if last is not None and starts_on <= last.starts_on:
        raise invalid("starts_on", "before-last-move", day=last.starts_on.isoformat())
    move = OrganisationMove.objects.create(
        organisation=row,
        from_region_id=row.region_id,
        region=region,
        starts_on=starts_on,
        decided_by_id=by.actor.person,
        decided_at=by.now,
    )
    row.has_moves = True
    row.version += 1
    row.save(update_fields=["has_moves", "version"])
    move_record(by, "organisation.move", move)
    payload = {"move": str(move.pk)}
    enqueue([Effect("people.moves", f"people.moves.{move.pk}", payload)], now=by.now)
    return move


@transaction.atomic
def move_withdraw(by: By, *, organisation_id: UUID, move_id: UUID) -> OrganisationMove:
    """Withdraw a move that has not been carried out; whoever may decide it may do this. Bookings made for
    days after it keep the regions they were made with."""
    row = organisation_locked(organisation_id)
    move = visible(row.moves.select_related("from_region", "region"), pk=move_id)
    require(by.actor, CAPABILITY, place_of(row))
    require(by.actor, CAPABILITY, Place(None, frozenset(move.region.lineage)))
    by.require_version(row.version)
    if move.withdrawn_at is not None:
        raise WrongState(state="withdrawn", wanted="withdrawn")
    if move.carried_out_at is not None:
        raise WrongState(state="carried-out", wanted="withdrawn")
    move.withdrawn_at = by.now
    move.save(update_fields=["withdrawn_at"])
    row.has_moves = row.moves.filter(withdrawn_at=None).exists()
    row.version += 1
    row.save(update_fields=["has_moves", "version"])
    move_record(by, "organisation.move-withdraw", move)
    return move


def organisation_locked(organisation_id: UUID) -> Organisation:
    """Return an organisation with its region and its row locked; `NotFound` if there is none."""
    rows = Organisation.objects.select_for_update(of=("self",), no_key=True)
    row = rows.select_related("region").filter(pk=organisation_id).first()
    if row is None:
        raise NotFound(organisation=str(organisation_id))
    return row


def move_record(by: By, action: str, move: OrganisationMove) -> None:
    """Record an act on a move in the trail of both regions."""
    trail.record(
        by,
        action,
        move.organisation,
        before={"region": move.from_region_id},
        after={"move": move.pk, "region": move.region_id, "starts_on": move.starts_on},
        places=([move.organisation_id], [*move.from_region.lineage, *move.region.lineage]),
    )
