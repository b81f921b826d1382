"""Read instruments and facilities that a person may see."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.domain.errors import NotFound, NotPermitted
from accounts.domain.regions import Move, region_on, regions_held
from accounts.domain.roles import Actor
from accounts.models import Region
from accounts.prepared import Prepared
from accounts.selectors.memberships import Limit, in_scope, place_of
from accounts.selectors.organisations import organisation_moves
from accounts.selectors.rows import visible
from instruments.register.models import Facility, HostBlock, Instrument
from instruments.vocabulary.models import Technique

PUBLIC = (Instrument.Publication.PUBLISHED, Instrument.Publication.SUSPENDED)
WITH = ("facility", "organisation", "region", "schedule", "policy")
# Columns of the record that are not needed to decide about its time and rules.
RECORD = (
    "description",
    "description_zh",
    "owners",
    "manufacturers",
    "instrument_types",
    "measured_variables",
    "dates",
    "related_identifiers",
    "alternate_identifiers",
    "schedule__hours",  # resolved and cached by digest (instruments/opening/selectors)
)


def instruments_for(actor: Actor) -> QuerySet[Instrument]:
    """Return the instruments that the actor may see: public ones, and in any state those of the actor's
    organisations and, for auditors, regions."""
    seen = Q(publication__in=PUBLIC)
    if actor.organisations:
        seen |= Q(organisation_id__in=actor.organisations)
    regions = list(actor.regions_where("read-hours"))
    if regions:
        seen |= Q(region__lineage__overlap=regions)
    return Instrument.objects.filter(seen).select_related(*WITH)


def may_see(actor: Actor, instrument: Instrument) -> bool:
    """Say whether the actor may see a loaded instrument."""
    return (
        instrument.publication in PUBLIC
        or instrument.organisation_id in actor.organisations
        or actor.may("read-hours", place_of(instrument.organisation, instrument))
    )


def instrument_by_id(actor: Actor, instrument_id: UUID) -> Instrument:
    """Return an instrument with its techniques. `NotFound` if there is none, or the actor may not see it."""
    rows = instruments_for(actor).select_related("organisation__region")
    return visible(rows.prefetch_related("techniques"), pk=instrument_id)


def instrument_to_book(actor: Actor, instrument_id: UUID) -> Instrument:
    """Return an instrument like `instrument_by_id`, without the fields that only its record shows. One
    statement."""
    instrument = _TO_BOOK.first(pk=instrument_id)
    if instrument is None or not may_see(actor, instrument):
        raise NotFound
    return instrument


# Whether the host blocks anybody: who asks for more takes one statement more.
HAS_BLOCKS = Exists(HostBlock.objects.filter(host=OuterRef("organisation"), lifted_at=None))

_TO_BOOK = Prepared(
    lambda pk: (
        Instrument.objects.select_related(*WITH).defer(*RECORD).annotate(has_blocks=HAS_BLOCKS).filter(pk=pk)
    )
)


def instruments_in_order(ids: Sequence[UUID]) -> list[Instrument]:
    """Return the instruments with these ids, in the same order, with the rows that their calendars need. One
    statement."""
    rows = Instrument.objects.select_related(*WITH).defer(*RECORD).in_bulk(ids)
    return [rows[pk] for pk in ids if pk in rows]


def host_region_on(instrument: Instrument, day: date) -> Region:
    """Return the region on a local day of the instrument's host, which must be loaded with it."""
    if not instrument.organisation.has_moves:
        return instrument.region
    return region_on(organisation_moves(instrument.organisation), day, instrument.region)


def host_regions_held(instrument: Instrument) -> list[tuple[date, date | None, UUID]]:
    """Return the regions in which the instrument's host has been, each with its days [first, until)."""
    moves = organisation_moves(instrument.organisation)
    held = [Move(m.starts_on, m.from_region.pk, m.region.pk) for m in moves]
    return regions_held(held, instrument.region_id)


def host_regions(instrument: Instrument) -> set[UUID]:
    """Return the ids of all regions in which the instrument's host has been or will be."""
    return {region for _, _, region in host_regions_held(instrument)}


def published() -> QuerySet[Instrument]:
    """Return the published instruments, which anybody may see."""
    return Instrument.objects.filter(publication=Instrument.Publication.PUBLISHED)


def catalogue_records(since: datetime | None, region: str) -> QuerySet[Instrument]:
    """Return all records that were ever public, retired ones too, for registers that keep a copy; with
    `since`, only those changed from then on. A region includes those below it."""
    rows = Instrument.objects.filter(published_at__isnull=False).select_related(*WITH)
    if since is not None:
        rows = rows.filter(updated_at__gte=since)
    if region:
        above = Region.objects.filter(code=region).values_list("pk", flat=True)
        rows = rows.filter(region__lineage__overlap=list(above))
    return rows


def managed_instruments(actor: Actor) -> QuerySet[Instrument]:
    """Return the instruments that the actor manages."""
    return (
        Instrument.objects.filter(in_scope(actor.scope_where("manage-instruments"), "organisation_id", None))
        .select_related(*WITH)
        .order_by("name", "id")
    )


def managed_by_name(actor: Actor, capability: str = "manage-instruments") -> QuerySet[Instrument]:
    """Return the instruments for which the actor has a capability, retired ones too, with no more than their
    names."""
    rows = Instrument.objects.filter(in_scope(actor.scope_where(capability), "organisation_id", None))
    return rows.only("name", "name_zh")


def operated_instruments(actor: Actor) -> QuerySet[Instrument]:
    """Return the instruments that the actor operates, by name."""
    reach = in_scope(actor.scope_where("operate-instruments"), "organisation", None)
    return Instrument.objects.filter(reach).select_related(*WITH).order_by("name", "id")


def operated_by_name(actor: Actor) -> QuerySet[Instrument]:
    """Return the instruments that the actor operates, retired ones too, with no more than their names."""
    reach = in_scope(actor.scope_where("operate-instruments"), "organisation", None)
    return Instrument.objects.filter(reach).only("name", "name_zh")


def role_limits(ids: Iterable[UUID]) -> dict[UUID, Limit]:
    """Return the facilities and instruments with these ids, to which roles may be limited."""
    kinds: dict[str, Any] = {"facility": Facility, "instrument": Instrument}
    values = ("pk", "organisation_id", "name", "name_zh")
    return {
        pk: Limit(kind, *rest)
        for kind, model in kinds.items()
        for pk, *rest in model.objects.filter(pk__in=list(ids)).values_list(*values)
    }


def facilities() -> QuerySet[Facility]:
    return Facility.objects.select_related("organisation__region").order_by("name", "id")


def facilities_where(actor: Actor, capability: str) -> QuerySet[Facility]:
    """Return the facilities where the actor has a capability: those of whole organisations, and those for
    which a role is held. A role for an instrument gives none."""
    scope = actor.scope_where(capability)
    reach = Q(organisation_id__in=scope.organisations)
    for organisation, facility in sorted(scope.facilities):
        reach |= Q(organisation_id=organisation, pk=facility)
    return facilities().filter(reach)


def hosts_managed_in_part(actor: Actor) -> frozenset[UUID]:
    """Return the organisations of which the actor manages facilities or instruments, but not the whole."""
    managed = actor.scope_where("manage-instruments")
    return managed.hosts - managed.organisations


def facilities_to_enter(actor: Actor) -> QuerySet[Facility]:
    """Return the facilities in which the actor is offered to enter instruments. Whoever manages a part of an
    organisation is offered that part alone, because they could not complete a draft elsewhere."""
    managed = [facility for _, facility in actor.scope_where("manage-instruments").facilities]
    elsewhere = Q(organisation_id__in=hosts_managed_in_part(actor)) & ~Q(pk__in=managed)
    return facilities_where(actor, "register-instruments").exclude(elsewhere)


def facility_by_id(facility_id: UUID) -> Facility:
    """Return a facility. `NotFound` if there is none."""
    return visible(facilities(), pk=facility_id)


def techniques_by_code(codes: list[str]) -> list[Technique]:
    """Return the techniques with these codes, in the same order. `NotFound` names the first unknown code."""
    by_code = {t.code: t for t in Technique.objects.filter(code__in=codes)}
    for code in codes:
        if code not in by_code:
            raise NotFound(technique=code)
    return [by_code[code] for code in dict.fromkeys(codes)]


def instrument_to_manage(
    actor: Actor, instrument_id: UUID, capability: str = "manage-instruments"
) -> Instrument:
    """Return an instrument. `NotFound` if the actor may not see it, `NotPermitted` without the capability for
    it at its host."""
    instrument = instrument_by_id(actor, instrument_id)
    if not actor.may(capability, place_of(instrument.organisation, instrument)):
        is_public = instrument.publication in PUBLIC
        raise NotPermitted(at=instrument.organisation_id, is_named=is_public, capability=capability)
    return instrument
