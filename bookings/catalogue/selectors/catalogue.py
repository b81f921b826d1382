"""What the catalogue says beside each record: the next free slots, and the price for me."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from allauth.mfa.models import Authenticator
from django.db.models import Exists

from accounts.domain.roles import MANAGER, Actor
from accounts.models import Organisation, Region, RoleGrant, User
from accounts.prepared import Prepared
from accounts.selectors.organisations import load_moves, organisation_moves
from bookings.availability.domain.availability import Asker, Calendar
from bookings.availability.selectors.availability import (
    calendar_of,
    load_blocks,
    load_booked,
    load_promises,
)
from bookings.catalogue.selectors.askers import load_askers
from bookings.catalogue.selectors.catalogue_candidates import Place, Sieve, candidates
from bookings.pricing.domain.quotes import Quote
from bookings.pricing.selectors.exchange_rates import load_worths
from bookings.pricing.selectors.fees import (
    Asked,
    Backing,
    Terms,
    card_on,
    load_backing,
    price_of,
    terms_by_day,
    terms_on,
)
from bookings.record.domain.money import round_half_up
from bookings.record.domain.periods import Period
from instruments.domain.opening import local_date
from instruments.domain.search import Criteria
from instruments.models import Instrument, RateCard
from instruments.selectors.ratecards import CardInForce, load_card

LOOK_AHEAD = timedelta(days=21)
STARTS = 3
MOST_AT_ONCE = 800  # candidates


@dataclass(frozen=True)
class Offer:
    """An instrument as one payer sees it. `rate` is per hour or sample, before anything else;
    None where the group is not served. `quote`: what the first of the starts (where none is free,
    the beginning of the time asked for) would cost for `minutes`, or one sample. `is_priced`: a
    card is in force today, for whomever."""

    price_group: str
    rate: Decimal | None
    rate_unit: str
    currency: str
    minutes: int
    starts: tuple[datetime, ...]
    quote: Quote | None = None
    is_priced: bool = False
    samples: int = 1

    @property
    def quantity(self) -> int | None:
        """How many samples the quote is for, where it is by the sample."""
        return self.samples if self.rate_unit == "sample" else None


def load_offers(
    instruments: Sequence[Instrument],
    payer: Organisation | None,
    now: datetime,
    *,
    backing: Backing | None = None,
    user_id: UUID | None = None,
    mode: str | None = None,
    span: Period | None = None,
    minutes: int | None = None,
    quantity: int | None = None,
    most: int = STARTS,
    without: Collection[UUID] = (),
) -> dict[UUID, Offer]:
    """The offer of each instrument (policy, schedule, facility loaded with it) to somebody of a
    payer who would work in some mode: its first starts in a span (the next three weeks) for a
    length (the usual one), and its price, for `quantity` samples where it is by the sample.
    `without`: their own holds, which are in nobody's way.
    Five statements at most, one more where a policy has quotas and one where it wants a
    certificate."""
    within = span or Period(now, now + LOOK_AHEAD)
    wide = within.padded(1440, 1440)
    blocks = load_blocks([i.pk for i in instruments], wide, now, without=without)
    booked = load_booked(instruments, wide, now)
    promises = load_promises(instruments, now, without=without)
    cards = load_cards([i.pk for i in instruments])
    first = max(now, within.start)
    backing = backing or load_backing(payer)
    load_moves(i.organisation for i in instruments)
    terms = {i.pk: terms_on(i, backing, cards.get(i.pk, []), first) for i in instruments}
    askers = load_askers(instruments, payer, terms, user_id=user_id, mode=mode)
    return {
        instrument.pk: _offer(
            instrument,
            backing,
            calendar_of(
                instrument,
                wide,
                blocks[instrument.pk],
                booked.get(instrument.pk, ()),
                promises.get(instrument.pk),
            ),
            askers[instrument.pk],
            cards.get(instrument.pk, []),
            within,
            minutes,
            now,
            most,
            is_fixed=span is not None,
            mode=mode or "",
            quantity=quantity,
        )
        for instrument in instruments
    }


def _offer(
    instrument: Instrument,
    backing: Backing,
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
) -> Offer:
    length = minutes or (calendar.policy.usual_minutes if calendar else 0)
    if calendar and not is_fixed and not calendar.policy.allows(length):
        length = calendar.policy.usual_minutes
    first = max(now, within.start)
    terms = terms_on(instrument, backing, cards, first)
    starts: list[datetime] = []
    if calendar is not None and cards:
        if _holds_throughout(terms, instrument, backing, within):
            starts = calendar.first_starts(
                minutes=length, asker=asker, within=within, now=now, most=most
            )
        else:
            starts = served_starts(
                instrument, backing, cards, calendar, asker, within, now, minutes=length
            )[:most]
            terms = terms_on(instrument, backing, cards, starts[0] if starts else first)
    values = terms.card.values if terms.card and terms.is_served else None
    quote = None
    if values and length:
        begins = starts[0] if starts else first.replace(second=0, microsecond=0)
        then = terms_on(instrument, backing, cards, begins)  # a voucher may begin later
        enquiry = Asked(
            Period(begins, begins + timedelta(minutes=length)),
            mode,
            quantity=Decimal(quantity) if quantity else None,
        )
        if calendar is not None:
            then = replace(then, kept=calendar.rights(asker.organisation))
        quote = price_of(instrument, then, enquiry)
    return Offer(
        price_group=terms.price_group,
        rate=values.rates[terms.price_group] if values else None,
        rate_unit=values.rate_unit if values else "hour",
        currency=values.currency if values else "",
        minutes=length,
        starts=tuple(starts),
        quote=quote,
        is_priced=card_on(instrument, cards, now) is not None,
        samples=quantity or 1,
    )


def _holds_throughout(
    terms: Terms, instrument: Instrument, backing: Backing, within: Period
) -> bool:
    """Whether card and price group stay as they are to the end of a span."""
    if terms.card is None:
        return False
    until = terms.card.valid_until
    zone = instrument.facility.zone
    if until is not None and local_date(zone, within.end) >= until:
        return False
    return len(_standings(instrument, backing, within)) == 1


def _standings(instrument: Instrument, backing: Backing, within: Period) -> set[tuple[str, bool]]:
    """The payer's price groups on the local days of a span, each with whether payer and host lie
    in one region: an agreement may begin or end, one of them may move."""
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
    terms = (terms_by_day(instrument, backing, None, day) for day in days)
    return {(each.price_group, each.is_same_region) for each in terms}


def served_starts(
    instrument: Instrument,
    backing: Backing,
    cards: Sequence[CardInForce],
    calendar: Calendar,
    asker: Asker,
    within: Period,
    now: datetime,
    *,
    minutes: int,
) -> list[datetime]:
    """Every start that all rules allow, where a card or an agreement may begin or end inside the
    span, or payer or host move: the price group, and whether there is a price, is asked of
    each. No statement."""
    first = terms_on(instrument, backing, cards, within.start)
    if _holds_throughout(first, instrument, backing, within):
        one = replace(
            asker,
            price_group=first.price_group,
            is_served=first.is_served,
            is_same_region=first.is_same_region,
        )
        return calendar.starts(minutes=minutes, asker=one, within=within, now=now)
    starts = []
    zone = instrument.facility.zone
    terms: dict[date, Terms] = {}
    for group, is_same_region in _standings(instrument, backing, within):
        one = replace(asker, price_group=group, is_served=True, is_same_region=is_same_region)
        for start in calendar.starts(minutes=minutes, asker=one, within=within, now=now):
            day = local_date(zone, start)
            if day not in terms:
                terms[day] = terms_on(instrument, backing, cards, start)
            there = terms[day]
            standing = (there.price_group, there.is_same_region)
            if standing == (group, is_same_region) and there.is_served:
                starts.append(start)
    return sorted(starts)


def load_cards(instrument_ids: Sequence[UUID]) -> dict[UUID, list[CardInForce]]:
    """The published cards of many instruments. One statement."""
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
    backing: Backing | None = None,
    worths: Mapping[str, Decimal] | None = None,
    without: Collection[UUID] = (),
) -> list[tuple[Instrument, Offer]]:
    """The next `size` instruments in the order of the search that fit, have a bookable start in
    the window of the criteria, if they name one, and cost at most what they say.

    The sieve passes what may fit, the rules decide. `backing`, `worths`: what the payer brings,
    and `load_limit`, where they are known. One statement and those of `load_offers`;
    again for each time the rules refuse so many that the page is not full.
    """
    span = None
    if criteria.free_from is not None and criteria.free_until is not None:
        span = Period(criteria.free_from, criteria.free_until)
        if span.end <= now:
            return []
    backing = backing or load_backing(payer)
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
    """Where an instrument stands in the order of the search that found it."""
    here = (instrument.name, instrument.pk)
    return (instrument.place, *here) if hasattr(instrument, "place") else here


def load_limit(criteria: Criteria, payer: Organisation | None, now: datetime) -> dict[str, Decimal]:
    """What one unit of each currency that can be compared is worth in that of the price asked
    for, or the payer's where only the order is by price, by the payer's rates of today. One
    statement; none where no price matters or nobody asks."""
    if not (criteria.wants_price or criteria.sort == "price"):
        return {}
    currency = criteria.currency or (payer.region.currency if payer else "")
    zone = ZoneInfo(payer.region.time_zone if payer else "UTC")
    return load_worths(payer, currency, local_date(zone, now))


def load_own_amounts(
    offers: Mapping[UUID, Offer],
    payer: Organisation | None,
    now: datetime,
    worths: Mapping[str, Decimal],
) -> dict[UUID, Decimal]:
    """What quotes in other currencies come to in the payer's own, where its rates of today allow
    it. One statement at most; none where `worths` are known or all is in its own currency."""
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


def is_reordered(offers: Iterable[Offer], worths: Mapping[str, Decimal]) -> bool:
    """Whether offers in the order of price do not stand in the order of what is paid: a band, a
    tier, a voucher or a later start changes some of them."""
    amounts = [
        o.quote.payable * worths[o.currency] for o in offers if o.quote and o.currency in worths
    ]
    return amounts != sorted(amounts)


def fits_price(offer: Offer, criteria: Criteria, worths: Mapping[str, Decimal]) -> bool:
    """Whether neither the rate nor what is paid is above the price asked for; one in a currency
    that cannot be compared does not fit."""
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
    """What an administrator of an empty installation has to do, with whether it is done. One
    statement."""
    factors = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
    managers = RoleGrant.objects.filter(role=MANAGER, revoked_at=None, user__is_active=True)
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
