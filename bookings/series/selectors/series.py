"""Recurring bookings: a preview of each date, and the bookings that were made."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from accounts.domain.errors import NotFound, WrongState, invalid
from accounts.domain.roles import Actor
from accounts.models import Organisation
from accounts.permissions import require
from accounts.selectors.memberships import place_of
from accounts.selectors.organisations import payer_for
from accounts.selectors.rows import visible
from bookings.availability.selectors.house_rules import load_acceptance
from bookings.catalogue.selectors.holds import holds_of
from bookings.funding.domain.funding import Share
from bookings.funding.selectors.defaults import load_default_on
from bookings.funding.selectors.funding import NO_FUNDING, Funding, load_funding
from bookings.pricing.domain.quotes import Quote, input_to_json, minimum_charged
from bookings.pricing.selectors.fees import Backing, PriceRequest, load_backing
from bookings.record.domain.periods import Period
from bookings.record.domain.refusals import Refusal
from bookings.record.domain.reservations import effective_state
from bookings.record.models import Reservation
from bookings.record.selectors.reservations import reservations_for
from bookings.reserving.selectors.cancelling import is_left, load_cancellation_sums
from bookings.reserving.selectors.placing import Place
from bookings.reserving.selectors.weighing import Weighing
from bookings.series.domain.series import (
    SCOPES,
    Rule,
    Standing,
    chosen,
    instant_of,
    occurrences,
    parse_rule,
    wall_of,
    wall_times,
)
from bookings.series.models import Series
from instruments.reading.domain.clock import local_date
from instruments.register.models import Instrument
from instruments.register.selectors.registry import instrument_to_book

# Before anything is booked


@dataclass(frozen=True)
class Occurrence:
    """One date of a series: what refuses it, with the nearest time that would be allowed; the place if
    nothing does; the price, None if the group has no price on that day."""

    index: int
    period: Period
    refusals: tuple[Refusal, ...]
    place: Place | None
    quote: Quote | None


@dataclass(frozen=True)
class SeriesPreview:
    """All dates of a series, each judged as if those before it were booked."""

    rule: Rule
    time_zone: str
    occurrences: tuple[Occurrence, ...]

    @property
    def bookable(self) -> int:
        """Return the number of dates that could be booked."""
        return sum(not occurrence.refusals for occurrence in self.occurrences)

    @property
    def currency(self) -> str | None:
        return next((o.quote.currency for o in self.occurrences if o.quote), None)

    @property
    def total(self) -> Decimal | None:
        """Return the total of the dates that could be booked, tax included, before vouchers; None if no date
        has a price."""
        return self._sum("total")

    @property
    def payable(self) -> Decimal | None:
        """Return the sum to pay for the dates that could be booked, after vouchers; None if no date has a
        price."""
        return self._sum("payable")

    @property
    def minimum(self) -> int:
        """Return the least minutes by which each date is charged; 0 if the dates are as long."""
        priced = (o.place.price for o in self.occurrences if o.place and o.place.price)
        return next((minimum_charged(input_to_json(price.given)) for price in priced), 0)

    def _sum(self, name: str) -> Decimal | None:
        passing = [getattr(o.quote, name) for o in self.occurrences if o.quote and not o.refusals]
        return sum(passing, Decimal(0)) if self.currency else None


def load_series_preview(
    actor: Actor,
    instrument_id: UUID,
    organisation: str | None,
    enquiry: PriceRequest,
    rule: str,
    now: datetime,
    *,
    shares: Sequence[Share] | None = (),
    accepts: int | None = None,
    asks_rules: bool = False,
) -> SeriesPreview:
    """Return a preview of a series that begins with the requested period, without booking it. The person's
    own holds on the instrument are ignored, since booking releases them. With `asks_rules` every date is
    refused until the house rules are accepted, by `accepts` (their version) or before; a form asks for them
    beside its preview instead. `shares` None: the default of the person pays.

    Raises what booking it would: `NotFound`, `NotPermitted`, `Invalid`. The number of statements does not
    grow with the number of dates.
    """
    instrument = instrument_to_book(actor, instrument_id)
    payer = payer_for(actor, organisation)
    if payer is None:
        raise invalid("organisation", "organisation-needed")
    require(actor, "book", place_of(payer))
    if enquiry.service_mode not in instrument.service_modes:
        raise invalid("service_mode", "not-offered")
    parsed, periods = periods_of(instrument, enquiry.period, rule)
    if shares is None:
        day = local_date(instrument.facility.zone, enquiry.period.start)
        shares = load_default_on(payer, actor.person, day).shares
    own = holds_of(actor.person, now).filter(
        instrument=instrument, made_by_id=actor.person, waiting_offer=None
    )
    occurrences = weigh_series(
        instrument,
        payer,
        actor.person,
        enquiry,
        periods,
        now,
        without=list(own.values_list("pk", flat=True)),
        funding=load_series_funding(instrument, payer, [actor.person], shares, now),
    )
    if asks_rules and (lacking := load_acceptance(instrument, actor.person, accepts)[1]):
        occurrences = [replace(one, refusals=one.refusals + lacking) for one in occurrences]
    return SeriesPreview(parsed, instrument.facility.time_zone, tuple(occurrences))


def load_series_funding(
    instrument: Instrument,
    payer: Organisation,
    people: Sequence[UUID],
    shares: Sequence[Share],
    now: datetime,
    *,
    lock: bool = False,
) -> Funding:
    """Load the funding sources that pay for each date of a series."""
    today = local_date(instrument.facility.zone, now)
    return load_funding(payer.pk, shares, people, today, lock=lock)


def periods_of(instrument: Instrument, first: Period, rule: str) -> tuple[Rule, list[Period]]:
    """Return the rule as a value and its periods, from the wall clock of `first` on. Raises `Invalid`
    (`rule`)."""
    zone = instrument.facility.zone
    parsed = parse_rule(rule)
    return parsed, occurrences(parsed, wall_of(zone, first.start), zone, first.minutes)


def weigh_series(
    instrument: Instrument,
    payer: Organisation,
    user_id: UUID,
    enquiry: PriceRequest,
    periods: Sequence[Period],
    now: datetime,
    *,
    without: Collection[UUID] = (),
    backing: Backing | None = None,
    funding: Funding = NO_FUNDING,
) -> list[Occurrence]:
    """Judge each period in order; those that pass count for those after them and use up the money that pays
    for them. At most six statements, whatever the number: the calendar is loaded once for the whole span."""
    span = Period(periods[0].start, max(period.end for period in periods))
    backing = backing or load_backing(payer, instruments=[instrument])
    weighing = Weighing(payer, [(instrument, span)], backing, now, without=without, funding=funding)
    occurrences = []
    for index, period in enumerate(periods):
        one = weighing.weigh(instrument, user_id, replace(enquiry, period=period))
        occurrences.append(Occurrence(index, period, one.refusals, one.place, one.quote))
    return occurrences


# What was made


def series_seen(actor: Actor) -> QuerySet[Series]:
    """Return the series of which the actor may see a booking."""
    return Series.objects.filter(pk__in=reservations_for(actor).order_by().values("series"))


def series_for(actor: Actor, series_id: UUID) -> Series:
    """Return a series; raise `NotFound` if there is none, or the actor may not see any booking of it."""
    rows = series_seen(actor).select_related("instrument__facility", "organisation__region", "split_from")
    return visible(rows, pk=series_id)


def series_of(actor: Actor, reservation: Reservation) -> Series:
    """Return the series of a booking; raise `NotFound` if it belongs to none."""
    if reservation.series_id is None:
        raise NotFound
    return series_for(actor, reservation.series_id)


def reservations_of(actor: Actor, series: Series) -> QuerySet[Reservation]:
    """Return the bookings of a series that the actor may see, in the order of the rule."""
    return reservations_for(actor).filter(series=series).order_by("occurrence_at", "id")


def standings(reservations: Sequence[Reservation], now: datetime) -> list[Standing]:
    """Return bookings in the form in which the rules for editing a series see them."""
    return [
        Standing(
            r.pk, r.occurrence_at or r.start_at, r.start_at, effective_state(r.state, r.deadline_at, now)
        )
        for r in reservations
    ]


def choose(
    reservations: Sequence[Reservation], scope: str, this: UUID | None, now: datetime
) -> list[Reservation]:
    """Return the bookings in the scope of an edit, in the order of the rule. Raise `Invalid` for an unknown
    scope, or if the booking that it starts from is missing."""
    if scope not in SCOPES:
        raise invalid("scope", "unknown-choice", allowed=", ".join(SCOPES))
    by_id = {r.pk: r for r in reservations}
    if scope != "all" and this is None:
        raise invalid("reservation", "required")
    if this is not None and this not in by_id:
        raise invalid("reservation", "not-of-the-series")
    standing_chosen = chosen(standings(reservations, now), scope, this, now)
    return [by_id[standing.id] for standing in standing_chosen]  # type: ignore[index]


def wall_clocks(series: Series) -> dict[datetime, datetime]:
    """Return the dates of a series' rule: wall clock by instant. Empty for one that no longer has a rule."""
    if not series.rule:
        return {}
    zone = ZoneInfo(series.time_zone)
    start = wall_of(zone, series.starts_at)
    walls = wall_times(parse_rule(series.rule), start, zone)
    return {instant_of(zone, wall): wall for wall in walls}


@dataclass(frozen=True)
class SeriesCancellation:
    """The cost of cancelling some bookings of a series at this moment, in all; `reservations` would be
    cancelled."""

    reservations: tuple[Reservation, ...]
    currency: str
    fee: Decimal
    tax: Decimal

    @property
    def count(self) -> int:
        return len(self.reservations)


def load_series_cancellation(
    actor: Actor, series_id: UUID, scope: str, this: UUID | None, now: datetime
) -> SeriesCancellation:
    """Return the fees for cancelling the bookings in a scope, added up. Requests that were never confirmed,
    and bookings that the host cancels, cost nothing. Raises `WrongState` if none is left to cancel."""
    series = series_for(actor, series_id)
    rows = list(reservations_of(actor, series))
    cancellation = _cancellation(actor, series, rows, scope, this, now)
    if not cancellation.reservations:
        raise WrongState("series-over")
    return cancellation


def load_series_cancellations(
    actor: Actor, reservation: Reservation, now: datetime
) -> tuple[Series, dict[str, SeriesCancellation]]:
    """Load the series of a booking, and what cancelling each scope of it would mean, without scopes in which
    nothing is left."""
    series = series_of(actor, reservation)
    rows = list(reservations_of(actor, series))
    cancellations = {s: _cancellation(actor, series, rows, s, reservation.pk, now) for s in SCOPES}
    return series, {scope: c for scope, c in cancellations.items() if c.reservations}


def _cancellation(
    actor: Actor, series: Series, rows: Sequence[Reservation], scope: str, this: UUID | None, now: datetime
) -> SeriesCancellation:
    left = [r for r in choose(rows, scope, this, now) if is_left(r, now)]
    sums = load_cancellation_sums(actor, left, now)
    currency, (fee, tax) = next(iter(sums.items()), ("", (Decimal(0), Decimal(0))))
    return SeriesCancellation(tuple(left), currency, fee, tax)
