"""Ask to join an organisation, and answer such requests."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from accounts import trail
from accounts.domain import joining as rules
from accounts.domain.errors import WrongState, invalid
from accounts.domain.roles import PLATFORM, RESEARCHER, SERVICE_GIVES, By
from accounts.models import JoinRequest, Organisation, User
from accounts.models.organisations import Request
from accounts.notifications import Effect, enqueue
from accounts.permissions import require, require_person
from accounts.selectors.joining import join_requests_for
from accounts.selectors.memberships import is_member, place_of
from accounts.selectors.organisations import require_open
from accounts.selectors.rows import visible
from accounts.selectors.users import confirmed_addresses
from accounts.services.memberships import checked_reason, grant_put, lock_user, membership_put


@transaction.atomic
def join_ask(by: By, *, organisation: Organisation, text: str) -> JoinRequest:
    """Ask to become a member. If the organisation admits people by mail domain and a confirmed address of the
    person belongs to it, they become a member and researcher at once; otherwise its managers are told.

    Raise `WrongState` for a closed organisation (`organisation-closed`), a member (`already-member`), a
    second request (`already-asked`), or too many open requests (`too-many-requests-to-join`).
    """
    require_person(by.actor)
    text = text.strip()
    if len(text) > rules.MOST_TEXT:
        raise invalid("text", "too-long", most=rules.MOST_TEXT)
    require_open(organisation)
    user = User.objects.get(pk=by.actor.person)
    lock_user(user.pk)
    if is_member(user, organisation):
        raise WrongState("already-member")
    mine = JoinRequest.objects.filter(user=user, state="requested")
    if mine.filter(organisation=organisation).exists():
        raise WrongState("already-asked")
    if mine.count() >= rules.MOST_ASKED:
        raise WrongState("too-many-requests-to-join", most=rules.MOST_ASKED)
    fits = [a for a in confirmed_addresses(user.pk) if rules.is_of(a, organisation.mail_domains)]
    row = JoinRequest(
        user=user, organisation=organisation, text=text, by_mail=fits[0] if fits else "", created_at=by.now
    )
    if fits and organisation.admits_by_mail:
        row.state, row.decided_at = JoinRequest.State.APPROVED, by.now
    row.save(force_insert=True)
    _record(by, "joinrequest.create", row, text)
    if row.state == JoinRequest.State.APPROVED:
        _admit(By(PLATFORM, by.now), row, [RESEARCHER])
    else:
        _tell_managers(row, by.now)
    return row


def join_pass_on(by: By, *, user: User, organisation: Organisation) -> None:
    """Ask an organisation's managers on behalf of a person who was told that they belong there. Do nothing if
    the person is a member or has asked already. The caller holds a transaction and the lock of the person."""
    asks = JoinRequest.objects.filter(user=user, organisation=organisation, state="requested")
    if is_member(user, organisation) or asks.exists():
        return
    row = JoinRequest.objects.create(user=user, organisation=organisation, created_at=by.now)
    _record(by, "joinrequest.create", row, "")
    _tell_managers(row, by.now)


def _tell_managers(row: JoinRequest, now: datetime) -> None:
    payload = {"request": str(row.pk)}
    enqueue([Effect("people.asked", f"people.asked.{row.pk}", payload)], now=now)


@transaction.atomic
def join_decide(
    by: By, *, request_id: UUID, approve: bool, roles: Sequence[str] = (RESEARCHER,), reason: str = ""
) -> JoinRequest:
    """Answer a request as a manager: admit the person with these roles, or decline with a reason. Nobody
    answers their own request."""
    row = visible(join_requests_for(by.actor), pk=request_id)
    require(by.actor, "manage-members", place_of(row.organisation))
    if by.actor.user_id == row.user_id:
        raise WrongState("own-request")
    given = rules.parse_roles(list(roles))
    if approve and not set(given) <= SERVICE_GIVES:
        require_person(by.actor)
    reason = checked_reason(reason, is_owed=not approve)
    lock_user(row.user_id)
    row = _request(request_id)
    require_requested(row)
    row.state = JoinRequest.State.APPROVED if approve else JoinRequest.State.REJECTED
    row.decided_by_id, row.decided_at, row.reason = by.actor.person, by.now, reason
    row.save(update_fields=["state", "decided_by", "decided_at", "reason"])
    _record(by, f"joinrequest.{'approve' if approve else 'reject'}", row, reason)
    if approve:
        _admit(by, row, given)
    payload = {"request": str(row.pk)}
    enqueue([Effect("people.answered", f"people.answered.{row.pk}", payload)], now=by.now)
    return row


@transaction.atomic
def join_withdraw(by: By, *, request_id: UUID) -> JoinRequest:
    """Withdraw the actor's own request to join an organisation."""
    row = request_take_back(by, JoinRequest.objects.select_related("organisation__region"), request_id)
    _record(by, "joinrequest.withdraw", row, "")
    return row


def request_take_back[Asked: Request](by: By, rows: QuerySet[Asked], request_id: UUID) -> Asked:
    """Withdraw one of the actor's own open requests among `rows`, in the caller's transaction."""
    lock_user(by.actor.person)
    row = visible(rows, pk=request_id, user_id=by.actor.user_id)
    by.require_version(row.version)
    require_requested(row)
    row.state, row.decided_at = Request.State.WITHDRAWN, by.now
    row.save(update_fields=["state", "decided_at"])
    return row


@transaction.atomic
def joining_set(
    by: By, *, organisation: Organisation, mail_domains: list[str], admits_by_mail: bool
) -> Organisation:
    """Set the mail domains of an organisation, and whether an address there is enough to join. Raise
    `WrongVersion` if the organisation has changed since the expected version."""
    require(by.actor, "manage-members", place_of(organisation))
    domains = rules.parse_domains(mail_domains)
    if admits_by_mail and not domains:
        raise invalid("mail_domains", "required")
    Organisation.objects.select_for_update(no_key=True).only("pk").get(pk=organisation.pk)
    values = {"mail_domains": domains, "admits_by_mail": admits_by_mail}
    return ways_in_set(by, organisation, "organisation.joining", values)


def ways_in_set(by: By, organisation: Organisation, action: str, values: Mapping[str, Any]) -> Organisation:
    """Store who may join an organisation without invitation. The caller holds a transaction and the
    organisation's row lock. Raise `WrongVersion` if it has changed since the expected version."""
    organisation.refresh_from_db(fields=[*values, "version"])
    by.require_version(organisation.version)
    before = {name: getattr(organisation, name) for name in values}
    for name, value in values.items():
        setattr(organisation, name, value)
    organisation.version += 1
    organisation.save(update_fields=[*values, "version"])
    trail.record(by, action, organisation, before=before, after=values)
    return organisation


def requests_hand_over(by: By, *, organisation: Organisation, into: Organisation | None) -> None:
    """Pass requests to join an organisation that is merged on to `into`, in the caller's transaction.
    Requests of people who have asked `into` already or belong to it are withdrawn; if `into` is None, all
    are."""
    rows = JoinRequest.objects.filter(organisation=organisation, state="requested").order_by("pk")
    for row in rows.select_related("organisation__region", "user"):
        others = JoinRequest.objects.filter(user=row.user, organisation=into, state="requested")
        if into is None or others.exists() or is_member(row.user, into):
            row.state, row.decided_at = JoinRequest.State.WITHDRAWN, by.now
            row.save(update_fields=["state", "decided_at"])
            _record(by, "joinrequest.withdraw", row, "")
            continue
        row.organisation = into
        row.save(update_fields=["organisation"])
        _record(by, "joinrequest.readdress", row, "")


def _admit(by: By, row: JoinRequest, roles: Sequence[str]) -> None:
    membership_put(by, user=row.user, organisation=row.organisation)
    for role in roles:
        grant_put(by, user=row.user, role=role, organisation=row.organisation, granted_by=by.actor.user_id)


def _request(request_id: UUID) -> JoinRequest:
    return visible(JoinRequest.objects.select_related("organisation__region", "user"), pk=request_id)


def require_requested(row: Request) -> None:
    """Raise `WrongState` for a request that was answered or withdrawn."""
    if row.state != Request.State.REQUESTED:
        raise WrongState(state=row.state, wanted="decided")


def _record(by: By, action: str, row: JoinRequest, reason: str) -> None:
    trail.record(
        by,
        action,
        row,
        after={
            "user": row.user_id,
            "organisation": row.organisation_id,
            "state": row.state,
            "by_mail": bool(row.by_mail),
        },
        reason=reason,
    )
