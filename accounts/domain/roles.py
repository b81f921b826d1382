"""Roles, the capabilities that each carries, and where they apply."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from accounts.domain.errors import NotPermitted, Refused, WrongVersion

RESEARCHER = "researcher"
MANAGER = "manager"
OPERATOR = "operator"
FINANCE = "finance"
COORDINATOR = "coordinator"
AUDITOR = "auditor"
ADMINISTRATOR = "administrator"

ORGANISATION_ROLES = frozenset({RESEARCHER, MANAGER, OPERATOR, FINANCE})
# Those that may be held for a facility or an instrument of the organisation alone.
SCOPED_ROLES = frozenset({MANAGER, OPERATOR})
# What such a role can carry; all else is the affair of the whole organisation.
SCOPED_CAPABILITIES = frozenset({"manage-instruments", "operate-instruments", "register-instruments"})
REGION_ROLES = frozenset({COORDINATOR, AUDITOR})
PLATFORM_ROLES = frozenset({ADMINISTRATOR})
# Who decides or accounts for others signs in with a second factor.
SECOND_FACTOR_ROLES = frozenset({MANAGER, FINANCE, COORDINATOR, AUDITOR, ADMINISTRATOR})

# What a service account may hold. A booking is a person's, so it does not book; it may for members.
SERVICE_ROLES = frozenset({MANAGER, OPERATOR, FINANCE})

# The scope of a token with which a directory adds and removes members.
PROVISION = "provision"

# What it may give to people: whoever made it must not get from it what only others may give them.
SERVICE_GIVES = frozenset({RESEARCHER, OPERATOR})

# capability -> the roles that carry it
CAPABILITIES: dict[str, frozenset[str]] = {
    "book": frozenset({RESEARCHER}),
    "book-for-members": frozenset({MANAGER}),
    "register-instruments": frozenset({MANAGER, RESEARCHER}),
    "manage-instruments": frozenset({MANAGER}),
    # Its daily work: check-in, samples, faults, results, without what anything costs.
    "operate-instruments": frozenset({MANAGER, OPERATOR}),
    "settle-duplicates": frozenset({MANAGER, COORDINATOR}),
    "read-money": frozenset({FINANCE, MANAGER, AUDITOR}),
    "account": frozenset({FINANCE}),
    "manage-charges": frozenset({FINANCE, MANAGER}),  # dispute, answer, correct
    "coordinate": frozenset({COORDINATOR}),
    "read-bookings": frozenset({MANAGER, FINANCE, AUDITOR}),
    "read-hours": frozenset({MANAGER, FINANCE, COORDINATOR, AUDITOR}),
    "read-trail": frozenset({AUDITOR}),
    "audit": frozenset({AUDITOR}),  # their desk: exceptions, samples, findings, seals
    "read-members": frozenset({MANAGER, AUDITOR, ADMINISTRATOR}),
    "manage-members": frozenset({MANAGER, ADMINISTRATOR}),
    "manage-webhooks": frozenset({MANAGER, ADMINISTRATOR}),
    # Enter, change, move, merge and close organisations, and answer who misses theirs.
    "manage-organisations": frozenset({COORDINATOR, ADMINISTRATOR}),
    "administer": frozenset({ADMINISTRATOR}),
}

# What no service account does, whatever its roles: decisions for which persons answer, one or two.
FOR_PERSONS = frozenset({"book", "manage-charges", "settle-duplicates"})

# What is said where an act needs a second person and there is none, by what that person needs.
NO_SECOND = {
    "manage-charges": "no-second-accountant",
    "manage-instruments": "no-second-manager",
    "coordinate": "no-second-coordinator",
    "audit": "no-second-auditor",
}

# What is done in the name of an organisation that is still there.
NEEDS_OPEN = frozenset(
    {"book", "book-for-members", "register-instruments", "manage-members", "manage-webhooks"}
)
# The roles that reach what an organisation has absorbed: its money, and bookings and samples in hand.
REACH_ABSORBED = frozenset({MANAGER, OPERATOR, FINANCE})
# The role that somebody has to be given then.
SECOND_ROLE = {
    "no-second-accountant": FINANCE,
    "no-second-manager": MANAGER,
    "no-second-coordinator": COORDINATOR,
}

# What an auditor may not be where they audit.
AUDITED = frozenset({MANAGER, OPERATOR, FINANCE, COORDINATOR})


class DutiesConflict(Refused):
    """One person must not hold these two duties at once."""

    code = "duties-conflict"


@dataclass(frozen=True)
class Grant:
    """A role that a person holds: for an organisation, for a region and all below it, or everywhere. One for
    an organisation may be limited to a facility or an instrument: its scope."""

    role: str
    organisation_id: UUID | None = None
    region_id: UUID | None = None
    facility_id: UUID | None = None
    instrument_id: UUID | None = None

    @property
    def is_scoped(self) -> bool:
        """Return whether the role is held for a facility or an instrument alone."""
        return self.facility_id is not None or self.instrument_id is not None


@dataclass(frozen=True)
class Place:
    """The place of an act: an organisation (perhaps closed for good) and its region with all regions above
    it; of an act on one instrument or facility also these. What concerns an organisation as a whole names
    neither, so that roles with a scope give nothing there."""

    organisation_id: UUID | None
    region_ids: frozenset[UUID] = frozenset()
    is_closed: bool = False
    facility_id: UUID | None = None
    instrument_id: UUID | None = None


@dataclass(frozen=True)
class Scope:
    """The places where somebody has a capability: whole organisations, and facilities and instruments, each
    with the organisation that the role is held for. What goes to another organisation leaves the scope."""

    organisations: frozenset[UUID] = frozenset()
    facilities: frozenset[tuple[UUID, UUID]] = frozenset()
    instruments: frozenset[tuple[UUID, UUID]] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.organisations or self.facilities or self.instruments)

    def holds(self, organisation_id: UUID, facility_id: UUID, instrument_id: UUID) -> bool:
        """Return whether an instrument of a facility lies in it, for its host of now or of then."""
        return (
            organisation_id in self.organisations
            or (organisation_id, facility_id) in self.facilities
            or (organisation_id, instrument_id) in self.instruments
        )

    @property
    def hosts(self) -> frozenset[UUID]:
        """Return the organisations of which it holds at least something."""
        return self.organisations | {host for host, _ in self.facilities | self.instruments}


@dataclass(frozen=True)
class Actor:
    """A person with what they may do, loaded once per request.

    `organisations` are those of active memberships, `default` the one of them that the person has chosen for
    requests that name none. `user_id` is None if nobody is signed in.
    """

    user_id: UUID | None
    grants: tuple[Grant, ...] = ()
    organisations: frozenset[UUID] = field(default_factory=frozenset)
    default: UUID | None = None
    language: str = "en"
    time_zone: str = "UTC"
    is_platform: bool = False  # no person: a job or a command
    is_service: bool = False  # no person: a program of an organisation

    @property
    def person(self) -> UUID:
        """Return the id of the person signed in; raise `NotPermitted` if there is none."""
        if self.user_id is None:
            raise NotPermitted
        return self.user_id

    def may(self, capability: str, place: Place) -> bool:
        """Return whether some grant carries `capability` at `place`."""
        return self.can(capability) and allows(self.grants, capability, place)

    def can(self, capability: str) -> bool:
        """Return whether a capability is for whom the actor is: some are for persons alone."""
        return not (self.is_service and capability in FOR_PERSONS)

    @property
    def own_organisations(self) -> frozenset[UUID]:
        """Return the organisations that the person is a member of or holds a role for."""
        return self.organisations | {g.organisation_id for g in self.grants if g.organisation_id}

    def organisations_where(self, capability: str) -> frozenset[UUID]:
        """Return the organisations for the whole of which a grant carries `capability`."""
        return self.scope_where(capability).organisations

    def scope_where(self, capability: str) -> Scope:
        """Return the organisations, facilities and instruments for which grants carry `capability`."""
        roles = CAPABILITIES[capability] if self.can(capability) else frozenset()
        held = [(g.organisation_id, g) for g in self.grants if g.role in roles and g.organisation_id]
        return Scope(
            frozenset(host for host, g in held if not g.is_scoped),
            frozenset((host, g.facility_id) for host, g in held if g.facility_id),
            frozenset((host, g.instrument_id) for host, g in held if g.instrument_id),
        )

    def regions_where(self, capability: str) -> frozenset[UUID]:
        """Return the regions named by grants that carry `capability`; each includes its
        descendants."""
        roles = CAPABILITIES[capability]
        return frozenset(g.region_id for g in self.grants if g.role in roles and g.region_id)

    def has(self, role: str) -> bool:
        """Return whether the person holds the role anywhere for more than a facility or an instrument."""
        return any(grant.role == role and not grant.is_scoped for grant in self.grants)


NOBODY = Actor(user_id=None)
PLATFORM = Actor(user_id=None, is_platform=True)


# Whose affair something is: organisations, and regions with all above them.
type Places = tuple[Iterable[UUID], Iterable[UUID]]


@dataclass(frozen=True)
class By:
    """The person who acts, the moment, and the version of the row that they have read, if they gave one."""

    actor: Actor
    now: datetime
    version: int | None = None

    def require_version(self, present: int) -> None:
        """Raise `WrongVersion` if the row's present version differs from the one that the person has read."""
        if self.version is not None and self.version != present:
            raise WrongVersion(version=present)


@dataclass(frozen=True)
class Duty:
    """A role and the place where it is held: `region_id` is its region, `region_ids` are that region, or the
    organisation's, and all above it."""

    role: str
    region_id: UUID | None = None
    region_ids: frozenset[UUID] = frozenset()


def conflicting(held: Iterable[Duty], new: Duty) -> Duty | None:
    """Return the first duty held that excludes the new one, or None. An auditor must not be manager or
    finance of an organisation in a region they audit, coordinator of a region that overlaps with it, or
    administrator of the platform, in whatever order the roles are granted."""
    for duty in held:
        for auditor, audited in ((duty, new), (new, duty)):
            if auditor.role == AUDITOR and _excludes(auditor, audited):
                return duty
    return None


def _excludes(auditor: Duty, audited: Duty) -> bool:
    """Return whether somebody who audits a region must not have the other duty."""
    if audited.role not in AUDITED:
        return audited.role == ADMINISTRATOR
    if auditor.region_id in audited.region_ids:
        return True
    # Who coordinates a larger region coordinates the audited one too.
    return audited.role == COORDINATOR and audited.region_id in auditor.region_ids


def capability_to_grant(role: str) -> str:
    """Return the capability needed to grant or revoke a role: `manage-members` for the roles of an
    organisation, `administer` for all others."""
    return "manage-members" if role in ORGANISATION_ROLES else "administer"


def roles_to_ask(capability: str, *, at_organisation: bool) -> list[str]:
    """Return the roles that may be given for a capability (all roles of that kind of place for an unknown
    one): those of an organisation, or else those of regions and of the platform."""
    usual = (
        [RESEARCHER, OPERATOR, MANAGER, FINANCE] if at_organisation else [COORDINATOR, AUDITOR, ADMINISTRATOR]
    )
    carrying = CAPABILITIES.get(capability)
    return [role for role in usual if carrying is None or role in carrying]


def allows(grants: Iterable[Grant], capability: str, place: Place) -> bool:
    """Return whether one of the grants carries the capability at the place; a grant without organisation and
    region applies everywhere, one for a facility or an instrument only where the place names it."""
    roles = CAPABILITIES[capability]
    return any(
        grant.role in roles
        and (grant.organisation_id is None or grant.organisation_id == place.organisation_id)
        and (grant.region_id is None or grant.region_id in place.region_ids)
        and (grant.facility_id is None or grant.facility_id == place.facility_id)
        and (grant.instrument_id is None or grant.instrument_id == place.instrument_id)
        for grant in grants
    )
