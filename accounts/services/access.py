"""Ask for a role after a page was refused, and answer such requests."""

from datetime import UTC, timedelta
from uuid import UUID

from django.db import transaction

from accounts import trail
from accounts.domain.errors import NotPermitted, WrongState, invalid
from accounts.domain.roles import By, Place, roles_to_ask
from accounts.models import AccessRequest, Organisation, Region, User
from accounts.notifications import Effect, enqueue
from accounts.permissions import require
from accounts.selectors.access import access_requests_for
from accounts.selectors.memberships import place_of
from accounts.selectors.organisations import require_open
from accounts.selectors.rows import visible
from accounts.services.joining import require_requested
from accounts.services.memberships import checked_reason, lock_user, role_grant

AGAIN_AFTER = timedelta(days=1)


@transaction.atomic
def access_ask(
    by: By, *, organisation: Organisation | None, capability: str = "", path: str = ""
) -> AccessRequest:
    """Ask those who may give a role for one, after a page was refused: the managers of an organisation that
    the person belongs to, or the administrators. `capability` is what the page needs and `path` where it is.
    Only people who belong somewhere may ask. Raise `WrongState` (`access-asked`) while the same request is
    open, and for a day after it was made."""
    own = by.actor.own_organisations
    if not (organisation.pk in own if organisation else own or by.actor.grants):
        raise NotPermitted
    if not roles_to_ask(capability, at_organisation=organisation is not None):
        raise NotPermitted
    if organisation is not None:
        require_open(organisation)
    lock_user(by.actor.person)
    same = AccessRequest.objects.filter(
        user_id=by.actor.person, organisation=organisation, capability=capability
    )
    if same.filter(state="requested").exists() or same.filter(created_at__gt=by.now - AGAIN_AFTER).exists():
        raise WrongState("access-asked")
    row = AccessRequest.objects.create(
        user=User.objects.get(pk=by.actor.person),
        organisation=organisation,
        capability=capability,
        path=path,
        created_at=by.now,
    )
    _record(by, "accessrequest.create", row)
    payload = {
        "request": str(row.pk),
        "user": str(row.user_id),
        "organisation": str(organisation.pk) if organisation else None,
        "capability": capability,
        "path": path,
    }
    day = by.now.astimezone(UTC).date()
    key = f"people.access-asked.{payload['organisation']}.{row.user_id}.{capability}.{day}"
    enqueue([Effect("people.access-asked", key, payload)], now=by.now)
    return row


@transaction.atomic
def access_grant(by: By, *, request_id: UUID, role: str, region: Region | None = None) -> AccessRequest:
    """Give the person one of the roles that their request is about, for those who may give it, and tell them.
    A role of a region needs the `region`. Nobody answers their own request."""
    row = _locked(by, request_id)
    if not role:
        raise invalid("role", "required")
    if role not in roles_to_ask(row.capability, at_organisation=row.organisation is not None):
        raise invalid("role", "not-of-this-role")
    role_grant(by, user=row.user, role=role, organisation=row.organisation, region=region)
    return _answer(by, row, AccessRequest.State.APPROVED, role=role)


@transaction.atomic
def access_decline(by: By, *, request_id: UUID, reason: str) -> AccessRequest:
    """Decline a request for a role, with a reason that the person is told."""
    row = _locked(by, request_id)
    row = _answer(by, row, AccessRequest.State.REJECTED, reason=checked_reason(reason, is_owed=True))
    payload = {"request": str(row.pk)}
    enqueue([Effect("people.access-declined", f"people.access-declined.{row.pk}", payload)], now=by.now)
    return row


def access_requests_end(
    by: By, *, user: User | None = None, organisation: Organisation | None = None
) -> None:
    """Withdraw the open requests for a role of a person who leaves for good, or at an organisation that is
    closed, in the caller's transaction."""
    rows = AccessRequest.objects.filter(state="requested").select_related("organisation__region", "user")
    rows = rows.filter(user=user) if user else rows.filter(organisation=organisation)
    for row in rows.order_by("pk"):
        row.state, row.decided_at = AccessRequest.State.WITHDRAWN, by.now
        row.save(update_fields=["state", "decided_at"])
        _record(by, "accessrequest.withdraw", row)


def _locked(by: By, request_id: UUID) -> AccessRequest:
    """Return a request that the actor may answer and that is open; its person is locked."""
    row = visible(access_requests_for(by.actor), pk=request_id)
    if row.organisation is not None:
        require(by.actor, "manage-members", place_of(row.organisation))
    else:
        require(by.actor, "administer", Place(None))
    if by.actor.user_id == row.user_id:
        raise WrongState("own-request")
    lock_user(row.user_id)
    row = AccessRequest.objects.select_related("organisation__region", "user").get(pk=request_id)
    require_requested(row)
    return row


def _answer(
    by: By, row: AccessRequest, state: AccessRequest.State, *, role: str = "", reason: str = ""
) -> AccessRequest:
    row.state, row.role, row.reason = state, role, reason
    row.decided_by_id, row.decided_at = by.actor.person, by.now
    row.save(update_fields=["state", "role", "reason", "decided_by", "decided_at"])
    _record(by, f"accessrequest.{'approve' if role else 'reject'}", row, reason)
    return row


def _record(by: By, action: str, row: AccessRequest, reason: str = "") -> None:
    after = {
        "user": row.user_id,
        "organisation": row.organisation_id,
        "capability": row.capability,
        "state": row.state,
        "role": row.role,
    }
    trail.record(by, action, row, after=after, reason=reason)
