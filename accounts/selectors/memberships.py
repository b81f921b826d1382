"""Who belongs where, with which roles."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db.models import Prefetch, Q, QuerySet, UUIDField, Value

from accounts.domain.errors import NotPermitted, Refused
from accounts.domain.roles import (
    ADMINISTRATOR,
    AUDITOR,
    CAPABILITIES,
    COORDINATOR,
    MANAGER,
    NO_SECOND,
    ORGANISATION_ROLES,
    REACH_ABSORBED,
    Actor,
    Duty,
    Grant,
    Place,
    conflicting,
)
from accounts.models import Membership, Organisation, Region, RoleGrant, User
from accounts.prepared import Prepared
from accounts.replica import on_primary
from accounts.selectors.rows import visible

_IDS = ArrayField(UUIDField())
RECENTLY = timedelta(days=90)


@on_primary()  # what somebody may is decided
def load_actor(user: User) -> Actor:
    """Return a user with grants and active memberships. Whoever manages or accounts for an
    organisation does so for those it absorbed. One statement."""
    rows = _HELD.rows(user=user.pk)
    return Actor(
        user_id=user.pk,
        grants=tuple(
            Grant(role, place, region)
            for role, organisation, region, absorbed in rows
            if role
            for place in (organisation, *((role in REACH_ABSORBED and absorbed) or ()))
        ),
        organisations=frozenset(place for role, place, _, _ in rows if place and not role),
        language=user.language,
        time_zone=user.time_zone,
    )


def _held(user: Any) -> QuerySet[Any, tuple[str, Any, Any, Any]]:
    grants = RoleGrant.objects.filter(user=user, revoked_at=None).values_list(
        "role", "organisation_id", "region_id", "organisation__absorbed"
    )
    organisations = Membership.objects.filter(user=user, ended_at=None).values_list(
        Value(""), "organisation_id", Value(None, UUIDField()), Value(None, _IDS)
    )
    return grants.union(organisations, all=True)


_HELD = Prepared(_held)  # asked by every request of somebody signed in


def place_of(organisation: Organisation) -> Place:
    """Return an organisation as a place; its `region` should be loaded with it."""
    is_closed = organisation.closed_at is not None
    return Place(organisation.pk, frozenset(organisation.region.lineage), is_closed)


def organisations_of(actor: Actor) -> QuerySet[Organisation]:
    """Return the organisations of the actor's active memberships, with their regions."""
    return (
        Organisation.objects.filter(pk__in=actor.organisations)
        .select_related("region")
        .order_by("name")
    )


def load_duties(user: User) -> list[Duty]:
    """Return the roles of a person with where they hold them, also at what an organisation
    absorbed."""
    rows = RoleGrant.objects.filter(user=user, revoked_at=None).values_list(
        "role",
        "region_id",
        "region__lineage",
        "organisation__region__lineage",
        "organisation__absorbed",
    )
    duties = [
        (Duty(role, region, frozenset(lineage or of_organisation or ())), absorbed or ())
        for role, region, lineage, of_organisation, absorbed in rows
    ]
    gone = {pk for duty, absorbed in duties if duty.role in REACH_ABSORBED for pk in absorbed}
    lineages = dict(
        Organisation.objects.filter(pk__in=gone).values_list("pk", "region__lineage")
        if gone
        else ()
    )
    return [duty for duty, _ in duties] + [
        Duty(duty.role, None, frozenset(lineages[pk]))
        for duty, absorbed in duties
        if duty.role in REACH_ABSORBED
        for pk in absorbed
    ]


def people_in_conflict() -> list[tuple[User, str, str]]:
    """Return the people who hold two roles that exclude one another, given before they did; by
    address. One role has to be taken away by hand. One statement, and one for each auditor."""
    audits = RoleGrant.objects.filter(role=AUDITOR, revoked_at=None, user__is_active=True)
    conflicts = []
    for user in User.objects.filter(pk__in=audits.values("user_id")).order_by("email"):
        duties = load_duties(user)
        for place, duty in enumerate(duties):
            other = conflicting(duties[:place], duty)
            if other is not None:
                conflicts.append((user, other.role, duty.role))
    return conflicts


def roles_left_out(actor: Actor, organisation: Organisation, into: Organisation) -> list[RoleGrant]:
    """Return the roles at an organisation that are not given at another it is merged into: those
    whose duties exclude others, the actor's own, and managers and finance, where another has
    managers whose it is to give them."""
    gives = actor.may("manage-members", place_of(into)) or not has_manager(into.pk)
    grants = RoleGrant.objects.filter(organisation=organisation, revoked_at=None)
    lineage = frozenset(into.region.lineage)
    return [
        grant
        for grant in grants.select_related("user").order_by("user__name", "role")
        if grant.user_id == actor.user_id
        or (grant.role in REACH_ABSORBED and not gives)
        or conflicting(load_duties(grant.user), Duty(grant.role, None, lineage))
    ]


def is_member(user: User, organisation: Organisation) -> bool:
    return Membership.objects.filter(user=user, organisation=organisation, ended_at=None).exists()


def _in_reach(actor: Actor, capability: str, prefix: str) -> Q:
    """Rows whose organisation (at `prefix`) lies where the actor has a capability."""
    if actor.may(capability, Place(None)):
        return Q()
    reach = Q(**{f"{prefix}organisation_id__in": actor.organisations_where(capability)})
    if regions := list(actor.regions_where(capability)):
        reach |= Q(**{f"{prefix}organisation__region__lineage__overlap": regions})
    return reach


def memberships_for(actor: Actor) -> QuerySet[Membership]:
    """Return the actor's own memberships, ended ones included, and those of the organisations whose
    members they may read."""
    seen = Q(user_id=actor.person)
    reach = _in_reach(actor, "read-members", "")
    rows = Membership.objects.filter(seen | reach) if reach else Membership.objects.all()
    return rows.select_related("user", "organisation__region").order_by("started_at", "id")


def membership_by_id(actor: Actor, membership_id: UUID) -> Membership:
    """Return a membership; `NotFound` if there is none, or it is not the actor's to see."""
    return visible(memberships_for(actor), pk=membership_id)


def grants_for(actor: Actor) -> QuerySet[RoleGrant]:
    """Return the roles in force: the actor's own, those at organisations whose members they may
    read, for auditors those of their regions too, for administrators all."""
    seen = Q(user_id=actor.person)
    reach = _in_reach(actor, "read-members", "")
    if reach and (regions := list(actor.regions_where("read-members"))):
        reach |= Q(region__lineage__overlap=regions)
    rows = RoleGrant.objects.filter(seen | reach) if reach else RoleGrant.objects.all()
    return (
        rows.filter(revoked_at=None)
        .select_related("user", "organisation__region", "region", "granted_by")
        .order_by("granted_at", "id")
    )


def grant_by_id(actor: Actor, grant_id: UUID) -> RoleGrant:
    """Return a role in force; `NotFound` if it is revoked, or not the actor's to see."""
    return visible(grants_for(actor), pk=grant_id)


def platform_grants() -> QuerySet[RoleGrant]:
    """Return the roles that only administrators give: of regions, and of the platform."""
    return (
        RoleGrant.objects.filter(revoked_at=None)
        .exclude(role__in=ORGANISATION_ROLES)
        .select_related("user", "region", "granted_by")
        .order_by("role", "region__name", "user__email")
    )


def organisation_to_read(actor: Actor, organisation_id: UUID) -> Organisation:
    """Return an organisation whose members the actor may read; else `NotPermitted`."""
    organisation = visible(Organisation.objects.select_related("region"), pk=organisation_id)
    if not actor.may("read-members", place_of(organisation)):
        raise NotPermitted
    return organisation


def organisations_to_read(actor: Actor, text: str = "") -> QuerySet[Organisation]:
    """Return the organisations whose members the actor may read, by name or code; `NotPermitted`
    for somebody with none."""
    rows = Organisation.objects.select_related("region").order_by("name")
    if text and "\0" not in text:
        rows = rows.filter(
            Q(name__icontains=text) | Q(name_zh__icontains=text) | Q(code__icontains=text)
        )
    if actor.may("read-members", Place(None)):
        return rows
    organisations = actor.organisations_where("read-members")
    regions = list(actor.regions_where("read-members"))
    if not organisations and not regions:
        raise NotPermitted
    reach = Q(pk__in=organisations)
    return rows.filter(reach | Q(region__lineage__overlap=regions) if regions else reach)


def members_of(organisation: Organisation, who: str = "") -> QuerySet[Membership]:
    """Return the present members by name, each with `held`: their roles there, since when and from
    whom. Two statements."""
    rows = Membership.objects.filter(organisation=organisation, ended_at=None)
    if who:
        rows = rows.filter(Q(user__name__icontains=who) | Q(user__email__icontains=who))
    grants = (
        RoleGrant.objects.filter(organisation=organisation, revoked_at=None)
        .select_related("granted_by")
        .order_by("granted_at", "id")
    )
    return (
        rows.select_related("user", "organisation__region")
        .prefetch_related(Prefetch("user__role_grants", grants, to_attr="held"))
        .order_by("user__name", "user__email", "id")
    )


def member_by_id(organisation: Organisation, user_id: UUID) -> Membership:
    """Return a present member; `NotFound` for anybody else."""
    return visible(members_of(organisation), user_id=user_id)


def former_members(organisation: Organisation, now: datetime) -> list[Membership]:
    """Return the members who left within a quarter of a year and did not come back, the last
    first."""
    present = Membership.objects.filter(organisation=organisation, ended_at=None)
    rows = Membership.objects.filter(
        organisation=organisation, ended_at__gt=now - RECENTLY
    ).exclude(user_id__in=present.values("user_id"))
    return list(rows.select_related("user").order_by("-ended_at", "id")[:50])


def own_memberships(actor: Actor) -> list[Membership]:
    """Return the actor's present memberships, each with `held` as in `members_of`. Two
    statements."""
    rows = Membership.objects.filter(user_id=actor.person, ended_at=None)
    return with_roles(rows.select_related("organisation__region").order_by("organisation__name"))


def with_roles(memberships: Iterable[Membership]) -> list[Membership]:
    """Return the memberships, each with `held`: the roles in force there. One statement."""
    rows = list(memberships)
    grants: dict[tuple[UUID, UUID | None], list[RoleGrant]] = {}
    for grant in (
        RoleGrant.objects.filter(
            user_id__in={row.user_id for row in rows},
            organisation_id__in={row.organisation_id for row in rows},
            revoked_at=None,
        )
        .select_related("user", "organisation", "region", "granted_by")
        .order_by("granted_at", "id")
    ):
        grants.setdefault((grant.user_id, grant.organisation_id), []).append(grant)
    for row in rows:
        row.held = grants.get((row.user_id, row.organisation_id), [])  # type: ignore[attr-defined]
    return rows


def managers_or_administrators(organisation_id: UUID) -> list[User]:
    """Return who decides about an organisation's people: its managers; where it has none, the
    administrators."""
    managers = list(holders_of(MANAGER, organisation_id))
    return managers or list(holders_of(ADMINISTRATOR, None))


def has_manager(organisation_id: UUID) -> bool:
    """Return whether anybody manages an organisation."""
    return holders_of(MANAGER, organisation_id).exists()


def holders_of(role: str, organisation_id: UUID | None) -> QuerySet[User]:
    """Return the active people who hold a role for an organisation (or one that absorbed it), or
    for none."""
    held = RoleGrant.objects.filter(role=role, revoked_at=None)
    if organisation_id is None:
        held = held.filter(organisation=None)
    else:
        held = held.filter(
            Q(organisation_id=organisation_id)
            | Q(organisation__absorbed__contains=[organisation_id], role__in=REACH_ABSORBED)
        )
    return User.objects.filter(is_active=True, pk__in=held.values("user_id")).order_by("email")


def no_second(
    capability: str,
    *,
    besides: Iterable[UUID | None],
    organisation: Organisation | None = None,
    region: Region | None = None,
    region_ids: Iterable[UUID] = (),
    refusal: type[Refused] = NotPermitted,
) -> Refused | None:
    """Return the refusal that says whom to appoint, and who does so, where nobody besides these
    people has the capability for the organisation, the region or any of the regions; None where
    somebody else can do it. One statement."""
    where = Q(region_id__in=region.lineage if region else list(region_ids))
    if organisation is not None:
        where = Q(organisation=organisation)
        where |= Q(organisation__absorbed__contains=[organisation.pk], role__in=REACH_ABSORBED)
    others = RoleGrant.objects.filter(
        where, role__in=CAPABILITIES[capability], revoked_at=None, user__is_active=True
    ).exclude(user_id__in=[person for person in besides if person])
    if others.exists():
        return None
    place = organisation or region
    return refusal(NO_SECOND[capability], **({"place": place.name} if place else {}))


def coordinators_of(region_ids: Iterable[UUID]) -> QuerySet[User]:
    """Return the active people who coordinate any of the regions."""
    return (
        User.objects.filter(
            is_active=True,
            role_grants__role=COORDINATOR,
            role_grants__region_id__in=set(region_ids),
            role_grants__revoked_at=None,
        )
        .distinct()
        .order_by("email")
    )
