"""Find equivalent instruments: those with the same techniques, in any region."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.cache import cache
from django.db.models import Case, Count, QuerySet, Value, When

from accounts.domain.errors import Invalid
from accounts.models import Organisation
from accounts.prepared import Prepared
from accounts.selectors.organisations import load_moves
from bookings.availability.domain.availability import Calendar, Wish
from bookings.availability.selectors import availability
from bookings.catalogue.selectors.askers import load_asker, load_askers
from bookings.catalogue.selectors.catalogue import load_cards
from bookings.pricing.domain.fees import quote
from bookings.pricing.selectors import fees
from bookings.record.domain.periods import Period
from bookings.record.domain.refusals import CAPACITY, Equivalent, Refusal
from bookings.record.models import Reservation
from instruments.register.models import Instrument
from instruments.register.selectors.registry import RECORD, WITH

LOOKED_AT = 12
SHOWN = 3


def equivalents_of(instrument: Instrument, *, regions: Iterable[UUID] = ()) -> QuerySet[Instrument]:
    """Return published instruments with all the techniques of this one, in the given regions or those below
    them (by default everywhere), its own region first. An instrument without techniques has none."""
    techniques = _TECHNIQUES.rows(instrument=instrument.pk)
    if not techniques:
        return Instrument.objects.none()
    rows = _sharing(techniques=techniques, pk=instrument.pk, region_id=instrument.region_id)
    if named := list(regions):
        rows = rows.filter(region__lineage__overlap=named)
    return rows


def _sharing(*, techniques: Any, pk: Any, region_id: Any) -> QuerySet[Instrument]:
    same = (
        Instrument.techniques.through.objects.filter(technique_id__one_of=techniques)
        .values("instrument_id")
        .annotate(shared=Count("technique_id"))
        .filter(shared=len(techniques))  # type: ignore[misc]
    )
    return (
        Instrument.objects.filter(
            publication=Instrument.Publication.PUBLISHED, pk__in=same.values("instrument_id")
        )
        .exclude(pk=pk)
        .select_related(*WITH)
        .alias(is_near=Case(When(region_id=region_id, then=Value(0)), default=Value(1)))
        .order_by("is_near", "name", "id")
    )


_TECHNIQUES = Prepared(
    lambda instrument: Instrument.techniques.through.objects.filter(instrument_id=instrument).values_list(
        "technique_id", flat=True
    )
)
_CANDIDATES = Prepared(lambda **slots: _sharing(**slots).values_list("pk", flat=True)[:LOOKED_AT])
_STILL_PUBLISHED = Prepared(
    lambda ids: (
        Instrument.objects.filter(pk__one_of=ids, publication=Instrument.Publication.PUBLISHED)
        .select_related(*WITH)
        .defer(*RECORD)
    )
)


def _candidates(instrument: Instrument) -> list[UUID]:
    """Return the ids of instruments with the same techniques, cached for a minute: when a slot is in demand,
    everybody who is refused looks for the same ones."""
    pk, region_id = instrument.pk, instrument.region_id

    def load() -> list[UUID]:
        techniques = _TECHNIQUES.rows(instrument=pk)
        return _CANDIDATES.rows(techniques=techniques, pk=pk, region_id=region_id)

    return cache.get_or_set(f"equivalents:{pk}:{region_id}", load, 60) or []


def load_equivalents(
    instrument: Instrument,
    payer: Organisation | None,
    enquiry: fees.PriceRequest,
    now: datetime,
    *,
    user_id: UUID | None,
) -> tuple[Equivalent, ...]:
    """Return the few equivalents that could take the period nearest to the one requested, with their price;
    the nearest first, then the cheapest after vouchers. It takes at most twelve statements, four more if
    hours are guaranteed.

    If enough of them could take exactly that period, no other periods are searched. Which instruments have
    the same techniques is cached for a minute.
    """
    mode = enquiry.service_mode
    ids = _candidates(instrument)
    rows = {row.pk: row for row in _STILL_PUBLISHED.rows(ids=ids)}
    candidates = [rows[pk] for pk in ids if pk in rows and mode in rows[pk].service_modes]
    if not candidates:
        return ()
    cards = load_cards([i.pk for i in candidates])
    backing = fees.load_backing(payer)
    load_moves(i.organisation for i in candidates)
    terms = {i.pk: fees.terms_on(i, backing, cards.get(i.pk, []), enquiry.period.start) for i in candidates}
    askers = load_askers(candidates, payer, terms, user_id=user_id, mode=mode)
    served = [i for i in candidates if terms[i.pk].offers(mode)]
    narrow = _calendars(served, enquiry.period, now)
    periods = {
        other.pk: enquiry.period
        for other in served
        if other.pk in narrow and not narrow[other.pk].check(Wish(enquiry.period, askers[other.pk]), now)
    }
    if len(periods) < SHOWN:
        rest = [other for other in served if other.pk not in periods]
        for pk, calendar in _calendars(rest, availability.around(enquiry.period), now).items():
            nearest = calendar.nearest(Wish(enquiry.period, askers[pk]), now)
            if nearest is not None:
                periods[pk] = nearest
    offered = [
        _equivalent(
            other,
            replace(
                fees.terms_on(other, backing, cards.get(other.pk, []), period.start),
                kept=narrow[other.pk].rights(askers[other.pk].organisation),
            ),
            replace(enquiry, period=period, options={}),
        )
        for other in served
        if (period := periods.get(other.pk))
    ]
    start = enquiry.period.start
    offered.sort(key=lambda e: (abs(e.period.start - start), e.payable is None, e.payable or 0))
    return tuple(offered[:SHOWN])


def _calendars(instruments: Sequence[Instrument], within: Period, now: datetime) -> dict[UUID, Calendar]:
    """Return the calendars of those instruments that have one. It takes at most four statements."""
    span = availability.covered_all(instruments, within)
    blocks = availability.load_blocks([i.pk for i in instruments], span, now)
    booked = availability.load_booked(instruments, span, now)
    promises = availability.load_promises(instruments, now)
    calendars = {
        i.pk: availability.calendar_of(i, span, blocks[i.pk], booked.get(i.pk, ()), promises.get(i.pk))
        for i in instruments
    }
    return {pk: calendar for pk, calendar in calendars.items() if calendar is not None}


def _equivalent(instrument: Instrument, terms: fees.Terms, enquiry: fees.PriceRequest) -> Equivalent:
    given = fees.quote_input(instrument, terms, enquiry)
    payable = None
    if given is not None:
        try:
            payable = quote(given).payable
        except Invalid:  # priced by the sample, and nobody said how many
            payable = None
    return Equivalent(
        instrument=instrument.pk,
        name=instrument.name,
        name_zh=instrument.name_zh,
        host=instrument.organisation.code,
        host_names=(instrument.organisation.name, instrument.organisation.name_zh),
        region=instrument.region.code,
        region_names=(instrument.region.name, instrument.region.name_zh),
        time_zone=instrument.facility.time_zone,
        period=enquiry.period,
        price_group=terms.price_group,
        currency=terms.card.values.currency if terms.card else "",
        payable=payable,
    )


def load_nearest(reservation: Reservation, now: datetime) -> tuple[Equivalent, ...]:
    """Return the free periods nearest to a booking that cannot take place, on its own instrument and on
    equivalent ones, nearest first. It takes at most eighteen statements."""
    instrument = Instrument.objects.select_related(*WITH).get(pk=reservation.instrument_id)
    payer = reservation.organisation
    period = Period(reservation.start_at, reservation.end_at)
    enquiry = fees.PriceRequest(period, reservation.service_mode)
    person = reservation.user_id
    offered = list(load_equivalents(instrument, payer, enquiry, now, user_id=person))
    terms = fees.load_terms(instrument, payer, period.start)
    calendar = availability.load_calendar(instrument, availability.around(period), now)
    if calendar is not None:
        asker = load_asker(instrument, payer, terms, user_id=person, mode=enquiry.service_mode)
        nearest = calendar.nearest(Wish(period, asker), now)
        if nearest is not None:
            on_day = fees.load_terms(instrument, payer, nearest.start)
            on_day = replace(on_day, kept=calendar.rights(payer.pk))
            if on_day.offers(enquiry.service_mode):
                offered.insert(0, _equivalent(instrument, on_day, replace(enquiry, period=nearest)))
    offered.sort(key=lambda e: abs(e.period.start - period.start))
    return tuple(offered[:SHOWN])


def with_equivalents(
    refusals: Sequence[Refusal],
    instrument: Instrument,
    payer: Organisation | None,
    enquiry: fees.PriceRequest,
    now: datetime,
    *,
    user_id: UUID | None,
) -> tuple[Refusal, ...]:
    """Return the refusals, the first of which for lack of capacity lists equivalent instruments."""
    lacking = next((refusal for refusal in refusals if refusal.code in CAPACITY), None)
    if lacking is None:
        return tuple(refusals)
    others = load_equivalents(instrument, payer, enquiry, now, user_id=user_id)
    return tuple(
        replace(refusal, equivalents=others) if refusal is lacking else refusal for refusal in refusals
    )
