"""Load what the catalogue shows beside each instrument: the next free slots, and the reader's price."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from allauth.mfa.models import Authenticator
from django.db.models import Exists

from accounts.domain.roles import MANAGER, Actor
from accounts.models import Organisation, Region, RoleGrant, User
from accounts.prepared import Prepared
from accounts.selectors.memberships import WHOLE
from accounts.selectors.organisations import load_moves, organisation_moves
from bookings.availability.domain.availability import Asker, Calendar
from bookings.availability.selectors.availability import (
    calendar_of,
    covered,
    covered_all,
    load_blocks,
    load_booked,
    load_promises,
)
from bookings.catalogue.selectors.askers import load_askers
from bookings.catalogue.selectors.catalogue_candidates import candidates
from bookings.catalogue.selectors.catalogue_sieve import Place, Sieve
from bookings.pricing.domain.quotes import Quote
from bookings.pricing.domain.vouchers import GrantOffer
from bookings.pricing.selectors import fees
from bookings.pricing.selectors.exchange_rates import load_worths
from bookings.record.domain.money import round_half_up
from bookings.record.domain.periods import Period
from bookings.samples.selectors.receiving import load_arrivals
from instruments.rates.domain.ratecards import Option
from instruments.rates.models import RateCard
from instruments.rates.selectors.ratecards import CardInForce, load_card
from instruments.reading.domain.clock import local_date
from instruments.register.models import Instrument
from instruments.search.domain.search import Criteria

LOOK_AHEAD = timedelta(days=21)
STARTS = 3
MOST_AT_ONCE = 800  # candidates


@dataclass(frozen=True)
class Offer:
    """An instrument's offer to one payer. `rate` is per hour or sample, before anything is added or taken
    off; None if there is no price for the payer's group. `quote`: the price of `minutes` from the first of
    the starts (or, if there is none, from the beginning of the span), or of one sample. `is_priced`: a rate
    card is in force today, for whatever group. `voucher`: the grant that pays a part of it;
    `minimum_minutes`: the least that is charged, 0 for any; `on_top`: options by the hour that the way of
    working adds, which are not in the quote; `quotes`: the starts whose prices were asked for, with these;
    `way`: the way of working that it is for, where others have prices of their own."""

    price_group: str
    rate: Decimal | None
    rate_unit: str
    currency: str
    minutes: int
    starts: tuple[datetime, ...]
    quote: Quote | None = None
    is_priced: bool = False
    samples: int = 1
    voucher: GrantOffer | None = None
    minimum_minutes: int = 0
    on_top: tuple[Option, ...] = ()
    quotes: tuple[tuple[datetime, Quote], ...] = ()
    way: str = ""

    @property
    def quantity(self) -> int | None:
        """Return the number of samples the quote is for, or None if the price is not per sample."""
        return self.samples if self.rate_unit == "sample" else None


def load_offers(
    instruments: Sequence[Instrument],
    payer: Organisation | None,
    now: datetime,
    *,
    backing: fees.Backing | None = None,
    user_id: UUID | None = None,
    mode: str | None = None,
    span: Period | None = None,
    minutes: int | None = None,
    quantity: int | None = None,
    most: int = STARTS,
    without: Collection[UUID] = (),
    priced: Callable[[Sequence[datetime]], Iterable[datetime]] | None = None,
    bid_discount_percent: Decimal = Decimal(0),
) -> dict[UUID, Offer]:
    """Return the offer of each instrument (loaded with policy, schedule and facility) to a person of a payer
    who would work in some mode: its first starts in a span (by default the next three weeks) for a length (by
    default the usual one), and its price, for `quantity` samples if priced per sample. `without` are the
    person's own holds, whose time counts as free. `priced` chooses starts whose prices are wanted, too; all
    prices are lower by the discount of a bid. It takes at most five statements, one more if a policy has
    quotas, one if a policy requires a certificate, and one if samples would be sent in."""
    within = span or Period(now, now + LOOK_AHEAD)
    wide = covered_all(instruments, within)
    blocks = load_blocks([i.pk for i in instruments], wide, now, without=without)
    booked = load_booked(instruments, within, now)
    promises = load_promises(instruments, now, without=without)
    cards = load_cards([i.pk for i in instruments])
    first = max(now, within.start)
    backing = backing or fees.load_backing(payer)
    load_moves(i.organisation for i in instruments)
    terms = {i.pk: fees.terms_on(i, backing, cards.get(i.pk, []), first) for i in instruments}
    askers = load_askers(instruments, payer, terms, user_id=user_id, mode=mode)
    # Samples that are sent in must arrive before the times that are proposed; who names a span has chosen.
    arrivals = load_arrivals(instruments, mode, now) if span is None else {}
    return {
        instrument.pk: _offer(
            instrument,
            backing,
            calendar_of(
                instrument,
                covered(instrument, within),
                blocks[instrument.pk],
                booked.get(instrument.pk, ()),
                promises.get(instrument.pk),
            ),
            askers[instrument.pk],
            cards.get(instrument.pk, []),
            Period(max(within.start, arrivals.get(instrument.pk, within.start)), within.end),
            minutes,
            now,
            most,
            is_fixed=span is not None,
            mode=mode or "",
            quantity=quantity,
            priced=priced,
            bid_discount_percent=bid_discount_percent,
            terms_by_day={local_date(instrument.facility.zone, first): terms[instrument.pk]},
        )
        for instrument in instruments
    }


def _offer(
    instrument: Instrument,
    backing: fees.Backing,
    calendar: Calendar | None,
    asker: Asker,
    cards: Sequence[CardInForce],
    within: Period,
    minutes: int | None,
    now: datetime,
    most: int,
    is_fixed: bool,
    mode: str,
    quantity: int | None,
    priced: Callable[[Sequence[datetime]], Iterable[datetime]] | None,
    bid_discount_percent: Decimal,
    terms_by_day: dict[date, fees.Terms],
) -> Offer:
    length = minutes or (calendar.policy.usual_minutes if calendar else 0)
    zone = instrument.facility.zone

    def terms_at(moment: datetime) -> fees.Terms:
        day = local_date(zone, moment)
        if day not in terms_by_day:
            terms_by_day[day] = fees.terms_on(instrument, backing, cards, moment)
        return terms_by_day[day]

    if calendar and not is_fixed and not calendar.policy.allows(length):
        length = calendar.policy.usual_minutes
    first = max(now, within.start)
    terms = terms_at(first)
    starts: list[datetime] = []
    if calendar is not None and cards:
        if _holds_throughout(terms, instrument, backing, within):
            starts = calendar.first_starts(minutes=length, asker=asker, within=within, now=now, most=most)
        else:
            starts = served_starts(
                instrument, backing, cards, calendar, asker, within, now, minutes=length, mode=mode
            )[:most]
            terms = terms_at(starts[0] if starts else first)
    chosen = mode or fees.first_mode(instrument, terms)
    values = terms.card_for(chosen) if terms.offers(chosen) else None

    def price(begins: datetime) -> Quote | None:
        then = terms_at(begins)  # a voucher may begin later
        enquiry = fees.PriceRequest(
            Period(begins, begins + timedelta(minutes=length)),
            chosen,
            quantity=Decimal(quantity) if quantity else None,
            bid_discount_percent=bid_discount_percent,
        )
        if calendar is not None:
            then = replace(then, kept=calendar.rights(asker.organisation))
        return fees.price_of(instrument, then, enquiry)

    has_price = bool(values and length)
    begins = starts[0] if starts else first.replace(second=0, microsecond=0)
    quote = price(begins) if has_price else None
    return Offer(
        price_group=terms.price_group,
        rate=values.rates.get(terms.price_group) if values else None,
        rate_unit=values.rate_unit if values else "hour",
        currency=values.currency if values else "",
        minutes=length,
        starts=tuple(starts),
        quote=quote,
        is_priced=fees.card_on(instrument, cards, now) is not None,
        samples=quantity or 1,
        voucher=backing.grant(quote.voucher) if quote and quote.voucher else None,
        minimum_minutes=fees.least_minutes(terms, chosen),
        on_top=fees.added_on_top(instrument, terms, chosen),
        quotes=tuple((start, q) for start in priced(starts) if (q := price(start)))
        if priced and has_price
        else (),
        way=fees.way_priced(instrument, terms, chosen),
    )


def _holds_throughout(
    terms: fees.Terms, instrument: Instrument, backing: fees.Backing, within: Period
) -> bool:
    """Return whether rate card and price group of an instrument stay the same until the end of a span."""
    if terms.card is None:
        return False
    until = terms.card.valid_until
    zone = instrument.facility.zone
    if until is not None and local_date(zone, within.end) >= until:
        return False
    days = _turns(instrument, backing, within)
    return len(days) == 1 or len(_standings(instrument, backing, days)) == 1


def _turns(instrument: Instrument, backing: fees.Backing, within: Period) -> set[date]:
    """Return the local days of a span, its first included, on which terms may change: an agreement begins or
    ends, or an organisation moves."""
    zone = instrument.facility.zone
    first, last = local_date(zone, within.start), local_date(zone, within.end)
    days = {first}
    for organisation in filter(None, (instrument.organisation, backing.payer)):
        for move in organisation_moves(organisation) if organisation.has_moves else ():
            if first < move.starts_on <= last:
                days.add(move.starts_on)
    for agreement in [each for day in days for each in backing.agreed(instrument, day)]:
        for day in (agreement.valid_from, agreement.valid_until):
            if day is not None and first < day <= last:
                days.add(day)
    return days


def _standings(instrument: Instrument, backing: fees.Backing, days: Iterable[date]) -> set[tuple[str, bool]]:
    """Return the payer's price groups on some days, each with whether payer and host lie in one region."""
    terms = (fees.terms_by_day(instrument, backing, None, day) for day in days)
    return {(each.price_group, each.is_same_region) for each in terms}


def served_starts(
    instrument: Instrument,
    backing: fees.Backing,
    cards: Sequence[CardInForce],
    calendar: Calendar,
    asker: Asker,
    within: Period,
    now: datetime,
    *,
    minutes: int,
    mode: str = "",
) -> list[datetime]:
    """Return every start that all rules allow for a way of working, even if a rate card or an agreement
    begins or ends inside the span, or payer or host moves: price group, and whether there is a price, are
    then determined for each start. It takes no statement."""
    first = fees.terms_on(instrument, backing, cards, within.start)
    if _holds_throughout(first, instrument, backing, within):
        one = replace(
            asker,
            price_group=first.price_group,
            is_served=first.serves(mode),
            is_priced=first.prices(mode),
            is_same_region=first.is_same_region,
        )
        return calendar.starts(minutes=minutes, asker=one, within=within, now=now)
    starts = []
    zone = instrument.facility.zone
    terms: dict[date, fees.Terms] = {}
    for group, is_same_region in _standings(instrument, backing, _turns(instrument, backing, within)):
        one = replace(asker, price_group=group, is_served=True, is_same_region=is_same_region)
        for start in calendar.starts(minutes=minutes, asker=one, within=within, now=now):
            day = local_date(zone, start)
            if day not in terms:
                terms[day] = fees.terms_on(instrument, backing, cards, start)
            there = terms[day]
            standing = (there.price_group, there.is_same_region)
            if standing == (group, is_same_region) and there.offers(mode):
                starts.append(start)
    return sorted(starts)


def load_cards(instrument_ids: Sequence[UUID]) -> dict[UUID, list[CardInForce]]:
    """Return the published rate cards of many instruments. It takes one statement."""
    cards: dict[UUID, list[CardInForce]] = {}
    for row in _CARDS.rows(instruments=list(instrument_ids)):
        cards.setdefault(row.instrument_id, []).append(load_card(row))
    return cards


_CARDS = Prepared(
    lambda instruments: RateCard.objects.filter(
        instrument_id__one_of=instruments, published_at__isnull=False
    ).order_by("version")
)


def free_between(
    actor: Actor,
    criteria: Criteria,
    payer: Organisation | None,
    now: datetime,
    *,
    after: Place | None,
    size: int,
    backing: fees.Backing | None = None,
    worths: Mapping[str, Decimal] | None = None,
    without: Collection[UUID] = (),
) -> list[tuple[Instrument, Offer]]:
    """Return the next `size` instruments, in the order of the search, that match, have a bookable start in
    the window of the criteria (if any), and cost no more than they allow.

    A condition in SQL lets through every instrument that may match, and the rules then decide. `backing`,
    `worths`: the payer's agreements and vouchers, and the result of `load_limit`, if known. It takes one
    statement and those of `load_offers`; again whenever the rules refuse so many instruments that the page is
    not full.
    """
    span = None
    if criteria.free_from is not None and criteria.free_until is not None:
        span = Period(criteria.free_from, criteria.free_until)
        if span.end <= now:
            return []
    backing = backing or fees.load_backing(payer)
    if worths is None:
        worths = load_limit(criteria, payer, now)
    sieve = Sieve(
        now=now,
        within=span or Period(now, now + LOOK_AHEAD),
        backing=backing,
        minutes=criteria.minutes if span else None,
        max_price=criteria.max_price,
        worths=worths,
        without=without,
        wished=criteria.minutes or 60,
        max_payable=criteria.max_payable,
        mode=criteria.service_mode,
    )
    result: list[tuple[Instrument, Offer]] = []
    most = size + size // 8 + 2  # the rules seldom refuse what the sieve passes
    while True:
        batch = candidates(criteria, sieve, after=after, most=most)
        offers = load_offers(
            batch,
            payer,
            now,
            backing=backing,
            user_id=actor.user_id,
            mode=criteria.service_mode or None,
            span=span,
            minutes=criteria.minutes,
            without=without,
        )
        for instrument in batch:
            offer = offers[instrument.pk]
            if (offer.starts or span is None) and fits_price(offer, criteria, worths):
                result.append((instrument, offer))
        if len(result) >= size or len(batch) < most:
            return result[:size]
        after = place_of(batch[-1])
        most = min(2 * most, MOST_AT_ONCE)


def place_of(instrument: Instrument) -> Place:
    """Return an instrument's position in the order of the search that found it."""
    here = (instrument.name, instrument.pk)
    return (instrument.place, *here) if hasattr(instrument, "place") else here


def load_limit(criteria: Criteria, payer: Organisation | None, now: datetime) -> dict[str, Decimal]:
    """Return the value of one unit of each comparable currency, in the currency of the price limit or, if
    only the order is by price, in the payer's, at the payer's rates of today. It takes one statement, none if
    no price matters or there is no payer."""
    if not (criteria.wants_price or criteria.sort == "price"):
        return {}
    currency = criteria.currency or (payer.region.currency if payer else "")
    zone = ZoneInfo(payer.region.time_zone if payer else "UTC")
    return load_worths(payer, currency, local_date(zone, now))


def load_own_amounts(
    offers: Mapping[UUID, Offer], payer: Organisation | None, now: datetime, worths: Mapping[str, Decimal]
) -> dict[UUID, Decimal]:
    """Convert quotes in other currencies to the payer's own, if its rates of today allow it. One statement at
    most; none if `worths` are known or all is in its own currency."""
    if payer is None:
        return {}
    own = payer.region.currency
    foreign = {pk: o.quote for pk, o in offers.items() if o.quote and o.quote.currency != own}
    if not foreign:
        return {}
    if worths.get(own) != 1:
        zone = ZoneInfo(payer.region.time_zone)
        worths = load_worths(payer, own, local_date(zone, now))
    return {
        pk: round_half_up(quote.payable * worths[quote.currency], own)
        for pk, quote in foreign.items()
        if quote.currency in worths
    }


def by_amount(
    rows: Iterable[tuple[Instrument, Offer]], worths: Mapping[str, Decimal]
) -> list[tuple[Instrument, Offer]]:
    """Return instruments in the order of what their cards say is paid. Amounts that cannot be compared come
    after the others, then instruments without a price."""

    def place(row: tuple[Instrument, Offer]) -> tuple[Any, ...]:
        instrument, offer = row
        if offer.quote is None:
            return 2, Decimal(0), instrument.name, instrument.pk
        worth = worths.get(offer.currency)
        amount = offer.quote.payable * (Decimal(1) if worth is None else worth)
        return int(worth is None), amount, instrument.name, instrument.pk

    return sorted(rows, key=place)


def is_reordered(offers: Iterable[Offer], worths: Mapping[str, Decimal]) -> bool:
    """Return whether offers in the order of `candidates` are out of order by the amount paid, because of a
    band, a tier, a cap or a later start, which SQL does not know. Then instruments on later pages may cost
    less, too."""
    amounts = [o.quote.payable * worths[o.currency] for o in offers if o.quote and o.currency in worths]
    return amounts != sorted(amounts)


def fits_price(offer: Offer, criteria: Criteria, worths: Mapping[str, Decimal]) -> bool:
    """Return whether neither the rate nor the amount payable exceeds the limits; an offer in a currency that
    cannot be compared does not match."""
    if not criteria.wants_price:
        return True
    if offer.rate is None or offer.currency not in worths:
        return False
    worth = worths[offer.currency]
    if criteria.max_price is not None and offer.rate * worth > criteria.max_price:
        return False
    if criteria.max_payable is None:
        return True
    return offer.quote is not None and offer.quote.payable * worth <= criteria.max_payable


def first_day_done(person: UUID) -> dict[str, bool]:
    """Return, for each first task of the administrator of an empty installation, whether it is done. It takes
    one statement."""
    factors = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
    managers = RoleGrant.objects.filter(WHOLE, role=MANAGER, revoked_at=None, user__is_active=True)
    parts = {
        "factor": Authenticator.objects.filter(user=person, type__in=factors),
        "region": Region.objects.filter(shares=True),
        "organisation": Organisation.objects.all(),
        "manager": managers,
        "instrument": Instrument.objects.filter(publication="published"),
    }
    questions = {name: Exists(rows) for name, rows in parts.items()}
    done: dict[str, bool] = User.objects.filter(pk=person).values(**questions)[0]  # type: ignore[assignment]
    return done
