"""A person's place in an organisation, and roles.

Whatever changes somebody's duties locks their row first, so that two roles that exclude one
another are never given at the same moment; then the managers' grants of the organisation, so
that the last of them stays.
"""

from collections.abc import Iterable
from datetime import UTC
from uuid import UUID

from django.conf import settings
from django.db import transaction

from accounts import trail
from accounts.domain.errors import NotPermitted, WrongState, invalid
from accounts.domain.roles import (
    ADMINISTRATOR,
    COORDINATOR,
    MANAGER,
    NO_SECOND,
    ORGANISATION_ROLES,
    PLATFORM_ROLES,
    REGION_ROLES,
    SECOND_ROLE,
    By,
    DutiesConflict,
    Duty,
    Place,
    capability_to_grant,
    conflicting,
)
from accounts.models import Membership, Organisation, OutboxMessage, Region, RoleGrant, User
from accounts.notifications import Effect, enqueue
from accounts.permissions import require
from accounts.selectors.installation import installation
from accounts.selectors.memberships import (
    is_member,
    load_duties,
    membership_by_id,
    no_second,
    place_of,
    roles_left_out,
)
from accounts.selectors.organisations import require_open
from accounts.selectors.rows import visible
from accounts.selectors.users import user_by_email
from accounts.services.users import password_link_send, person_enter

MOST_TEXT = 500


def lock_user(user_id: UUID) -> None:
    """Lock a person's row: what they are and may is changed one at a time."""
    User.objects.select_for_update(no_key=True).only("pk").get(pk=user_id)


def checked_reason(reason: str, *, is_owed: bool) -> str:
    """Return the reason, trimmed; `Invalid` without one that is owed."""
    reason = reason.strip()
    if is_owed and not reason:
        raise invalid("reason", "required")
    if len(reason) > MOST_TEXT:
        raise invalid("reason", "too-long", most=MOST_TEXT)
    return reason


# Members


@transaction.atomic
def membership_start(by: By, *, user: User, organisation: Organisation) -> Membership:
    """Make the user a member; a member already stays one."""
    require(by.actor, "administer", Place(None))
    return membership_put(by, user=user, organisation=organisation)


def membership_put(by: By, *, user: User, organisation: Organisation) -> Membership:
    """Make the user a member, within a transaction, for who has asked whether it may be."""
    require_open(organisation)
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
def membership_end(by: By, *, membership_id: UUID, reason: str) -> Membership:
    """End a membership, one's own or, for managers, another's with a reason. The roles at the
    organisation end with it: the next request of the person, on a page or with a token, has
    neither. `WrongState` (`last-manager`) where nobody else would manage the organisation."""
    membership = membership_by_id(by.actor, membership_id)
    organisation = membership.organisation
    is_own = by.actor.user_id == membership.user_id
    if not is_own:
        require(by.actor, "manage-members", place_of(organisation))
    reason = checked_reason(reason, is_owed=not is_own)
    lock_user(membership.user_id)
    membership = Membership.objects.select_related("organisation__region", "user").get(
        pk=membership_id
    )
    if membership.ended_at is not None:
        raise WrongState(state="ended", wanted="ended")
    grants = RoleGrant.objects.filter(
        user_id=membership.user_id, organisation=organisation, revoked_at=None
    )
    _require_another(MANAGER, organisation, membership.user_id)
    for grant in grants.select_related("organisation__region", "region"):
        _revoke(by, grant, "")
    _end(by, membership, organisation, reason)
    kind = "left" if is_own else "ended"
    payload = {"membership": str(membership.pk), "reason": reason}
    enqueue([Effect(f"people.{kind}", f"people.{kind}.{membership.pk}", payload)], now=by.now)
    return membership


def _end(by: By, membership: Membership, organisation: Organisation, reason: str) -> None:
    membership.ended_at = by.now
    membership.save(update_fields=["ended_at"])
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
    by: By, *, organisation: Organisation, into: Organisation | None
) -> list[RoleGrant]:
    """End all memberships and roles at an organisation that is closed or merged; merged `into`
    another they begin there, but for the roles that are not given there (`roles_left_out`): these
    are returned. The caller has locked the people."""
    grants = RoleGrant.objects.filter(organisation=organisation, revoked_at=None).order_by("pk")
    left_out = roles_left_out(by.actor, organisation, into) if into is not None else []
    present = Membership.objects.filter(organisation=organisation, ended_at=None).order_by("pk")
    for membership in present.select_related("user"):
        _end(by, membership, organisation, "")
        if into is not None:
            membership_put(by, user=membership.user, organisation=into)
    for grant in grants.select_related("organisation__region", "region", "user"):
        _revoke(by, grant, "")
        if into is not None and grant not in left_out:
            grant_put(
                by,
                user=grant.user,
                role=grant.role,
                organisation=into,
                granted_by=grant.granted_by_id,
            )
    return left_out


# Roles


@transaction.atomic
def role_grant(
    by: By,
    *,
    user: User | None,
    role: str,
    organisation: Organisation | None = None,
    region: Region | None = None,
) -> RoleGrant:
    """Give a role; one held already stays. Managers give those of their organisation to its
    members, administrators all; nobody grants themselves a role. Whoever may not is told nothing
    of the person, and of an organisation's roles everybody who is no member, with an account or
    without (`user` None), is the same `WrongState` (`member-first`). `DutiesConflict` with one
    the person has."""
    _require_scope(role, organisation, region)
    if not by.actor.is_platform:
        place = place_of(organisation) if organisation else Place(None)
        require(by.actor, capability_to_grant(role), place)
        if user is not None and by.actor.user_id == user.pk:
            raise NotPermitted("own-role")
    if user is None or (not by.actor.is_platform and not user.is_active):
        if organisation is not None:
            raise WrongState("member-first")
        raise invalid("user", "unknown-person")
    lock_user(user.pk)
    if not by.actor.is_platform and organisation is not None and not is_member(user, organisation):
        raise WrongState("member-first")
    return grant_put(
        by,
        user=user,
        role=role,
        organisation=organisation,
        region=region,
        granted_by=by.actor.user_id,
    )


@transaction.atomic
def role_grant_to_new(by: By, *, email: str, role: str, region: Region | None) -> RoleGrant:
    """Make an account for an address that has none and give it a role of a region or of the
    platform: administrators. Its owner gets a link to set a password; nobody else opens it."""
    require(by.actor, "administer", Place(None))
    user = user_by_email(email) or person_enter(
        email=email,
        name="",
        language=installation().language,
        time_zone=region.time_zone if region else settings.USUAL_TIME_ZONE,
        now=by.now,
    )
    password_link_send("entered", user, by.now)
    return role_grant(by, user=user, role=role, region=region)


def grant_put(
    by: By,
    *,
    user: User,
    role: str,
    organisation: Organisation | None,
    region: Region | None = None,
    granted_by: UUID | None,
) -> RoleGrant:
    """Give a role, with the person's row locked, for who has asked whether it may be."""
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
        revoked_at=None,
        defaults={"granted_at": by.now, "granted_by_id": granted_by},
    )
    if is_new:
        trail.record(by, "role.grant", grant, after=_told(grant) | {"granted_by": granted_by})
    return grant


@transaction.atomic
def role_revoke(by: By, *, grant_id: UUID, reason: str) -> RoleGrant:
    """Take a role away: whoever may give it, with a reason; or lay down one's own. The last manager
    of an organisation and the last administrator keep theirs."""
    grant = visible(
        RoleGrant.objects.select_related("organisation__region", "region", "user"), pk=grant_id
    )
    is_own = by.actor.user_id == grant.user_id
    place = place_of(grant.organisation) if grant.organisation else Place(None)
    if not is_own:
        require(by.actor, capability_to_grant(grant.role), place)
    reason = checked_reason(reason, is_owed=not is_own)
    lock_user(grant.user_id)
    grant.refresh_from_db(fields=["revoked_at"])
    if grant.revoked_at is not None:
        raise WrongState(state="revoked", wanted="revoked")
    if grant.role in {MANAGER, ADMINISTRATOR}:
        _require_another(grant.role, grant.organisation, grant.user_id)
    _revoke(by, grant, reason)
    return grant


@transaction.atomic
def second_ask(
    by: By, *, code: str, organisation: Organisation | None = None, region: Region | None = None
) -> None:
    """Ask whoever may give the role (an organisation's managers, the administrators) for a second
    person where an act needs one and there is none, as the refusal `code` says. Members of the
    organisation ask, and coordinators; once a day for a place. `WrongState` (`second-exists`),
    (`second-asked`)."""
    place = organisation or region
    capability = next((key for key, value in NO_SECOND.items() if value == code), "")
    if place is None or code not in SECOND_ROLE:
        raise invalid("code", "unknown-value")
    held = {grant.organisation_id for grant in by.actor.grants} | by.actor.organisations
    if not (organisation.pk in held if organisation else by.actor.has(COORDINATOR)):
        raise NotPermitted
    if not no_second(
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
    trail.record(by, "role.ask", place, after={"role": SECOND_ROLE[code]})
    enqueue([effect], now=by.now)


def _revoke(by: By, grant: RoleGrant, reason: str) -> None:
    grant.revoked_at = by.now
    grant.save(update_fields=["revoked_at"])
    trail.record(
        by, "role.revoke", grant, before=_told(grant), after={"revoked_at": by.now}, reason=reason
    )


def _require_scope(role: str, organisation: Organisation | None, region: Region | None) -> None:
    """Raise `Invalid` unless a role is given for what it is held for: an organisation, a region or
    the platform."""
    if role not in ORGANISATION_ROLES | REGION_ROLES | PLATFORM_ROLES:
        raise invalid("role", "unknown-value")
    for name, given, roles in (
        ("organisation", organisation, ORGANISATION_ROLES),
        ("region", region, REGION_ROLES),
    ):
        if (given is not None) != (role in roles):
            raise invalid(name, "required" if given is None else "not-of-this-role")


def _require_compatible(
    user: User, role: str, organisation: Organisation | None, region: Region | None
) -> None:
    """Raise `DutiesConflict` where a role the person has excludes the new one."""
    new = Duty(role, region.pk if region else None, frozenset(_lineage(organisation, region)))
    if (duty := conflicting(load_duties(user), new)) is not None:
        raise DutiesConflict(role=duty.role, wanted=role)


def _require_another(role: str, organisation: Organisation | None, user_id: UUID) -> None:
    """Raise `WrongState` if the person is the only one left with the role. Whoever comes second
    waits here and then finds only those that are left."""
    holders: Iterable[RoleGrant] = (
        RoleGrant.objects.select_for_update(of=("self",), no_key=True)
        .filter(role=role, organisation=organisation, revoked_at=None, user__is_active=True)
        .order_by("pk")
    )
    if {grant.user_id for grant in holders} == {user_id}:
        raise WrongState("last-manager" if role == MANAGER else "last-administrator")


def _lineage(organisation: Organisation | None, region: Region | None) -> list[UUID]:
    if region:
        return list(region.lineage)
    return list(organisation.region.lineage) if organisation else []


def _told(grant: RoleGrant) -> dict[str, object]:
    return {
        "user": grant.user_id,
        "role": grant.role,
        "organisation": grant.organisation_id,
        "region": grant.region_id,
    }
