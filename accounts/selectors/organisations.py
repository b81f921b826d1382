"""Read regions and organisations, the reference lists that anybody may read."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import reduce
from operator import or_
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Count, Prefetch, Q, QuerySet, prefetch_related_objects

from accounts.domain.errors import NotFound, NotPermitted, WrongState, invalid
from accounts.domain.regions import Move, region_on, regions_held
from accounts.domain.roles import Actor, Place
from accounts.models import Organisation, OrganisationMove, OrganisationRequest, Region
from accounts.prepared import Prepared
from accounts.selectors.memberships import place_of
from accounts.selectors.rows import as_uuid, visible


def regions() -> QuerySet[Region]:
    return Region.objects.select_related("parent").order_by("scheme", "code")


def sharing_regions() -> QuerySet[Region]:
    """Return the regions between which instruments are shared at present."""
    return regions().filter(shares=True, closed_at=None)


def organisations() -> QuerySet[Organisation]:
    return Organisation.objects.select_related("region").order_by("code")


@dataclass(frozen=True)
class Branch:
    """A region with its depth in the tree of regions and the number of its open organisations."""

    region: Region
    depth: int
    organisations: int


def region_tree() -> list[Branch]:
    """Return all regions as a tree, in the order of names, each followed by those below it. It takes one
    statement."""
    rows = Region.objects.annotate(
        number=Count("organisations", filter=Q(organisations__closed_at=None))
    ).order_by("name", "code")
    below: dict[UUID | None, list[Region]] = {}
    for row in rows:
        below.setdefault(row.parent_id, []).append(row)

    def branches(parent: UUID | None, depth: int) -> Iterator[Branch]:
        for row in below.get(parent, ()):
            yield Branch(row, depth, row.number)  # type: ignore[attr-defined]
            yield from branches(row.pk, depth + 1)

    return list(branches(None, 0))


def region_by_id(region_id: UUID) -> Region:
    """Return a region; `NotFound` if there is none."""
    return visible(regions(), pk=region_id)


def managed_regions(actor: Actor) -> QuerySet[Region]:
    """Return the open sharing regions in which the actor may enter organisations."""
    rows = sharing_regions().filter(closed_at=None).order_by("name", "code")
    if actor.may("manage-organisations", Place(None)):
        return rows
    return rows.filter(lineage__overlap=list(actor.regions_where("manage-organisations")))


def organisations_listed(
    text: str = "", region: str = "", kind: str = "", state: str = "open"
) -> QuerySet[Organisation]:
    """Return organisations, ordered by name, that contain the text in a name, the code or the ROR identifier,
    and that lie in the region or below it. `state` is `open`, `closed` or `all`."""
    rows = Organisation.objects.select_related("region").order_by("name", "code")
    if text := text.replace("\0", "").strip():
        fits = [Q(**{f"{name}__icontains": text}) for name in ("name", "name_zh", "code", "ror")]
        rows = rows.filter(reduce(or_, fits))
    if region:
        rows = rows.filter(region__lineage__overlap=Region.objects.filter(code=region).values("pk"))
    if kind:
        rows = rows.filter(kind=kind)
    return rows if state == "all" else rows.filter(closed_at__isnull=state != "closed")


def likely_same(name: str, name_zh: str = "", ror: str = "") -> list[Organisation]:
    """Return at most ten organisations that may be the same as a new one: those with its ROR identifier or
    one of its names, ignoring case."""
    same = [Q(name__iexact=text) | Q(name_zh=text) for text in {name, name_zh} if text]
    same += [Q(ror=ror)] if ror else []
    if not same:
        return []
    rows = Organisation.objects.select_related("region").filter(reduce(or_, same))
    return list(rows.order_by("name", "code")[:10])


def organisation_requests() -> QuerySet[OrganisationRequest]:
    """Return all requests for organisations, the oldest first."""
    return OrganisationRequest.objects.select_related(
        "region", "user", "organisation__region", "decided_by"
    ).order_by("created_at", "id")


def organisation_requests_for(actor: Actor) -> QuerySet[OrganisationRequest]:
    """Return the actor's own requests for organisations, and those for regions whose organisations they
    manage."""
    if actor.may("manage-organisations", Place(None)):
        return organisation_requests()
    seen = Q(user_id=actor.person)
    if above := list(actor.regions_where("manage-organisations")):
        seen |= Q(region__lineage__overlap=above)
    return organisation_requests().filter(seen)


def organisation_requests_to_decide(actor: Actor) -> QuerySet[OrganisationRequest]:
    """Return the open requests that the actor may decide on, which never include their own."""
    rows = organisation_requests_for(actor).filter(state="requested")
    return rows.exclude(user_id=actor.person)


def organisation_request_by_id(actor: Actor, request_id: UUID) -> OrganisationRequest:
    """Return a request for an organisation; `NotFound` if there is none or the actor may not see it."""
    return visible(organisation_requests_for(actor), pk=request_id)


def bookable_organisations(actor: Actor) -> QuerySet[Organisation]:
    """Return the organisations that the actor may book for: they are a member and hold a role that allows
    it."""
    if actor.user_id is None:
        raise NotPermitted
    own = actor.organisations & actor.organisations_where("book")
    return organisations().filter(pk__in=own)


def region_by_code(code: str) -> Region:
    """Return a region by its code, or by scheme and code as `scheme:code`; `NotFound` if there is
    none."""
    if "\0" in code:
        raise NotFound
    scheme, _, bare = code.rpartition(":")
    query = Q(code=bare) & (Q(scheme=scheme) if scheme else Q())
    region = Region.objects.filter(query).order_by("scheme").first()
    if region is None:
        raise NotFound(region=code)
    return region


def require_open(organisation: Organisation) -> None:
    """Raise `WrongState` for a closed organisation: nobody joins it or does anything new in its name."""
    if organisation.closed_at is not None:
        raise WrongState("organisation-closed", organisation=organisation.code)


def organisation_by_id(organisation_id: UUID) -> Organisation:
    """Return an organisation with its region; `NotFound` if there is none."""
    organisation = organisations().filter(pk=organisation_id).first()
    if organisation is None:
        raise NotFound(organisation=str(organisation_id))
    return organisation


def reads_paper(actor: Actor, organisation: Organisation) -> bool:
    """Return whether the actor may read the invoice details that its statements print: its managers and
    finance, auditors and coordinators of its region, and administrators may."""
    place = place_of(organisation)
    return actor.may("read-money", place) or actor.may("manage-organisations", place)


def may_set_invoice_details(actor: Actor, organisation: Organisation) -> bool:
    """Return whether the actor may read and change the invoice details of an organisation: its finance,
    coordinators of its region and administrators may."""
    place = place_of(organisation)
    return actor.may("account", place) or actor.may("manage-organisations", place)


def organisation_to_invoice(actor: Actor, organisation_id: UUID) -> Organisation:
    """Return an organisation whose invoice details the actor may read and change. Raise `NotFound` if there
    is none, `NotPermitted` for anybody else, because the bank account and the tax number are not public."""
    organisation = organisation_by_id(organisation_id)
    if not may_set_invoice_details(actor, organisation):
        raise NotPermitted(capability="account")
    return organisation


def organisation_by_code(code: str) -> Organisation:
    """Return an organisation by its code; `NotFound` if there is none."""
    organisation = organisations().filter(code=code).first()
    if organisation is None:
        raise NotFound(organisation=code)
    return organisation


def organisation_named(name: str) -> Organisation:
    """Return an organisation by its id or its code; `NotFound` if there is none."""
    pk = as_uuid(name)
    organisation = organisations().filter(pk=pk).first() if pk else None
    return organisation or organisation_by_code(name)


MOST_NAMED = 20  # organisations of one person in a refusal
_TWO_OWN = Prepared(lambda ids: organisations().filter(pk__one_of=ids)[:2])
_FIRST_OWN = Prepared(lambda ids: organisations().filter(pk__one_of=ids).order_by("name", "pk")[:1])


def payer_for(actor: Actor, named: str | None) -> Organisation | None:
    """Return the organisation that a price or a booking is for: the one named, or the actor's default or only
    one.

    `named` is the code or the id of one of the actor's active memberships. Without it, return the default
    that the actor has chosen, else their only organisation, or None if they have none; raise `Invalid`
    (`organisation-needed`, with the codes of the `choices`) if they have several.
    """
    own = organisations().filter(pk__in=actor.organisations)
    if named:
        by_id = as_uuid(named)
        named_so = Q(pk=by_id) if by_id else Q(code=named)
        # The database stores no NUL, so no name contains one.
        organisation = None if "\0" in named else own.filter(named_so).first()
        if organisation is None:
            raise invalid("organisation", "not-a-member", organisation=named)
        return organisation
    if actor.default and (default := _TWO_OWN.rows(ids=[actor.default])):
        return default[0]
    choices = _TWO_OWN.rows(ids=sorted(actor.organisations))
    if len(choices) > 1:
        codes = ", ".join(own.order_by("code").values_list("code", flat=True)[:MOST_NAMED])
        raise invalid("organisation", "organisation-needed", choices=codes)
    return choices[0] if choices else None


def payer_read_for(actor: Actor, named: str | None) -> Organisation | None:
    """Return the paying organisation for a request that only reads: the named one, as `payer_for` finds it,
    otherwise the actor's default, else the first of their organisations by name. The answer says which one
    it is."""
    if named or actor.default:
        return payer_for(actor, named)
    return next(iter(_FIRST_OWN.rows(ids=sorted(actor.organisations))), None)


def moves_due(now: datetime, most: int) -> list[UUID]:
    """Return the moves whose day has begun in the new region and that are not yet carried out, oldest
    first."""
    rows = OrganisationMove.objects.filter(
        carried_out_at=None, withdrawn_at=None, starts_on__lte=(now + timedelta(days=1)).date()
    ).select_related("region")
    return [
        row.pk
        for row in rows.order_by("starts_on", "id")[:most]
        if row.starts_on <= now.astimezone(ZoneInfo(row.region.time_zone)).date()
    ]


_MOVES = Prefetch(
    "moves",
    OrganisationMove.objects.filter(withdrawn_at=None).select_related("from_region", "region"),
    to_attr="standing_moves",
)


def load_moves(organisations: Iterable[Organisation]) -> None:
    """Load the moves of those of the organisations that ever moved, for `organisation_region_on`. It takes
    one statement, or none if no organisation ever moved."""
    prefetch_related_objects([each for each in organisations if each.has_moves], _MOVES)


def organisation_moves(organisation: Organisation) -> list[Move[Region]]:
    """Return an organisation's moves between regions, past and planned, except withdrawn ones. It takes no
    statement if there were none or they are loaded."""
    if not organisation.has_moves:
        return []
    load_moves([organisation])
    rows: list[OrganisationMove] = organisation.standing_moves  # type: ignore[attr-defined]
    return [Move(row.starts_on, row.from_region, row.region) for row in rows]


def organisation_regions_held(organisation: Organisation) -> list[tuple[date, date | None, Region]]:
    """Return each region of an organisation with the days [first, until) on which it belongs to it."""
    return regions_held(organisation_moves(organisation), organisation.region)


def organisation_region_on(organisation: Organisation, day: date) -> Region:
    """Return the region of an organisation on a local day, such as the day on which a booking begins; its
    price group depends on it. The organisation must be loaded with its present region."""
    if not organisation.has_moves:
        return organisation.region
    return region_on(organisation_moves(organisation), day, organisation.region)


def lineages(region_ids: Iterable[UUID]) -> frozenset[UUID]:
    """Return the ids of the given regions and of all regions above them."""
    rows = Region.objects.filter(pk__in=set(region_ids)).values_list("lineage", flat=True)
    return frozenset(item for row in rows for item in row)
