"""Which instruments' hours a person may read, and how they narrowed them."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Q, QuerySet

from accounts.domain.roles import Actor
from accounts.models import Organisation, Region
from instruments.models import Facility, Instrument, Technique
from instruments.selectors.search import branch


def instruments_in(actor: Actor, narrowed: Mapping[str, Any]) -> QuerySet[Instrument]:
    """Those of the organisations and regions the actor's roles name (an administrator's are
    all), narrowed by region, organisation, technique (codes), facility, instrument (ids)."""
    seen = Q(organisation_id__in=actor.organisations_where("read-hours"))
    regions = list(actor.regions_where("read-hours"))
    if regions:
        seen |= Q(region__lineage__overlap=regions)
    if actor.has("administrator"):
        seen = Q()
    found = Instrument.objects.filter(seen)
    if region := narrowed.get("region"):
        ids = list(Region.objects.filter(code=region).values_list("pk", flat=True))
        found = found.filter(region__lineage__overlap=ids) if ids else found.none()
    if organisation := narrowed.get("organisation"):
        found = found.filter(organisation__code=organisation)
    if technique := narrowed.get("technique"):
        found = found.filter(
            pk__in=Instrument.techniques.through.objects.filter(
                technique_id__in=branch(technique)
            ).values("instrument_id")
        )
    if facility := narrowed.get("facility"):
        found = found.filter(facility_id=facility)
    if instrument := narrowed.get("instrument"):
        found = found.filter(pk=instrument)
    return found


def scope_names(actor: Actor, narrowed: Mapping[str, Any]) -> dict[str, Any]:
    """What the figures are narrowed to, as records with names; what is not there, or beyond
    the hours the actor may read, is left out."""
    reach = instruments_in(actor, {})
    lookups: dict[str, tuple[QuerySet[Any], str]] = {
        "region": (Region.objects.all(), "code"),
        "organisation": (Organisation.objects.all(), "code"),
        "technique": (Technique.objects.all(), "code"),
        "facility": (Facility.objects.filter(pk__in=reach.values("facility_id")), "pk"),
        "instrument": (reach, "pk"),
    }
    found = {}
    for name, value in narrowed.items():
        records, key = lookups[name]
        record = records.filter(**{key: value}).first()
        if record is not None:
            found[name] = record
    return found
