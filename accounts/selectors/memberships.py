"""Read who belongs to which organisation, with which roles."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db.models import Case, Prefetch, Q, QuerySet, UUIDField, Value, When

from accounts.domain import roles
from accounts.domain.errors import NotPermitted, Refused
from accounts.models import Membership, Organisation, Region, RoleGrant, ServiceAccount, User
from accounts.prepared import Prepared
from accounts.replica import on_primary
from accounts.selectors.rows import visible

_IDS = ArrayField(UUIDField())
RECENTLY = timedelta(days=90)
MOST_ASKED = 3  # organisations of one person whose managers a page names
MOST_WORDS = 6  # of a search
WHOLE = Q(facility_id=None, instrument_id=None)  # a role without a scope


@on_primary()  # what somebody may is decided
def load_actor(user: User) -> roles.Actor:
    """Return a user as an actor, with grants and active memberships. Managers, operators and finance people
    of an organisation hold these roles also for the organisations it absorbed. It takes one statement."""
    if user.is_service:
        return _load_service(user)
    rows = _HELD.rows(user=user.pk)
    return roles.Actor(
        user_id=user.pk,
        grants=tuple(
            roles.Grant(role, place, region, facility, instrument)
            for role, organisation, region, absorbed, facility, instrument, _ in rows
            if role
            for place in (organisation, *((role in roles.REACH_ABSORBED and absorbed) or ()))
        ),
        organisations=frozenset(place for role, place, *_ in rows if place and not role),
        default=next((place for role, place, *_, is_default in rows if is_default), None),
        language=user.language,
        time_zone=user.time_zone,
    )


def _held(user: Any) -> QuerySet[Any, tuple[Any, ...]]:
    grants = RoleGrant.objects.filter(user=user, revoked_at=None).values_list(
        "role",
        "organisation_id",
        "region_id",
        "organisation__absorbed",
        "facility_id",
        "instrument_id",
        Value(False),
    )
    none = Value(None, UUIDField())
    organisations = Membership.objects.filter(user=user, ended_at=None).values_list(
        Value(""), "organisation_id", none, Value(None, _IDS), none, none, "is_default"
    )
    return grants.union(organisations, all=True)


_HELD = Prepared(_held)  # asked by every request of somebody signed in


def _load_service(user: User) -> roles.Actor:
    """Return a service account as an actor; without rights if it has ended or is stopped, or its organisation
    is closed."""
    row = _SERVICE.first(user=user.pk)
    if row is None or not row.is_open or row.organisation.closed_at is not None:
        return roles.NOBODY
    return roles.Actor(
        user_id=user.pk,
        grants=tuple(
            roles.Grant(role, place)
            for role in sorted(set(row.roles) & roles.SERVICE_ROLES)
            for place in (row.organisation_id, *row.organisation.absorbed)
        ),
        organisations=frozenset({row.organisation_id}),
        language=user.language,
        time_zone=user.time_zone,
        is_service=True,
    )


def service_account_of(user: User) -> ServiceAccount | None:
    """Return the service account whose user this is, with its organisation; None of a person."""
    return _SERVICE.first(user=user.pk) if user.is_service else None


_SERVICE = Prepared(lambda user: ServiceAccount.objects.select_related("organisation").filter(user=user))


class InFacility(Protocol):
    """Something that belongs to a facility: an instrument."""

    pk: Any
    facility_id: Any


def place_of(
    organisation: Organisation, instrument: InFacility | None = None, *, facility_id: UUID | None = None
) -> roles.Place:
    """Return an organisation as a place; its `region` should be loaded with it. For an act on one
    `instrument` (whose host the organisation is, or was then), or on a facility, the place names these, so
    that roles with a scope apply."""
    is_closed = organisation.closed_at is not None
    return roles.Place(
        organisation.pk,
        frozenset(organisation.region.lineage),
        is_closed,
        instrument.facility_id if instrument else facility_id,
        instrument.pk if instrument else None,
    )


def in_scope(scope: roles.Scope, host: str, instrument: str | None = "instrument") -> Q:
    """Return the condition for rows in a scope: `host` is the path to the organisation, `instrument` that to
    the instrument (None if the rows are instruments). It holds where `may` allows the same capability at
    `place_of` the two."""
    reach = Q(**{f"{host}__in": scope.organisations})
    facility, itself = (f"{instrument}__facility", instrument) if instrument else ("facility", "pk")
    for path, limited in ((facility, scope.facilities), (itself, scope.instruments)):
        for organisation in sorted({organisation for organisation, _ in limited}):
            some = [one for place, one in sorted(limited) if place == organisation]
            reach |= Q(**{host: organisation, f"{path}__in": some})
    return reach


@dataclass(frozen=True)
class Limit:
    """A facility or an instrument (`kind`) of an organisation to which a role may be limited."""

    kind: str
    organisation_id: UUID
    name: str
    name_zh: str


# What gives the limits with these ids; the areas that have such things add themselves.
LIMITS: list[Callable[[Iterable[UUID]], dict[UUID, Limit]]] = []


def limits_named(ids: Iterable[UUID]) -> dict[UUID, Limit]:
    """Return the facilities and instruments with these ids. It takes two statements, none without ids."""
    ids = set(ids)
    return {pk: limit for named in LIMITS for pk, limit in named(ids).items()} if ids else {}


def with_limits(grants: Iterable[RoleGrant]) -> list[RoleGrant]:
    """Return the roles, each with `limit`: what it is limited to, None for a whole organisation. It takes two
    statements, none if no role is limited."""
    rows = list(grants)
    named = limits_named(pk for row in rows if (pk := row.facility_id or row.instrument_id))
    for row in rows:
        pk = row.facility_id or row.instrument_id
        row.limit = named.get(pk) if pk else None
    return rows


def organisations_of(actor: roles.Actor) -> QuerySet[Organisation]:
    """Return the organisations of the actor's active memberships, with their regions, the default first."""
    first = [Case(When(pk=actor.default, then=0), default=1)] if actor.default else []
    return (
        Organisation.objects.filter(pk__in=actor.organisations)
        .select_related("region")
        .order_by(*first, "name", "pk")
    )


def load_duties(user: User) -> list[roles.Duty]:
    """Return the roles of a person with the places where they hold them, including organisations that were
    absorbed."""
    rows = RoleGrant.objects.filter(user=user, revoked_at=None).values_list(
        "role", "region_id", "region__lineage", "organisation__region__lineage", "organisation__absorbed"
    )
    duties = [
        (roles.Duty(role, region, frozenset(lineage or of_organisation or ())), absorbed or ())
        for role, region, lineage, of_organisation, absorbed in rows
    ]
    gone = {pk for duty, absorbed in duties if duty.role in roles.REACH_ABSORBED for pk in absorbed}
    lineages = dict(
        Organisation.objects.filter(pk__in=gone).values_list("pk", "region__lineage") if gone else ()
    )
    return [duty for duty, _ in duties] + [
        roles.Duty(duty.role, None, frozenset(lineages[pk]))
        for duty, absorbed in duties
        if duty.role in roles.REACH_ABSORBED
        for pk in absorbed
    ]


def people_in_conflict() -> list[tuple[User, str, str]]:
    """Return the people who hold two roles that exclude one another, ordered by address, with both roles.
    Such grants are older than the rule; somebody has to revoke one. It takes one statement, and one more per
    auditor."""
    audits = RoleGrant.objects.filter(role=roles.AUDITOR, revoked_at=None, user__is_active=True)
    conflicts = []
    for user in User.objects.filter(pk__in=audits.values("user_id")).order_by("email"):
        duties = load_duties(user)
        for place, duty in enumerate(duties):
            other = roles.conflicting(duties[:place], duty)
            if other is not None:
                conflicts.append((user, other.role, duty.role))
    return conflicts


def roles_left_out(actor: roles.Actor, organisation: Organisation, into: Organisation) -> list[RoleGrant]:
    """Return the roles at an organisation that do not pass to the one it is merged into: those that conflict
    with other roles of their holder, the actor's own, and, if the other organisation has managers of its own,
    who then have to grant them, those of managers, operators and finance people of the whole organisation."""
    gives = actor.may("manage-members", place_of(into)) or not has_manager(into.pk)
    grants = RoleGrant.objects.filter(organisation=organisation, revoked_at=None)
    lineage = frozenset(into.region.lineage)
    return [
        grant
        for grant in grants.select_related("user").order_by("user__name", "role")
        if grant.user_id == actor.user_id
        or (grant.role in roles.REACH_ABSORBED and not grant.is_scoped and not gives)
        or roles.conflicting(load_duties(grant.user), roles.Duty(grant.role, None, lineage))
    ]


def has_lost_since(user_id: UUID, capability: str, moment: datetime) -> bool:
    """Return whether a person has lost a role that carries the capability, or a membership, after a moment.
    What was written for them before may then contain what they must no longer read."""
    grants = RoleGrant.objects.filter(user=user_id, role__in=roles.CAPABILITIES[capability])
    ended = Membership.objects.filter(user=user_id, ended_at__gt=moment)
    return grants.filter(revoked_at__gt=moment).exists() or ended.exists()


def is_member(user: User, organisation: Organisation) -> bool:
    return Membership.objects.filter(user=user, organisation=organisation, ended_at=None).exists()


def _in_reach(actor: roles.Actor, capability: str, prefix: str) -> Q:
    """Return the condition for rows whose organisation (at the path `prefix`) lies where the actor has a
    capability."""
    if actor.may(capability, roles.Place(None)):
        return Q()
    reach = Q(**{f"{prefix}organisation_id__in": actor.organisations_where(capability)})
    if regions := list(actor.regions_where(capability)):
        reach |= Q(**{f"{prefix}organisation__region__lineage__overlap": regions})
    return reach


def memberships_for(actor: roles.Actor) -> QuerySet[Membership]:
    """Return the actor's own memberships, including ended ones, and those of the organisations whose members
    they may read."""
    seen = Q(user_id=actor.person)
    reach = _in_reach(actor, "read-members", "")
    rows = Membership.objects.filter(seen | reach) if reach else Membership.objects.all()
    return rows.select_related("user", "organisation__region").order_by("started_at", "id")


def membership_by_id(actor: roles.Actor, membership_id: UUID) -> Membership:
    """Return a membership; `NotFound` if there is none or the actor may not see it."""
    return visible(memberships_for(actor), pk=membership_id)


def grants_for(actor: roles.Actor) -> QuerySet[RoleGrant]:
    """Return the roles in force that the actor may see: their own, those at organisations whose members they
    may read, for auditors also those of their regions, for administrators all."""
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


def grant_by_id(actor: roles.Actor, grant_id: UUID) -> RoleGrant:
    """Return a role in force; `NotFound` if it is revoked or the actor may not see it."""
    return visible(grants_for(actor), pk=grant_id)


def platform_grants() -> QuerySet[RoleGrant]:
    """Return the roles that only administrators give: of regions, and of the platform."""
    return (
        RoleGrant.objects.filter(revoked_at=None)
        .exclude(role__in=roles.ORGANISATION_ROLES)
        .select_related("user", "region", "granted_by")
        .order_by("role", "region__name", "user__email")
    )


def organisation_to_read(actor: roles.Actor, organisation_id: UUID) -> Organisation:
    """Return an organisation whose members the actor may read; `NotPermitted` otherwise."""
    organisation = visible(Organisation.objects.select_related("region", "directory"), pk=organisation_id)
    if not actor.may("read-members", place_of(organisation)):
        raise NotPermitted(capability="read-members")
    return organisation


def organisations_to_read(actor: roles.Actor, text: str = "") -> QuerySet[Organisation]:
    """Return the organisations whose members the actor may read, filtered by name or code; `NotPermitted` if
    there are none."""
    rows = Organisation.objects.select_related("region").order_by("name")
    if text and "\0" not in text:
        rows = rows.filter(Q(name__icontains=text) | Q(name_zh__icontains=text) | Q(code__icontains=text))
    if actor.may("read-members", roles.Place(None)):
        return rows
    organisations = actor.organisations_where("read-members")
    regions = list(actor.regions_where("read-members"))
    if not organisations and not regions:
        raise NotPermitted(capability="read-members")
    reach = Q(pk__in=organisations)
    return rows.filter(reach | Q(region__lineage__overlap=regions) if regions else reach)


def _words(text: str) -> list[str]:
    """Return the words to search for: the first few, as each makes the statement longer."""
    return text.replace("\0", "").split()[:MOST_WORDS]


def of_people(rows: QuerySet[Membership], who: str) -> QuerySet[Membership]:
    """Narrow memberships to people whose name or address has every word of a text."""
    for word in _words(who):
        rows = rows.filter(Q(user__name__icontains=word) | Q(user__email__icontains=word))
    return rows


def people_to_read(actor: roles.Actor, text: str) -> QuerySet[Membership]:
    """Return the present memberships at organisations whose members the actor may read in which every word of
    a text occurs in the person's name or address, or in the organisation's name or code; at least one word
    has to occur in the person's. `NotPermitted` if there are no such organisations."""
    readable = organisations_to_read(actor).order_by().values("pk")
    rows = Membership.objects.filter(organisation__in=readable, ended_at=None)
    is_theirs = Q(pk__in=[])
    for word in _words(text):
        of_person = Q(user__name__icontains=word) | Q(user__email__icontains=word)
        is_theirs |= of_person
        named = Q(organisation__name__icontains=word) | Q(organisation__name_zh__icontains=word)
        rows = rows.filter(of_person | named | Q(organisation__code__icontains=word))
    return (
        rows.filter(is_theirs)
        .select_related("user", "organisation")
        .order_by("user__name", "user__email", "organisation__name")
    )


def members_of(organisation: Organisation, who: str = "") -> QuerySet[Membership]:
    """Return the present members in the order of their names, each with `held`: their roles there, since when
    and granted by whom. It takes two statements."""
    rows = Membership.objects.filter(organisation=organisation, ended_at=None)
    if who:
        rows = of_people(rows, who)
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
    """Return a present member of the organisation; `NotFound` for anybody else."""
    return visible(members_of(organisation), user_id=user_id)


def former_members(organisation: Organisation, now: datetime) -> list[Membership]:
    """Return the members of an organisation who left within the last quarter of a year and have not come
    back, latest first."""
    present = Membership.objects.filter(organisation=organisation, ended_at=None)
    rows = Membership.objects.filter(organisation=organisation, ended_at__gt=now - RECENTLY).exclude(
        user_id__in=present.values("user_id")
    )
    return list(rows.select_related("user").order_by("-ended_at", "id")[:50])


def own_memberships(actor: roles.Actor) -> list[Membership]:
    """Return the actor's present memberships, each with `held` as in `members_of`. It takes two
    statements."""
    rows = Membership.objects.filter(user_id=actor.person, ended_at=None)
    return with_roles(rows.select_related("organisation__region").order_by("organisation__name"))


def with_roles(memberships: Iterable[Membership]) -> list[Membership]:
    """Return the memberships, each with `held`: the roles in force there. It takes one statement."""
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
    with_limits(grant for held in grants.values() for grant in held)
    return rows


def managers_or_administrators(organisation_id: UUID) -> list[User]:
    """Return the people who decide about an organisation's members: its managers or, if it has none, the
    administrators."""
    managers = list(holders_of(roles.MANAGER, organisation_id))
    return managers or list(holders_of(roles.ADMINISTRATOR, None))


@dataclass(frozen=True)
class Askable:
    """An organisation whose `people` may give a role there; without any, and without an organisation, the
    administrators do."""

    organisation: Organisation | None = None
    people: tuple[str, ...] = ()


def is_elsewhere(actor: roles.Actor, capability: str, organisation_id: UUID | None) -> bool:
    """Return whether only a role in an organisation to which the person does not belong carries the
    capability there, so that nobody in their own can help."""
    held_by = roles.CAPABILITIES.get(capability, frozenset())
    is_theirs = organisation_id is None or organisation_id in actor.own_organisations
    return not is_theirs and bool(held_by & roles.ORGANISATION_ROLES)


def whom_to_ask(actor: roles.Actor, capability: str, organisation_id: UUID | None = None) -> list[Askable]:
    """Return whom a person may ask for a role that carries the capability: managers of their own
    organisations (or of this one of them) by name, or else the administrators; nobody for a person who
    belongs nowhere. It takes at most two statements."""
    if not actor.own_organisations and not actor.grants:
        return []
    if not roles.CAPABILITIES.get(capability, roles.ORGANISATION_ROLES) & roles.ORGANISATION_ROLES:
        return [Askable()]
    ids = [organisation_id] if organisation_id else actor.own_organisations
    own = Organisation.objects.filter(pk__in=ids, closed_at=None)
    organisations = list(own.order_by("name", "pk")[:MOST_ASKED])
    names: dict[UUID | None, dict[UUID, str]] = {}
    managers = RoleGrant.objects.filter(
        WHOLE, role=roles.MANAGER, organisation__in=organisations, revoked_at=None, user__is_active=True
    )
    others = managers.exclude(user=actor.user_id).select_related("user")
    for grant in others.order_by("user__name", "user__email"):
        names.setdefault(grant.organisation_id, {})[grant.user_id] = str(grant.user)
    found = [Askable(one, tuple(names.get(one.pk, {}).values())) for one in organisations]
    # Administrators give no role of an organisation to whom belongs to none.
    if found or not roles.roles_to_ask(capability, at_organisation=False):
        return found
    return [Askable()]


def staff_of(organisation_id: UUID, instrument: InFacility) -> list[User]:
    """Return the people who manage or operate an instrument of an organisation: its managers and operators,
    and those of the facility or of the instrument alone."""
    people = [
        person
        for role in (roles.MANAGER, roles.OPERATOR)
        for person in holders_of(role, organisation_id, instrument)
    ]
    return list(dict.fromkeys(people))


def acts_for(actor: roles.Actor, user_id: UUID | None) -> bool:
    """Return whether what the actor does counts as done by this person: they themselves, and a service
    account for each who manages its organisation, as they make its tokens. For acts that nobody does for
    themselves."""
    if not actor.is_service or user_id is None:
        return actor.user_id == user_id
    managing = RoleGrant.objects.filter(
        WHOLE, role=roles.MANAGER, organisation__in=actor.organisations, revoked_at=None
    )
    return managing.filter(user=user_id).exists()


def has_manager(organisation_id: UUID) -> bool:
    """Return whether anybody manages an organisation."""
    return holders_of(roles.MANAGER, organisation_id).exists()


def holders_of(
    role: str, organisation_id: UUID | None, instrument: InFacility | None = None
) -> QuerySet[User]:
    """Return the active people who hold a role for an organisation or for one that absorbed it; with None,
    those who hold it without an organisation. For what concerns one `instrument` of the organisation, those
    who hold it for the instrument or its facility alone are among them, otherwise not."""
    held = RoleGrant.objects.filter(_reaching(instrument), role=role, revoked_at=None)
    if organisation_id is None:
        held = held.filter(organisation=None)
    else:
        held = held.filter(
            Q(organisation_id=organisation_id)
            | Q(organisation__absorbed__contains=[organisation_id], role__in=roles.REACH_ABSORBED)
        )
    return User.objects.filter(is_active=True, pk__in=held.values("user_id")).order_by("email")


def _reaching(instrument: InFacility | None) -> Q:
    """Return the condition for roles without a limit and, of an `instrument`, those limited to it or its
    facility."""
    if instrument is None:
        return WHOLE
    return WHOLE | Q(facility_id=instrument.facility_id) | Q(instrument_id=instrument.pk)


def holders_of_parts(role: str, organisation_id: UUID) -> QuerySet[User]:
    """Return the active people who hold a role for facilities or instruments of an organisation."""
    held = RoleGrant.objects.filter(~WHOLE, role=role, organisation=organisation_id, revoked_at=None)
    return User.objects.filter(is_active=True, pk__in=held.values("user_id")).order_by("email")


def people_limited_to(instruments: Iterable[UUID]) -> defaultdict[UUID, set[UUID]]:
    """Return for each of some instruments the people who hold a role limited to it. One statement."""
    held: defaultdict[UUID, set[UUID]] = defaultdict(set)
    rows = RoleGrant.objects.filter(instrument_id__in=list(instruments), revoked_at=None)
    for instrument, user in rows.values_list("instrument_id", "user"):
        if instrument is not None:
            held[instrument].add(user)
    return held


def holders_in_part(
    role: str, instruments: Iterable[tuple[UUID, UUID, UUID]]
) -> dict[tuple[UUID, UUID], list[UUID]]:
    """Return who holds a role for a part of an organisation alone in which some of the instruments lie, given
    with organisation and facility: for each organisation and person these instruments. Those who hold it for
    the whole organisation are left out. One statement."""
    rows = list(instruments)
    held = RoleGrant.objects.filter(
        role=role, organisation__in={host for host, _, _ in rows}, revoked_at=None, user__is_active=True
    )
    whole: set[tuple[Any, Any]] = set()
    parts: defaultdict[tuple[Any, Any], set[Any]] = defaultdict(set)
    for host, user, *limit in held.values_list("organisation", "user", "facility_id", "instrument_id"):
        if limit == [None, None]:
            whole.add((host, user))
        else:
            parts[host, user] |= set(limit)
    found = {
        (host, user): [pk for at, facility, pk in rows if at == host and {facility, pk} & limits]
        for (host, user), limits in sorted(parts.items())
        if (host, user) not in whole
    }
    return {key: theirs for key, theirs in found.items() if theirs}


def no_second(
    capability: str,
    *,
    besides: Iterable[UUID | None],
    organisation: Organisation | None = None,
    instrument: InFacility | None = None,
    region: Region | None = None,
    region_ids: Iterable[UUID] = (),
    refusal: type[Refused] = NotPermitted,
) -> Refused | None:
    """Return the refusal that says that nobody besides these people has the capability for the organisation,
    the region or any of the regions, so that somebody must be appointed; None if another person has it. For
    what concerns one `instrument` of the organisation, it is enough to have it for the instrument or its
    facility. It takes one statement."""
    where = Q(region_id__in=region.lineage if region else list(region_ids))
    if organisation is not None:
        where = Q(organisation=organisation)
        where |= Q(organisation__absorbed__contains=[organisation.pk], role__in=roles.REACH_ABSORBED)
    others = RoleGrant.objects.filter(
        where,
        _reaching(instrument),
        role__in=roles.CAPABILITIES[capability],
        revoked_at=None,
        user__is_active=True,
    ).exclude(user_id__in=[person for person in besides if person])
    if others.exists():
        return None
    place = organisation or region
    return refusal(roles.NO_SECOND[capability], **({"place": place.name} if place else {}))


def coordinators_of(region_ids: Iterable[UUID]) -> QuerySet[User]:
    """Return the active people who coordinate any of the regions."""
    return (
        User.objects.filter(
            is_active=True,
            role_grants__role=roles.COORDINATOR,
            role_grants__region_id__in=set(region_ids),
            role_grants__revoked_at=None,
        )
        .distinct()
        .order_by("email")
    )


def people_of(organisation: Organisation) -> QuerySet[User]:
    """Return the people who are members of an organisation or hold a role there."""
    members = Membership.objects.filter(organisation=organisation, ended_at=None).values("user")
    holders = RoleGrant.objects.filter(organisation=organisation, revoked_at=None).values("user")
    return User.objects.filter(Q(pk__in=members) | Q(pk__in=holders)).order_by("pk")
