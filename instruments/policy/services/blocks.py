"""Block people and organisations at a host, and lift blocks."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Q

from accounts import trail
from accounts.domain.errors import NotPermitted, WrongState, invalid
from accounts.domain.roles import By
from accounts.models import Organisation, User
from accounts.models.keys import new_id
from accounts.notifications import Effect, enqueue
from accounts.permissions import require
from accounts.selectors.memberships import acts_for, place_of
from accounts.selectors.rows import visible
from accounts.services.memberships import checked_reason
from instruments.policy.domain.blocks import DAY, MOST_A_DAY, BlockTerms, checked_terms
from instruments.policy.selectors.blocks import blocks_for, contacts_of
from instruments.register.models import Facility, HostBlock
from instruments.register.selectors.blocks import is_in_force, today_at


@transaction.atomic
def block_make(
    by: By,
    *,
    host: Organisation,
    terms: BlockTerms,
    user: User | None = None,
    organisation: Organisation | None = None,
    facility: Facility | None = None,
) -> HostBlock:
    """Take no new bookings of a person, or at the cost of an organisation, at a host or one of its facilities
    until a day, as a manager of the host. Bookings that are made already stay: the host decides on them. The
    person, or the managers of the organisation, are told.

    Raise `NotPermitted` for others, and (`own-block`) for oneself; `Invalid` if a value is wrong, such as an
    address that is neither a manager's nor the facility's; `WrongState` (`already-blocked`) if the same block
    is in force, and (`too-many-blocks-today`) after `MOST_A_DAY`.
    """
    require(by.actor, "manage-instruments", place_of(host))
    if (user is None) == (organisation is None):
        raise invalid("user", "person-or-organisation")
    if user is not None and user.pk == by.actor.user_id:
        raise NotPermitted("own-block")
    if organisation is not None and organisation.pk == host.pk:
        raise invalid("organisation", "own-block")
    if facility is not None and facility.organisation_id != host.pk:
        raise invalid("facility", "unknown-value")
    terms = checked_terms(terms, today_at(host, by.now))
    try:
        validate_email(terms.contact)
    except ValidationError:
        raise invalid("contact", "not-a-mail-address") from None
    # Whoever is blocked gets a letter with it: it names no stranger's address.
    if terms.contact.lower() not in contacts_of(host, facility):
        raise invalid("contact", "not-a-host-address")
    # One at a time, so that nobody is blocked twice.
    Organisation.objects.select_for_update(no_key=True).only("pk").get(pk=host.pk)
    if HostBlock.objects.filter(host=host, made_at__gt=by.now - DAY).count() >= MOST_A_DAY:
        raise WrongState("too-many-blocks-today", most=MOST_A_DAY)
    same = HostBlock.objects.filter(
        host=host, facility=facility, user=user, organisation=organisation, lifted_at=None
    )
    if any(is_in_force(row, by.now) for row in same.select_related("host__region")):
        raise WrongState("already-blocked")
    row = HostBlock.objects.create(
        host=host,
        facility=facility,
        user=user,
        organisation=organisation,
        reason=terms.reason,
        contact=terms.contact,
        last_day=terms.last_day,
        made_by_id=by.actor.person,
        made_at=by.now,
    )
    after = {
        "user": row.user_id,
        "organisation": row.organisation_id,
        "facility": row.facility_id,
        "last_day": row.last_day,
    }
    trail.record(by, "block.make", row, after=after, reason=row.reason)
    _tell(row, "made", by.now)
    return row


@transaction.atomic
def block_lift(by: By, *, block_id: UUID, reason: str) -> HostBlock:
    """Lift a block at once, as a manager of the host, with a reason; the person, or the managers of the
    organisation, are told. Raise `WrongState` if it is over already."""
    rows = blocks_for(by.actor).select_for_update(of=("self",), no_key=True)
    row = visible(rows, pk=block_id)
    require(by.actor, "manage-instruments", place_of(row.host))
    by.require_version(row.version)
    if not is_in_force(row, by.now):
        raise WrongState(state="ended", wanted="ended")
    if row.user_id is not None and acts_for(by.actor, row.user_id):
        raise NotPermitted("own-block")
    row.lift_reason = checked_reason(reason, is_owed=True)
    row.lifted_by_id, row.lifted_at = by.actor.person, by.now
    row.version += 1
    row.save(update_fields=["lift_reason", "lifted_by", "lifted_at", "version"])
    trail.record(by, "block.lift", row, after={"lifted_at": by.now}, reason=row.lift_reason)
    _tell(row, "lifted", by.now)
    return row


def blocks_hand_over(by: By, *, gone: Organisation, into: Organisation) -> None:
    """Hand the blocks of an organisation over to the one it is merged into, before its facilities are, in the
    merger's transaction and under its locks. A block at all its instruments is then one at each of its
    facilities, as the other has more; those between the two are lifted."""
    between = HostBlock.objects.filter(
        Q(host=into, organisation=gone) | Q(host=gone, organisation=into), lifted_at=None
    )
    sites = list(Facility.objects.filter(organisation=gone).order_by("pk"))
    for row in between.select_related("host__region").order_by("pk"):
        if is_in_force(row, by.now):
            _end(by, row, gone, into)
    theirs = HostBlock.objects.filter(host=gone, facility=None, lifted_at=None)
    for row in theirs.select_related("host__region").order_by("pk"):
        if not is_in_force(row, by.now):
            continue
        if not sites:
            _end(by, row, gone, into)
            continue
        before: dict[str, Any] = {"host": row.host_id, "facility": None}
        for number, site in enumerate(sites):
            if number:
                row.pk, row._state.adding = new_id(), True
            row.host, row.facility = into, site
            row.version += 1
            row.save()
            trail.record(
                by, "block.hand-over", row, before=before, after={"host": into.pk, "facility": site.pk}
            )
    HostBlock.objects.filter(host=gone).update(host=into)


def _end(by: By, row: HostBlock, gone: Organisation, into: Organisation) -> None:
    """Lift a block that a merger leaves without an object."""
    row.lift_reason = f"{gone.code} → {into.code}"
    row.lifted_by_id, row.lifted_at = by.actor.person, by.now
    row.version += 1
    row.save(update_fields=["lift_reason", "lifted_by", "lifted_at", "version"])
    trail.record(by, "block.lift", row, after={"lifted_at": by.now}, reason=row.lift_reason)


def _tell(row: HostBlock, kind: str, now: datetime) -> None:
    enqueue([Effect(f"block.{kind}", f"block.{kind}.{row.pk}", {"block": str(row.pk)})], now=now)
