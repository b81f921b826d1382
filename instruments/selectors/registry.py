"""Instruments and facilities, as far as each person may see them."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.domain.errors import NotFound
from accounts.domain.regions import Move, region_on, regions_held
from accounts.domain.roles import Actor
from accounts.models import Region
from accounts.prepared import Prepared
from accounts.selectors.memberships import place_of
from accounts.selectors.organisations import organisation_moves
from accounts.selectors.rows import visible
from instruments.models import Facility, Instrument, Technique

PUBLIC = (Instrument.Publication.PUBLISHED, Instrument.Publication.SUSPENDED)
WITH = ("facility", "organisation", "region", "schedule", "policy")
# Columns of the record that deciding about its time and rules never asks for.
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
    "schedule__hours",  # resolved and kept by its digest (selectors/opening)
)


def instruments_for(actor: Actor) -> QuerySet[Instrument]:
    """Return the instruments anyone may see, and those of one's own organisations or, for an
    auditor, regions in whatever state."""
    seen = Q(publication__in=PUBLIC)
    if actor.organisations:
        seen |= Q(organisation_id__in=actor.organisations)
    regions = list(actor.regions_where("read-hours"))
    if regions:
        seen |= Q(region__lineage__overlap=regions)
    return Instrument.objects.filter(seen).select_related(*WITH)


def may_see(actor: Actor, instrument: Instrument) -> bool:
    """Whether the actor may see an instrument that is loaded already."""
    return (
        instrument.publication in PUBLIC
        or instrument.organisation_id in actor.organisations
        or actor.may("read-hours", place_of(instrument.organisation))
    )


def instrument_by_id(actor: Actor, instrument_id: UUID) -> Instrument:
    """Return an instrument with its techniques; `NotFound` if there is none, or it is not the
    actor's to see."""
    rows = instruments_for(actor).select_related("organisation__region")
    return visible(rows.prefetch_related("techniques"), pk=instrument_id)


def instrument_to_book(actor: Actor, instrument_id: UUID) -> Instrument:
    """As `instrument_by_id`, without what only its record tells. One statement."""
    instrument = _TO_BOOK.first(pk=instrument_id)
    if instrument is None or not may_see(actor, instrument):
        raise NotFound
    return instrument


_TO_BOOK = Prepared(
    lambda pk: Instrument.objects.select_related(*WITH).defer(*RECORD).filter(pk=pk)
)


def instruments_in_order(ids: Sequence[UUID]) -> list[Instrument]:
    """Return instruments whose ids are known, in their order, with what their calendars need. One
    statement."""
    rows = Instrument.objects.select_related(*WITH).defer(*RECORD).in_bulk(ids)
    return [rows[pk] for pk in ids if pk in rows]


def host_region_on(instrument: Instrument, day: date) -> Region:
    """Return the region of the instrument's host (loaded with it) on a local day."""
    if not instrument.organisation.has_moves:
        return instrument.region
    return region_on(organisation_moves(instrument.organisation), day, instrument.region)


def host_regions_held(instrument: Instrument) -> list[tuple[date, date | None, UUID]]:
    """Return the regions its host lies in, each on the days [first, until)."""
    moves = organisation_moves(instrument.organisation)
    held = [Move(m.starts_on, m.from_region.pk, m.region.pk) for m in moves]
    return regions_held(held, instrument.region_id)


def host_regions(instrument: Instrument) -> set[UUID]:
    """Return the regions its host lies in on some day."""
    return {region for _, _, region in host_regions_held(instrument)}


def published() -> QuerySet[Instrument]:
    """Return what is on offer; anyone may see it."""
    return Instrument.objects.filter(publication=Instrument.Publication.PUBLISHED)


def catalogue_records(since: datetime | None, region: str) -> QuerySet[Instrument]:
    """Return every record that anybody could ever see, those retired since too, for registers that
    keep a copy: what changed last comes last. A region includes those below it."""
    rows = Instrument.objects.filter(published_at__isnull=False).select_related(*WITH)
    if since is not None:
        rows = rows.filter(updated_at__gte=since)
    if region:
        above = Region.objects.filter(code=region).values_list("pk", flat=True)
        rows = rows.filter(region__lineage__overlap=list(above))
    return rows


def managed_instruments(actor: Actor) -> QuerySet[Instrument]:
    """Return the instruments of organisations the actor manages."""
    return (
        Instrument.objects.filter(
            organisation_id__in=actor.organisations_where("manage-instruments")
        )
        .select_related(*WITH)
        .order_by("name", "id")
    )


def facilities() -> QuerySet[Facility]:
    return Facility.objects.select_related("organisation__region").order_by("name", "id")


def facility_by_id(facility_id: UUID) -> Facility:
    """Return a facility. `NotFound` if there is none."""
    return visible(facilities(), pk=facility_id)


def techniques_by_code(codes: list[str]) -> list[Technique]:
    """Return techniques in the order given; `NotFound` names the first code there is none for."""
    by_code = {t.code: t for t in Technique.objects.filter(code__in=codes)}
    for code in codes:
        if code not in by_code:
            raise NotFound(technique=code)
    return [by_code[code] for code in dict.fromkeys(codes)]
