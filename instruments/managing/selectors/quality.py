"""Read the quality marks of records, and which records are stale."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, JSONArray

from accounts.prepared import Prepared
from instruments.managing.domain.quality import FRESH_FOR, Details, Quality, Record, is_stale, quality
from instruments.rates.models import RateCard
from instruments.rates.selectors.ratecards import load_card_in_force
from instruments.reading.domain.clock import local_date
from instruments.register.models import Instrument
from instruments.register.selectors.registry import PUBLIC


def load_qualities(
    instruments: Sequence[Instrument], now: datetime, *, priced: Mapping[UUID, bool] | None = None
) -> dict[UUID, Quality]:
    """Return the qualities of instruments, which must be loaded with facility, schedule and policy. `priced`:
    which have a rate card in force; if given, techniques must be loaded too. One statement; none with
    `priced`."""
    if priced is None:
        asides = _load_asides(instruments, now)
    else:
        asides = {i.pk: (len(i.techniques.all()), priced[i.pk]) for i in instruments}
    return {
        i.pk: quality(record_of(i, has_rate_card_in_force=asides[i.pk][1]), _details(i, asides[i.pk][0], now))
        for i in instruments
    }


# Facts from other tables: the number of techniques, and whether a published card is in force.
type Aside = tuple[int, bool]


def _load_asides(instruments: Sequence[Instrument], now: datetime) -> dict[UUID, Aside]:
    today = {i.pk: local_date(ZoneInfo(i.facility.time_zone), now).isoformat() for i in instruments}
    rows = _ASIDES.rows(ids=list(today))
    return {
        pk: (
            techniques,
            any(first <= today[pk] and (until is None or today[pk] < until) for first, until in cards),
        )
        for pk, techniques, cards in rows
    }


_THEIRS = {"instrument_id": OuterRef("pk")}
_ASIDES = Prepared(
    lambda ids: (
        Instrument.objects.filter(pk__one_of=ids)
        .annotate(
            technique_count=_number(Instrument.techniques.through.objects.filter(**_THEIRS), "instrument_id"),
            cards=ArraySubquery(
                RateCard.objects.filter(**_THEIRS, published_at__isnull=False).values(
                    days=JSONArray("valid_from", "valid_until")
                )
            ),
        )
        .values_list("pk", "technique_count", "cards")
    )
)


def _number(rows: QuerySet[Any], of: str) -> Coalesce:
    counted = rows.order_by().values(of).annotate(number=Count("*")).values("number")
    return Coalesce(Subquery(counted), 0)


def record_of(instrument: Instrument, *, has_rate_card_in_force: bool) -> Record:
    """Return the facts for the publishing checklist. Schedule and policy must be loaded with the
    instrument."""
    hours = instrument.schedule.hours if instrument.schedule else {}
    return Record(
        name=instrument.name,
        description=instrument.description or instrument.description_zh,
        manufacturers=len(instrument.manufacturers),
        service_modes=len(instrument.service_modes),
        has_opening_hours=bool(hours.get("weekly") or hours.get("overrides")),
        has_policy=hasattr(instrument, "policy"),
        has_rate_card_in_force=has_rate_card_in_force,
    )


def load_details(instruments: Sequence[Instrument], now: datetime) -> dict[UUID, Details]:
    """Return the facts for the marks silver and gold, by instrument id. One statement."""
    asides = _load_asides(instruments, now)
    return {i.pk: _details(i, asides[i.pk][0], now) for i in instruments}


def _details(instrument: Instrument, techniques: int, now: datetime) -> Details:
    facility = instrument.facility
    return Details(
        model=instrument.model,
        name_zh=instrument.name_zh,
        description=instrument.description,
        description_zh=instrument.description_zh,
        techniques=techniques,
        has_address=bool(facility.address),
        has_contact=bool(facility.contact_email or facility.contact_phone),
        photos=instrument.photo_count,
        has_identifier=bool(instrument.identifier),
        has_serial_number=bool(_numbers(instrument.alternate_identifiers)),
        has_date=bool(instrument.dates or instrument.acquisition_date),
        has_variables=bool(instrument.measured_variables or instrument.instrument_types),
        is_stale=is_stale_record(instrument, now),
    )


def _numbers(identifiers: Iterable[dict[str, str]]) -> list[str]:
    """Return the serial and inventory numbers among these identifiers."""
    kinds = {"SerialNumber", "InventoryNumber"}
    return [i["identifier"] for i in identifiers if i.get("identifier_type") in kinds]


def is_stale_record(instrument: Instrument, now: datetime) -> bool:
    """Say whether a public record was neither changed nor confirmed for a year."""
    is_public = instrument.publication in PUBLIC
    return is_public and is_stale(instrument.updated_at, instrument.confirmed_at, now)


def stale_records(now: datetime) -> QuerySet[Instrument]:
    """Return the public records that were neither changed nor confirmed for a year, ordered by host."""
    since = now - FRESH_FOR
    return (
        Instrument.objects.filter(
            Q(confirmed_at=None) | Q(confirmed_at__lte=since), publication__in=PUBLIC, updated_at__lte=since
        )
        .select_related("facility", "organisation__region", "region")
        .order_by("organisation_id", "name", "id")
    )


def load_record(instrument: Instrument, today: date) -> Record:
    """Load the rate card in force and return the facts for the publishing checklist. Schedule and policy must
    be loaded with the instrument."""
    card = load_card_in_force(instrument.pk, today)
    return record_of(instrument, has_rate_card_in_force=card is not None)
