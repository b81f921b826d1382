"""Decide which instruments' hours a person may read, and apply their filters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.conf import settings
from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from accounts.domain.errors import NotPermitted, invalid
from accounts.domain.roles import Actor
from accounts.models import Organisation, Region
from bookings.hours.selectors.sums import hosts_by
from bookings.record.domain.disclosure import hidden_rows
from instruments.register.models import Facility, Instrument
from instruments.search.selectors.search import branch
from instruments.vocabulary.models import Technique


@dataclass(frozen=True)
class HoursScope:
    """The instruments whose hours are summed up; `facilities` is set if these are all instruments of some
    facilities. `is_public`: the person reads public figures only, in which small groups are hidden."""

    instruments: QuerySet[Instrument]
    facilities: QuerySet[Facility] | None
    is_public: bool = False


# The groups and filters that the public may use.
PUBLIC_BY = frozenset({"month", "year", "region", "technique"})
_PUBLIC_NARROWED = frozenset({"region", "technique"})


def reads_hours(actor: Actor) -> bool:
    """Say whether some role lets the person read hours that are not public."""
    return bool(
        actor.has("administrator")
        or actor.organisations_where("read-hours")
        or actor.regions_where("read-hours")
    )


def scope_for(actor: Actor, narrowed: Mapping[str, Any]) -> HoursScope:
    """Return the hours that the person may read within the filters. People without a role that reads hours
    get public figures: of regions in which enough organisations have instruments. Raises `NotPermitted` if
    those are filtered to less than a region or technique."""
    if not reads_hours(actor):
        if not _PUBLIC_NARROWED.issuperset(narrowed):
            raise NotPermitted
        public = _public_regions()
        instruments = _narrowed(Instrument.objects.filter(region_id__in=public), narrowed)
        facilities = Facility.objects.filter(organisation__region_id__in=public)
        return HoursScope(
            instruments, None if "technique" in narrowed else _in_region(facilities, narrowed), is_public=True
        )
    instruments = instruments_in(actor, narrowed)
    if {"technique", "instrument"} & set(narrowed):
        return HoursScope(instruments, None)
    seen = Q(organisation_id__in=actor.organisations_where("read-hours"))
    if regions := list(actor.regions_where("read-hours")):
        seen |= Q(organisation__region__lineage__overlap=regions)
    facilities = Facility.objects.filter(Q() if actor.has("administrator") else seen)
    facilities = _in_region(facilities, narrowed)
    if organisation := narrowed.get("organisation"):
        facilities = facilities.filter(organisation__code=organisation)
    if facility := narrowed.get("facility"):
        facilities = facilities.filter(pk=facility)
    return HoursScope(instruments, facilities)


def whole_months(since: date, until: date) -> None:
    """Raise `Invalid` unless the days [since, until) are whole months: otherwise hidden public figures could
    be computed from two answers that differ by some days."""
    if since.day != 1:
        raise invalid("from", "whole-months")
    if until.day != 1:
        raise invalid("until", "whole-months")


def hidden_for(scope: HoursScope, by: Sequence[str]) -> set[tuple[Any, ...]]:
    """Return the groups (`HoursRow.groups`) that a public scope hides. One statement."""
    if not scope.is_public:
        return set()
    hosts = hosts_by(scope.instruments, scope.facilities, by)
    return hidden_rows(hosts, settings.PUBLIC_LEAST_ORGANISATIONS)


def _public_regions() -> QuerySet[Any]:
    """Return the ids of regions in which enough organisations have instruments."""
    equipped = Facility.objects.filter(
        Exists(Instrument.objects.filter(facility_id=OuterRef("pk")))
    ).order_by()
    hosts = equipped.values("organisation__region_id").annotate(hosts=Count("organisation_id", distinct=True))
    enough = hosts.filter(hosts__gte=settings.PUBLIC_LEAST_ORGANISATIONS)
    return enough.values("organisation__region_id")


def _in_region(facilities: QuerySet[Facility], narrowed: Mapping[str, Any]) -> QuerySet[Facility]:
    region = narrowed.get("region")
    if not region:
        return facilities
    ids = list(Region.objects.filter(code=region).values_list("pk", flat=True))
    within = "region_id__in" if _is_exact("region", narrowed) else "region__lineage__overlap"
    return facilities.filter(**{f"organisation__{within}": ids}) if ids else facilities.none()


def instruments_in(actor: Actor, narrowed: Mapping[str, Any]) -> QuerySet[Instrument]:
    """Return the instruments of the organisations and regions that the actor's roles name (for administrators
    all), filtered by region, organisation, technique (codes), facility, instrument (ids). Those below a
    region or technique are left out if `exact` names it, as in a row of that group."""
    seen = Q(organisation_id__in=actor.organisations_where("read-hours"))
    regions = list(actor.regions_where("read-hours"))
    if regions:
        seen |= Q(region__lineage__overlap=regions)
    if actor.has("administrator"):
        seen = Q()
    return _narrowed(Instrument.objects.filter(seen), narrowed)


def _is_exact(name: str, narrowed: Mapping[str, Any]) -> bool:
    return name in narrowed.get("exact", "").split(",")


def _narrowed(rows: QuerySet[Instrument], narrowed: Mapping[str, Any]) -> QuerySet[Instrument]:
    if region := narrowed.get("region"):
        ids = list(Region.objects.filter(code=region).values_list("pk", flat=True))
        within = "region_id__in" if _is_exact("region", narrowed) else "region__lineage__overlap"
        rows = rows.filter(**{within: ids}) if ids else rows.none()
    if organisation := narrowed.get("organisation"):
        rows = rows.filter(organisation__code=organisation)
    if technique := narrowed.get("technique"):
        tagged = Instrument.techniques.through.objects.filter(
            Q(technique__code=technique)
            if _is_exact("technique", narrowed)
            else Q(technique_id__in=branch(technique))
        )
        rows = rows.filter(pk__in=tagged.values("instrument_id"))
    if facility := narrowed.get("facility"):
        rows = rows.filter(facility_id=facility)
    if instrument := narrowed.get("instrument"):
        rows = rows.filter(pk=instrument)
    return rows


def scope_names(actor: Actor, narrowed: Mapping[str, Any]) -> dict[str, Any]:
    """Return the records that the figures are filtered to; those that do not exist, or whose hours the actor
    may not read, are left out."""
    reach = instruments_in(actor, {})
    lookups: dict[str, tuple[QuerySet[Any], str]] = {
        "region": (Region.objects.all(), "code"),
        "organisation": (Organisation.objects.all(), "code"),
        "technique": (Technique.objects.all(), "code"),
        "facility": (Facility.objects.filter(pk__in=reach.values("facility_id")), "pk"),
        "instrument": (reach, "pk"),
    }
    named = {}
    for name, value in narrowed.items():
        if name == "exact":
            continue
        records, key = lookups[name]
        record = records.filter(**{key: value}).first()
        if record is not None:
            named[name] = record
    return named
