"""Start and end memberships, and give and revoke roles.

Whatever changes a person's duties locks their row first, so that two roles that exclude one another are never
given at the same moment; then the organisation's manager roles, so that the last of them stays.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from accounts import trail
from accounts.domain import roles as role_rules
from accounts.domain.errors import NotPermitted, WrongState, invalid
from accounts.models import AccessRequest, Membership, Organisation, OutboxMessage, Region, RoleGrant, User
from accounts.notifications import Effect, enqueue
from accounts.permissions import require, require_person
from accounts.selectors import memberships
from accounts.selectors.access import ungrounded
from accounts.selectors.administration import other_administrators
from accounts.selectors.installation import installation, usual_zone
from accounts.selectors.organisations import require_open
from accounts.selectors.users import user_by_email
from accounts.services.users import address_of, password_link_send, person_enter

MOST_TEXT = 500
MOST_LIMITS = 50  # given at once
type _Limit = tuple[UUID | None, UUID | None]  # a facility, or an instrument
REQUEST_VERBS = {
    AccessRequest.State.APPROVED: "approve",
    AccessRequest.State.REJECTED: "reject",
    AccessRequest.State.WITHDRAWN: "withdraw",
}


def lock_user(user_id: UUID) -> None:
    """Lock a person's row, so that their memberships and roles are changed by one transaction at a time."""
    User.objects.select_for_update(no_key=True).only("pk").get(pk=user_id)


def checked_reason(reason: str, *, is_owed: bool) -> str:
    """Return the reason, trimmed. Raise `Invalid` if it is missing although required (`is_owed`), or too
    long."""
    reason = reason.strip()
    if is_owed and not reason:
        raise invalid("reason", "required")
    if len(reason) > MOST_TEXT:
        raise invalid("reason", "too-long", most=MOST_TEXT)
    return reason


# Members


@transaction.atomic
def membership_start(by: role_rules.By, *, user: User, organisation: Organisation) -> Membership:
    """Make the user a member of the organisation, unless they are one already."""
    require(by.actor, "administer", role_rules.Place(None))
    return membership_put(by, user=user, organisation=organisation)


def membership_put(by: role_rules.By, *, user: User, organisation: Organisation) -> Membership:
    """Make the user a member, in the transaction of a caller who has checked that this is allowed. Return the
    existing membership if there is one."""
    require_open(organisation)
    if user.is_service:  # it belongs to its own organisation alone
        raise NotPermitted("person-needed")
    membership, is_new = Membership.objects.get_or_create(
        user=user, organisation=organisation, ended_at=None, defaults={"started_at": by.now}
    )
    if is_new:
        trail.record(
            by,
            "membership.start",
            membership,
            after={"user": user.pk, "organisation": organisation.pk},
            places=organisation.places(),
        )
    return membership


@transaction.atomic
def membership_end(by: role_rules.By, *, membership_id: UUID, reason: str) -> Membership:
    """End a membership: one's own or, for managers, another person's with a reason. The person's roles at the
    organisation end too, effective from their next request, whether on a page or with a token. Raise
    `WrongState` (`last-manager`) if nobody else would manage the organisation."""
    membership = memberships.membership_by_id(by.actor, membership_id)
    organisation = membership.organisation
    is_own = by.actor.user_id == membership.user_id
    if not is_own:
        require(by.actor, "manage-members", memberships.place_of(organisation))
    reason = checked_reason(reason, is_owed=not is_own)
    lock_user(membership.user_id)
    membership = Membership.objects.select_related("organisation__region", "user").get(pk=membership_id)
    if membership.ended_at is not None:
        raise WrongState(state="ended", wanted="ended")
    grants = RoleGrant.objects.filter(user_id=membership.user_id, organisation=organisation, revoked_at=None)
    require_another(role_rules.MANAGER, organisation, membership.user_id)
    ended = list(grants.select_related("organisation__region", "region").order_by("pk"))
    for grant in ended:
        _revoke(by, grant, "")
    _end(by, membership, organisation, reason)
    access_requests_end(by, people=[membership.user_id])
    kind = "left" if is_own else "ended"
    payload = {
        "membership": str(membership.pk),
        "reason": reason,
        "by": _who(by),
        "roles": list(dict.fromkeys(grant.role for grant in ended)),
    }
    enqueue([Effect(f"people.{kind}", f"people.{kind}.{membership.pk}", payload)], now=by.now)
    return membership


def _end(by: role_rules.By, membership: Membership, organisation: Organisation, reason: str) -> None:
    membership.ended_at, membership.is_default = by.now, False
    membership.save(update_fields=["ended_at", "is_default"])
    trail.record(
        by,
        "membership.end",
        membership,
        before={"user": membership.user_id, "organisation": organisation.pk},
        after={"ended_at": by.now},
        reason=reason,
        places=organisation.places(),
    )


def members_let_go(
    by: role_rules.By, *, organisation: Organisation, into: Organisation | None
) -> list[RoleGrant]:
    """End all memberships and roles at an organisation that is closed or merged, and tell each member. If it
    is merged `into` another, they continue there except for the roles that do not pass (`roles_left_out`),
    which are returned. Their requests for a role there are withdrawn. The caller has locked the people."""
    grants = RoleGrant.objects.filter(organisation=organisation, revoked_at=None).order_by("pk")
    left_out = memberships.roles_left_out(by.actor, organisation, into) if into is not None else []
    present = list(
        Membership.objects.filter(organisation=organisation, ended_at=None)
        .select_related("user")
        .order_by("pk")
    )
    ended: dict[UUID, list[str]] = defaultdict(list)
    for grant in grants if into is None else left_out:
        ended[grant.user_id].append(grant.role)
    told = []
    for membership in present:
        _end(by, membership, organisation, "")
        roles = list(dict.fromkeys(ended[membership.user_id]))
        payload = {"membership": str(membership.pk), "roles": roles, "by": _who(by)}
        told.append(Effect("people.let-go", f"people.let-go.{membership.pk}", payload))
        if into is not None:
            membership_put(by, user=membership.user, organisation=into)
    members = {membership.user_id for membership in present}
    for grant in grants.select_related("organisation__region", "region", "user"):
        _revoke(by, grant, "")
        if grant.user_id not in members and grant.role in ended[grant.user_id]:
            told.append(_role_ended(by, grant, ""))
        if into is not None and grant not in left_out:
            grant_put(
                by,
                user=grant.user,
                role=grant.role,
                organisation=into,
                facility=grant.facility_id,
                instrument=grant.instrument_id,
                granted_by=grant.granted_by_id,
            )
    access_requests_end(by, people=members | set(ended), organisation=organisation)
    enqueue(told, now=by.now)
    return left_out


# Roles


@transaction.atomic
def role_grant(
    by: role_rules.By,
    *,
    user: User | None,
    role: str,
    organisation: Organisation | None = None,
    region: Region | None = None,
    facility: UUID | None = None,
    instrument: UUID | None = None,
    is_told: bool = True,
) -> RoleGrant:
    """Give a role, perhaps limited to a facility or an instrument of the organisation; one that the person
    holds already stays. Managers give the roles of their organisation to
    its members, administrators give all; nobody gives a role to themselves. Raise `DutiesConflict` if the
    person holds a role that excludes this one. For privacy, actors without the right learn nothing about the
    person, and a role of an organisation is refused with the same `WrongState` (`member-first`) for everybody
    who is not a member, with or without an account (`user` None). `is_told`: send the person a message, which
    is not needed if another one says it."""
    _require_limits(role, organisation, [(facility, instrument)])
    user = _given_to(by, user, role, organisation, region)
    grant = grant_put(
        by,
        user=user,
        role=role,
        organisation=organisation,
        region=region,
        facility=facility,
        instrument=instrument,
        granted_by=by.actor.user_id,
    )
    if is_told:
        _tell_given(by, [grant])
    return grant


def _given_to(
    by: role_rules.By, user: User | None, role: str, organisation: Organisation | None, region: Region | None
) -> User:
    """Return the person to whom a role is given, locked, after all checks of `role_grant` that do not depend
    on what else they hold."""
    _require_scope(role, organisation, region)
    if not by.actor.is_platform:
        place = memberships.place_of(organisation) if organisation else role_rules.Place(None)
        require(by.actor, role_rules.capability_to_grant(role), place)
        if role not in role_rules.SERVICE_GIVES:
            require_person(by.actor)
        if user is not None and by.actor.user_id == user.pk:
            raise NotPermitted("own-role")
    if user is None or (not by.actor.is_platform and not user.is_active):
        if organisation is not None:
            raise WrongState("member-first")
        raise invalid("user", "unknown-person")
    lock_user(user.pk)
    if (
        not by.actor.is_platform
        and organisation is not None
        and not memberships.is_member(user, organisation)
    ):
        raise WrongState("member-first")
    return user


def _tell_given(by: role_rules.By, grants: Iterable[RoleGrant]) -> None:
    """Tell a person of those of their roles that are new, in one message."""
    new = [grant for grant in grants if grant.granted_at == by.now]
    if new and not by.actor.is_platform:
        also = {"also": [str(grant.pk) for grant in new[1:]]} if len(new) > 1 else {}
        payload = {"grant": str(new[0].pk), "by": _who(by)} | also
        enqueue([Effect("people.role-given", f"people.role-given.{new[0].pk}", payload)], now=by.now)


@transaction.atomic
def roles_grant_limited(
    by: role_rules.By,
    *,
    user: User,
    role: str,
    organisation: Organisation,
    facilities: Iterable[UUID],
    instruments: Iterable[UUID],
) -> list[RoleGrant]:
    """Give a member a role for facilities and instruments of the organisation, one role for each of at most
    `MOST_LIMITS`, and one message about all that are new."""
    limits: list[_Limit] = [(pk, None) for pk in dict.fromkeys(facilities)]
    limits += [(None, pk) for pk in dict.fromkeys(instruments)]
    if not limits:
        raise invalid("facilities", "required")
    if len(limits) > MOST_LIMITS:
        raise invalid("facilities", "too-many", most=MOST_LIMITS)
    _require_limits(role, organisation, limits)
    user = _given_to(by, user, role, organisation, None)
    grants = [
        grant_put(
            by,
            user=user,
            role=role,
            organisation=organisation,
            facility=facility,
            instrument=instrument,
            granted_by=by.actor.user_id,
        )
        for facility, instrument in limits
    ]
    _tell_given(by, grants)
    return grants


def grants_pass(by: role_rules.By, *, instrument: UUID, to: UUID, organisation: Organisation) -> None:
    """Give those whose role is limited to an instrument the same role for another one of the organisation
    instead, in the transaction of a caller who has checked that both are one and the same."""
    rows = RoleGrant.objects.filter(organisation=organisation, instrument_id=instrument, revoked_at=None)
    people = sorted(set(rows.values_list("user_id", flat=True)))
    for person in people:
        lock_user(person)
    held = rows.filter(user__in=people).select_related("organisation__region", "region", "user")
    for grant in held.order_by("pk"):
        _revoke(by, grant, "")
        grant_put(
            by,
            user=grant.user,
            role=grant.role,
            organisation=organisation,
            instrument=to,
            granted_by=grant.granted_by_id,
        )


@transaction.atomic
def role_grant_to_new(by: role_rules.By, *, email: str, role: str, region: Region | None) -> RoleGrant:
    """Create an account for an address that has none, and give it a role of a region or of the platform; only
    administrators may. Only the link to set a password, which is mailed to the owner, opens the account.
    Raise `Invalid` (`not-a-mail-address`) for any other text."""
    require(by.actor, "administer", role_rules.Place(None))
    email = address_of(email, "user")
    user = user_by_email(email) or person_enter(
        email=email,
        name="",
        language=installation().language,
        time_zone=region.time_zone if region else usual_zone(),
        now=by.now,
    )
    password_link_send("entered", user, by.now)
    return role_grant(by, user=user, role=role, region=region, is_told=False)


def grant_put(
    by: role_rules.By,
    *,
    user: User,
    role: str,
    organisation: Organisation | None,
    region: Region | None = None,
    facility: UUID | None = None,
    instrument: UUID | None = None,
    granted_by: UUID | None,
) -> RoleGrant:
    """Give a role, for a caller who has locked the person's row and checked that this is allowed. Open
    requests that it answers are approved."""
    if organisation is not None:
        require_open(organisation)
    if region is not None and region.closed_at is not None:
        raise WrongState("region-closed", region=region.code)
    _require_compatible(user, role, organisation, region)
    grant, is_new = RoleGrant.objects.get_or_create(
        user=user,
        role=role,
        organisation=organisation,
        region=region,
        facility_id=facility,
        instrument_id=instrument,
        revoked_at=None,
        defaults={"granted_at": by.now, "granted_by_id": granted_by},
    )
    if is_new:
        trail.record(by, "role.grant", grant, after=_told(grant) | {"granted_by": granted_by})
        access_requests_fulfil(by, grant)
        if role == role_rules.ADMINISTRATOR and other_administrators([user.pk]).exists():
            payload = {"user": str(user.pk), "by": _who(by)}
            enqueue(
                [Effect("people.new-administrator", f"people.new-administrator.{grant.pk}", payload)],
                now=by.now,
            )
    return grant


@transaction.atomic
def role_revoke(by: role_rules.By, *, grant_id: UUID, reason: str) -> RoleGrant:
    """Revoke a role: whoever may give it does so with a reason; anybody may give up a role of their own.
    Raise `WrongState` for the last manager of an organisation and the last administrator."""
    grant = memberships.grant_by_id(by.actor, grant_id)
    is_own = by.actor.user_id == grant.user_id
    place = memberships.place_of(grant.organisation) if grant.organisation else role_rules.Place(None)
    if not is_own:
        require(by.actor, role_rules.capability_to_grant(grant.role), place)
    reason = checked_reason(reason, is_owed=not is_own)
    lock_user(grant.user_id)
    grant.refresh_from_db(fields=["revoked_at"])
    if grant.revoked_at is not None:
        raise WrongState(state="revoked", wanted="revoked")
    if grant.role in {role_rules.MANAGER, role_rules.ADMINISTRATOR} and not grant.is_scoped:
        require_another(grant.role, grant.organisation, grant.user_id)
    _revoke(by, grant, reason)
    access_requests_end(by, people=[grant.user_id])
    if not is_own:
        enqueue([_role_ended(by, grant, reason)], now=by.now)
    return grant


def _role_ended(by: role_rules.By, grant: RoleGrant, reason: str) -> Effect:
    payload = {"grant": str(grant.pk), "by": _who(by), "reason": reason}
    return Effect("people.role-ended", f"people.role-ended.{grant.pk}", payload)


@transaction.atomic
def second_ask(
    by: role_rules.By, *, code: str, organisation: Organisation | None = None, region: Region | None = None
) -> None:
    """Ask those who may give the role (an organisation's managers, the administrators) to appoint a second
    person for an act that needs one, as the refusal `code` says. Members of the organisation and coordinators
    may ask, once a day per place. Raise `WrongState` if there is a second person (`second-exists`) or
    somebody has asked today (`second-asked`)."""
    place = organisation or region
    capability = next((key for key, value in role_rules.NO_SECOND.items() if value == code), "")
    if place is None or code not in role_rules.SECOND_ROLE:
        raise invalid("code", "unknown-value")
    held = {grant.organisation_id for grant in by.actor.grants} | by.actor.organisations
    if not (organisation.pk in held if organisation else by.actor.has(role_rules.COORDINATOR)):
        raise NotPermitted
    if not memberships.no_second(
        capability, besides=[by.actor.person], organisation=organisation, region=region
    ):
        raise WrongState("second-exists")
    effect = Effect(
        "people.second",
        f"people.second.{code}.{place.pk}.{by.now.astimezone(UTC).date()}",
        {
            "user": str(by.actor.person),
            "code": code,
            "organisation": str(organisation.pk) if organisation else None,
            "region": str(region.pk) if region else None,
        },
    )
    if OutboxMessage.objects.filter(key=effect.key).exists():
        raise WrongState("second-asked")
    trail.record(by, "role.ask", place, after={"role": role_rules.SECOND_ROLE[code]})
    enqueue([effect], now=by.now)


def _who(by: role_rules.By) -> str | None:
    """Return the id of the person who acts, for the payload of a message; None for the platform itself."""
    return str(by.actor.user_id) if by.actor.user_id else None


def _revoke(by: role_rules.By, grant: RoleGrant, reason: str) -> None:
    grant.revoked_at = by.now
    grant.save(update_fields=["revoked_at"])
    trail.record(by, "role.revoke", grant, before=_told(grant), after={"revoked_at": by.now}, reason=reason)


def _require_scope(role: str, organisation: Organisation | None, region: Region | None) -> None:
    """Raise `Invalid` unless the role comes with the kind of place it is held for: an organisation, a region
    or the platform."""
    if role not in role_rules.ORGANISATION_ROLES | role_rules.REGION_ROLES | role_rules.PLATFORM_ROLES:
        raise invalid("role", "unknown-value")
    for name, given, roles in (
        ("organisation", organisation, role_rules.ORGANISATION_ROLES),
        ("region", region, role_rules.REGION_ROLES),
    ):
        if (given is not None) != (role in roles):
            raise invalid(name, "required" if given is None else "not-of-this-role")


def _require_limits(role: str, organisation: Organisation | None, limits: Iterable[_Limit]) -> None:
    """Raise `Invalid` unless the role may be limited to each facility or instrument, which must be the
    organisation's own. Two statements, none without a limit."""
    given: list[tuple[str, UUID]] = []
    for facility, instrument in limits:
        if facility is not None and instrument is not None:
            raise invalid("instrument", "one-limit")
        if pk := facility or instrument:
            given.append(("facility" if facility else "instrument", pk))
    if given and (role not in role_rules.SCOPED_ROLES or organisation is None):
        raise invalid(given[0][0], "not-of-this-role")
    named = memberships.limits_named(pk for _, pk in given)
    for kind, pk in given:
        limit = named.get(pk)
        at = organisation and organisation.pk
        if limit is None or (limit.kind, limit.organisation_id) != (kind, at):
            raise invalid(kind, "unknown-value")


def _require_compatible(
    user: User, role: str, organisation: Organisation | None, region: Region | None
) -> None:
    """Raise `DutiesConflict` if the person holds a role that excludes the new one."""
    new = role_rules.Duty(role, region.pk if region else None, frozenset(_lineage(organisation, region)))
    if (duty := role_rules.conflicting(memberships.load_duties(user), new)) is not None:
        raise role_rules.DutiesConflict(role=duty.role, wanted=role)


def require_another(role: str, organisation: Organisation | None, user_id: UUID) -> None:
    """Raise `WrongState` if the person is the only one left with the role. A concurrent transaction waits
    here for the lock, and then counts only those that are left."""
    grants = RoleGrant.objects.filter(
        memberships.WHOLE, role=role, organisation=organisation, revoked_at=None
    ).order_by("pk")
    list(grants.select_for_update(of=("self",), no_key=True))
    # Read again, as somebody may have been suspended while this waited.
    holders = set(grants.filter(user__is_active=True).values_list("user_id", flat=True))
    if holders == {user_id}:
        raise WrongState("last-manager" if role == role_rules.MANAGER else "last-administrator")


def _lineage(organisation: Organisation | None, region: Region | None) -> list[UUID]:
    if region:
        return list(region.lineage)
    return list(organisation.region.lineage) if organisation else []


def _told(grant: RoleGrant) -> dict[str, object]:
    told = {
        "user": grant.user_id,
        "role": grant.role,
        "organisation": grant.organisation_id,
        "region": grant.region_id,
    }
    scope = {"facility": grant.facility_id, "instrument": grant.instrument_id}
    return told | {name: one for name, one in scope.items() if one is not None}


# Requests for a role that need no answer any more: the role was given, or the person has left. As everywhere,
# the person's row is locked first and then their requests, in the order of their keys.


def access_requests_end(
    by: role_rules.By, *, people: Iterable[UUID], organisation: Organisation | None = None
) -> None:
    """Withdraw the open requests for a role of people who no longer belong where they asked and, if given,
    all at an `organisation` that is closed, in the caller's transaction."""
    theirs = Q(user__in=people) & ungrounded()
    for row in _open_requests(theirs | Q(organisation=organisation) if organisation else theirs):
        request_answer(by, row, AccessRequest.State.WITHDRAWN)


def access_requests_fulfil(by: role_rules.By, grant: RoleGrant) -> None:
    """Approve the open requests of a person for what their new role carries: those at its organisation or,
    for a role of a region or the platform, those without. A role limited to a facility or an instrument
    answers only requests for what it can carry. The caller has locked the person."""
    for row in _open_requests(Q(user=grant.user_id, organisation=grant.organisation_id)):
        if grant.is_scoped and row.capability not in role_rules.SCOPED_CAPABILITIES:
            continue
        if grant.role in role_rules.CAPABILITIES.get(row.capability, ()):
            request_answer(by, row, AccessRequest.State.APPROVED, role=grant.role)


def request_answer(
    by: role_rules.By, row: AccessRequest, state: AccessRequest.State, *, role: str = "", reason: str = ""
) -> None:
    """Store how a request ended, and record it. The caller has locked the row."""
    row.state, row.role, row.reason, row.decided_at = state, role, reason, by.now
    if state != AccessRequest.State.WITHDRAWN:
        row.decided_by_id = by.actor.user_id
    row.save(update_fields=["state", "role", "reason", "decided_by", "decided_at"])
    request_record(by, f"accessrequest.{REQUEST_VERBS[state]}", row, reason)


def request_record(by: role_rules.By, action: str, row: AccessRequest, reason: str = "") -> None:
    after = {
        "user": row.user_id,
        "organisation": row.organisation_id,
        "capability": row.capability,
        "state": row.state,
        "role": row.role,
    }
    trail.record(by, action, row, after=after, reason=reason)


def _open_requests(of: Q) -> list[AccessRequest]:
    rows = AccessRequest.objects.select_for_update(of=("self",), no_key=True).filter(of, state="requested")
    return list(rows.select_related("organisation__region").order_by("pk"))
