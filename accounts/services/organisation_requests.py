"""Ask to enter an organisation that is missing, and answer such requests."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from accounts import trail
from accounts.domain import organisations as rules
from accounts.domain.errors import FieldProblem, Invalid, WrongState, invalid
from accounts.domain.roles import RESEARCHER, By, Place
from accounts.models import Organisation, OrganisationRequest, Region, User
from accounts.notifications import Effect, enqueue
from accounts.permissions import require
from accounts.selectors.memberships import has_manager, place_of
from accounts.selectors.organisations import organisation_request_by_id
from accounts.selectors.rows import visible
from accounts.services.joining import join_pass_on, request_take_back, require_requested
from accounts.services.memberships import checked_reason, grant_put, lock_user, membership_put
from accounts.services.organisations import organisation_create


@transaction.atomic
def organisation_ask(
    by: By, *, name: str, kind: str, region: Region, name_zh: str = "", ror: str = "", text: str = ""
) -> OrganisationRequest:
    """Ask to enter an organisation that is missing. Raise `Invalid` for missing or malformed values;
    `WrongState` if the person has asked for the same one (`already-asked`) or too often
    (`too-many-organisation-requests`), or the region is closed (`region-closed`)."""
    row = OrganisationRequest(user=User.objects.get(pk=by.actor.person), created_at=by.now, region=region)
    _fill(row, {"name": name, "name_zh": name_zh, "kind": kind, "ror": ror, "text": text})
    if region.closed_at is not None:
        raise WrongState("region-closed")
    if not region.shares:
        raise invalid("region", "region-shares-nothing")
    lock_user(row.user_id)
    mine = OrganisationRequest.objects.filter(user=row.user, state="requested")
    if mine.filter(name__iexact=row.name).exists():
        raise WrongState("already-asked")
    if mine.count() >= rules.MOST_OPEN:
        raise WrongState("too-many-organisation-requests", most=rules.MOST_OPEN)
    row.save(force_insert=True)
    _record(by, "create", row)
    _tell("asked", row, by.now)
    return row


@transaction.atomic
def organisation_approve(
    by: By,
    *,
    request_id: UUID,
    organisation: Organisation | None = None,
    entered: Mapping[str, Any] | None = None,
) -> OrganisationRequest:
    """Approve a request: name the existing `organisation` that it means, or enter one with the values
    `entered` (as in `organisation_create`; its region is the request's unless given). The person becomes a
    member and researcher there; if it has a manager, the managers are asked to decide that instead. Whoever
    manages organisations in the region of the request and that of the organisation may do this, but nobody
    approves their own request."""
    row = _to_decide(by, request_id)
    if organisation is not None:
        require(by.actor, "manage-organisations", place_of(organisation))
        if organisation.closed_at is not None:
            raise WrongState("organisation-closed")
    else:
        values = {"region": row.region, **(entered or {})}
        organisation = organisation_create(by, **values)
    row.organisation = organisation
    _decide(by, "approve", row, OrganisationRequest.State.APPROVED, "")
    if has_manager(organisation.pk):
        join_pass_on(by, user=row.user, organisation=organisation)
        return row
    membership_put(by, user=row.user, organisation=organisation)
    grant_put(by, user=row.user, role=RESEARCHER, organisation=organisation, granted_by=by.actor.user_id)
    return row


@transaction.atomic
def organisation_reject(by: By, *, request_id: UUID, reason: str) -> OrganisationRequest:
    """Decline a request, with a reason."""
    row = _to_decide(by, request_id)
    reason = checked_reason(reason, is_owed=True)
    _decide(by, "reject", row, OrganisationRequest.State.REJECTED, reason)
    return row


@transaction.atomic
def organisation_request_withdraw(by: By, *, request_id: UUID) -> OrganisationRequest:
    """Withdraw the actor's own request for an organisation."""
    row = request_take_back(by, _requests(), request_id)
    _record(by, "withdraw", row)
    return row


def _fill(row: OrganisationRequest, values: Mapping[str, str]) -> None:
    problems: list[FieldProblem] = []
    for field, value in values.items():
        most = rules.MOST_REQUEST_TEXT if field == "text" else rules.MOST_TEXT.get(field, 0)
        try:
            if field == "ror":
                setattr(row, field, rules.ror_of(value))
            elif field == "kind":
                row.kind = value
            else:
                setattr(row, field, rules.text_of(field, value, most))
        except Invalid as problem:
            problems += problem.problems
    if not row.name and not any(problem.field == "name" for problem in problems):
        problems.append(FieldProblem("name", "required"))
    if row.kind not in Organisation.Kind.values:
        problems.append(FieldProblem("kind", "unknown-value" if row.kind else "required"))
    if problems:
        raise Invalid(problems)


def _to_decide(by: By, request_id: UUID) -> OrganisationRequest:
    """Return an open request that the actor may decide on, with the row of the person who asked locked."""
    row = organisation_request_by_id(by.actor, request_id)
    require(by.actor, "manage-organisations", Place(None, frozenset(row.region.lineage)))
    if by.actor.user_id == row.user_id:
        raise WrongState("own-request")
    lock_user(row.user_id)
    row = visible(_requests(), pk=request_id)
    by.require_version(row.version)
    require_requested(row)
    return row


def _decide(by: By, act: str, row: OrganisationRequest, state: str, reason: str) -> None:
    row.state, row.reason = state, reason
    row.decided_by_id, row.decided_at = by.actor.person, by.now
    row.save(update_fields=["state", "decided_by", "decided_at", "reason", "organisation"])
    _record(by, act, row)
    _tell("answered", row, by.now)


def _requests() -> QuerySet[OrganisationRequest]:
    return OrganisationRequest.objects.select_related("region", "user", "organisation")


def _tell(what: str, row: OrganisationRequest, now: datetime) -> None:
    kind = f"people.organisation-{what}"
    enqueue([Effect(kind, f"{kind}.{row.pk}", {"request": str(row.pk)})], now=now)


def _record(by: By, act: str, row: OrganisationRequest) -> None:
    trail.record(
        by,
        f"organisationrequest.{act}",
        row,
        after={
            "user": row.user_id,
            "name": row.name,
            "state": row.state,
            "organisation": row.organisation_id,
        },
        reason=row.reason,
    )
