"""Close requests for a role that need no answer any more: the role was given, or the person has left.

As everywhere, the person's row is locked first and then their requests, in the order of their keys.
"""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Q

from accounts import trail
from accounts.domain.roles import CAPABILITIES, By
from accounts.models import AccessRequest, Organisation, RoleGrant
from accounts.selectors.access import ungrounded

VERBS = {
    AccessRequest.State.APPROVED: "approve",
    AccessRequest.State.REJECTED: "reject",
    AccessRequest.State.WITHDRAWN: "withdraw",
}


def access_requests_end(by: By, *, people: Iterable[UUID], organisation: Organisation | None = None) -> None:
    """Withdraw the open requests for a role of people who no longer belong where they asked and, if given,
    all at an `organisation` that is closed, in the caller's transaction."""
    theirs = Q(user__in=people) & ungrounded()
    for row in _open(theirs | Q(organisation=organisation) if organisation else theirs):
        request_answer(by, row, AccessRequest.State.WITHDRAWN)


def access_requests_fulfil(by: By, grant: RoleGrant) -> None:
    """Approve the open requests of a person for what their new role carries: those at its organisation or,
    for a role of a region or the platform, those without. The caller has locked the person."""
    for row in _open(Q(user=grant.user_id, organisation=grant.organisation_id)):
        if grant.role in CAPABILITIES.get(row.capability, ()):
            request_answer(by, row, AccessRequest.State.APPROVED, role=grant.role)


def request_answer(
    by: By, row: AccessRequest, state: AccessRequest.State, *, role: str = "", reason: str = ""
) -> None:
    """Store how a request ended, and record it. The caller has locked the row."""
    row.state, row.role, row.reason, row.decided_at = state, role, reason, by.now
    if state != AccessRequest.State.WITHDRAWN:
        row.decided_by_id = by.actor.user_id
    row.save(update_fields=["state", "role", "reason", "decided_by", "decided_at"])
    request_record(by, f"accessrequest.{VERBS[state]}", row, reason)


def request_record(by: By, action: str, row: AccessRequest, reason: str = "") -> None:
    after = {
        "user": row.user_id,
        "organisation": row.organisation_id,
        "capability": row.capability,
        "state": row.state,
        "role": row.role,
    }
    trail.record(by, action, row, after=after, reason=reason)


def _open(of: Q) -> list[AccessRequest]:
    rows = AccessRequest.objects.select_for_update(of=("self",), no_key=True).filter(of, state="requested")
    return list(rows.select_related("organisation__region").order_by("pk"))
