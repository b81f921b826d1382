"""Ask for a role after a page was refused, and answer such requests."""

from uuid import UUID

from django.db import transaction

from accounts.domain.errors import NotPermitted, WrongState, invalid
from accounts.domain.roles import REGION_ROLES, By, Place, roles_to_ask
from accounts.models import AccessRequest, Organisation, Region, User
from accounts.notifications import Effect, enqueue
from accounts.permissions import require
from accounts.selectors.access import AGAIN_AFTER, access_asked, access_requests_for, ungrounded
from accounts.selectors.memberships import place_of
from accounts.selectors.organisations import require_open
from accounts.selectors.rows import visible
from accounts.services import memberships
from accounts.services.joining import require_requested


@transaction.atomic
def access_ask(
    by: By, *, organisation: Organisation | None, capability: str = "", path: str = ""
) -> AccessRequest:
    """Ask those who may give a role for one, after a page was refused: the managers of an organisation that
    the person belongs to, or the administrators. `capability` is what the page needs and `path` where it is.
    Only people who belong somewhere may ask. Raise `WrongState` (`access-asked`) while the same request is
    open, and for a day after it was made. Other requests there within a day are stored without a letter of
    their own."""
    own = by.actor.own_organisations
    if not (organisation.pk in own if organisation else own or by.actor.grants):
        raise NotPermitted
    if not roles_to_ask(capability, at_organisation=organisation is not None):
        raise NotPermitted
    if organisation is not None:
        require_open(organisation)
    memberships.lock_user(by.actor.person)
    if access_asked(by.actor, capability, by.now).filter(organisation=organisation).exists():
        raise WrongState("access-asked")
    has_told = AccessRequest.objects.filter(
        user_id=by.actor.person, organisation=organisation, created_at__gt=by.now - AGAIN_AFTER
    ).exists()
    row = AccessRequest.objects.create(
        user=User.objects.get(pk=by.actor.person),
        organisation=organisation,
        capability=capability,
        path=path,
        created_at=by.now,
    )
    memberships.request_record(by, "accessrequest.create", row)
    if has_told:
        return row
    payload = {
        "request": str(row.pk),
        "user": str(row.user_id),
        "organisation": str(organisation.pk) if organisation else None,
        "capability": capability,
        "path": path,
    }
    enqueue([Effect("people.access-asked", f"people.access-asked.{row.pk}", payload)], now=by.now)
    return row


@transaction.atomic
def access_grant(by: By, *, request_id: UUID, role: str, region: Region | None = None) -> AccessRequest:
    """Give the person one of the roles that their request is about, for those who may give it, and tell them.
    A role of a region needs the `region`, which no other role heeds. Nobody answers their own request. Raise
    `WrongState` (`asker-left`) if the person no longer belongs where they asked."""
    row = _locked(by, request_id)
    if not role:
        raise invalid("role", "required")
    if role not in roles_to_ask(row.capability, at_organisation=row.organisation is not None):
        raise invalid("role", "not-of-this-role")
    if AccessRequest.objects.filter(ungrounded(), pk=row.pk).exists():
        raise WrongState("asker-left")
    where = region if role in REGION_ROLES else None  # the form has one select for all roles
    memberships.role_grant(by, user=row.user, role=role, organisation=row.organisation, region=where)
    row.refresh_from_db()
    if row.state == AccessRequest.State.REQUESTED:  # they held the role already, or what they need is unknown
        memberships.request_answer(by, row, AccessRequest.State.APPROVED, role=role)
    return row


@transaction.atomic
def access_decline(by: By, *, request_id: UUID, reason: str) -> AccessRequest:
    """Decline a request for a role, with a reason that the person is told."""
    row = _locked(by, request_id)
    memberships.request_answer(
        by, row, AccessRequest.State.REJECTED, reason=memberships.checked_reason(reason, is_owed=True)
    )
    payload = {"request": str(row.pk)}
    enqueue([Effect("people.access-declined", f"people.access-declined.{row.pk}", payload)], now=by.now)
    return row


def _locked(by: By, request_id: UUID) -> AccessRequest:
    """Return an open request that the actor may answer. Its person is locked, and then the request."""
    row = visible(access_requests_for(by.actor), pk=request_id)
    if row.organisation is not None:
        require(by.actor, "manage-members", place_of(row.organisation))
    else:
        require(by.actor, "administer", Place(None))
    if by.actor.user_id == row.user_id:
        raise WrongState("own-request")
    memberships.lock_user(row.user_id)
    rows = AccessRequest.objects.select_for_update(of=("self",), no_key=True)
    row = rows.select_related("organisation__region", "user").get(pk=request_id)
    require_requested(row)
    return row
