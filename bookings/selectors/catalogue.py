"""What the catalogue says beside each record: the next free slots, and the price for me."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q

from accounts.domain.roles import Actor
from accounts.models import Organisation
from bookings.domain.availability import Calendar
from bookings.domain.periods import Period
from bookings.selectors.availability import calendar_of, load_blocks
from bookings.selectors.fees import Terms, group_of
from instruments.domain.criteria import Criteria
from instruments.domain.opening import local_date
from instruments.domain.ratecards import card_in_force
from instruments.models import Instrument, RateCard
from instruments.selectors.ratecards import CardInForce, load_card
from instruments.selectors.search import search

LOOK_AHEAD = timedelta(days=21)
STARTS = 3


@dataclass(frozen=True)
class Offer:
    """An instrument as one payer sees it. `rate` is per hour or sample, before anything else;
    None where the group is not served."""

    price_group: str
    rate: Decimal | None
    rate_unit: str
    currency: str
    minutes: int
    starts: tuple[datetime, ...]


def load_offers(
    instruments: Sequence[Instrument],
    payer: Organisation | None,
    now: datetime,
    *,
    span: Period | None = None,
    minutes: int | None = None,
    most: int = STARTS,
) -> dict[UUID, Offer]:
    """The offer of each instrument (policy, schedule, facility loaded with it): its first
    starts in a span (the next three weeks) for a length (the usual one). Two statements."""
    within = span or Period(now, now + LOOK_AHEAD)
    wide = within.padded(1440, 1440)
    blocks = load_blocks([i.pk for i in instruments], wide, now)
    cards = load_cards([i.pk for i in instruments])
    offers = {}
    for instrument in instruments:
        calendar = calendar_of(instrument, wide, blocks[instrument.pk])
        day = local_date(ZoneInfo(instrument.facility.time_zone), max(now, within.start))
        terms = Terms(group_of(instrument, payer), card_in_force(cards.get(instrument.pk, []), day))
        offers[instrument.pk] = _offer(
            calendar, terms, within, minutes, now, most, is_fixed=span is not None
        )
    return offers


def _offer(
    calendar: Calendar | None,
    terms: Terms,
    within: Period,
    minutes: int | None,
    now: datetime,
    most: int,
    is_fixed: bool,
) -> Offer:
    length = minutes or (calendar.policy.usual_minutes if calendar else 0)
    if calendar and not is_fixed and not calendar.policy.allows(length):
        length = calendar.policy.usual_minutes
    starts: list[datetime] = []
    if calendar is not None and terms.is_served:
        starts = calendar.first_starts(
            minutes=length, price_group=terms.price_group, within=within, now=now, most=most
        )
    values = terms.card.values if terms.card and terms.is_served else None
    return Offer(
        price_group=terms.price_group,
        rate=values.rates[terms.price_group] if values else None,
        rate_unit=values.rate_unit if values else "hour",
        currency=values.currency if values else "",
        minutes=length,
        starts=tuple(starts),
    )


def load_cards(instrument_ids: Sequence[UUID]) -> dict[UUID, list[CardInForce]]:
    """The published cards of many instruments. One statement."""
    cards: dict[UUID, list[CardInForce]] = {}
    rows = RateCard.objects.filter(instrument_id__in=instrument_ids, published_at__isnull=False)
    for row in rows.order_by("version"):
        cards.setdefault(row.instrument_id, []).append(load_card(row))
    return cards


def free_between(
    actor: Actor,
    criteria: Criteria,
    payer: Organisation | None,
    now: datetime,
    *,
    after: tuple[str, UUID] | None,
    size: int,
) -> list[tuple[Instrument, Offer]]:
    """The next `size` instruments by (name, id) that fit, have a bookable start in the window
    of the criteria, if they name one, and cost at most what they say. Three statements per
    batch looked at."""
    span = None
    if criteria.free_from is not None and criteria.free_until is not None:
        span = Period(criteria.free_from, criteria.free_until)
    result: list[tuple[Instrument, Offer]] = []
    batch_size = max(50, size)
    while len(result) < size:
        candidates = search(actor, criteria)
        if after:
            name, pk = after
            candidates = candidates.filter(Q(name__gt=name) | Q(name=name, pk__gt=pk))
        batch = list(candidates[:batch_size])
        offers = load_offers(batch, payer, now, span=span, minutes=criteria.minutes)
        for instrument in batch:
            offer = offers[instrument.pk]
            if (offer.starts or span is None) and fits_price(offer, criteria):
                result.append((instrument, offer))
        if len(batch) < batch_size:
            break
        after = (batch[-1].name, batch[-1].pk)
    return result[:size]


def at_most(
    instruments: Sequence[Instrument], payer: Organisation | None, criteria: Criteria, now: datetime
) -> list[Instrument]:
    """Those whose rate for the payer, in the host's own currency, is not above the price asked
    for. One statement."""
    cards = load_cards([instrument.pk for instrument in instruments])
    fitting = []
    for instrument in instruments:
        day = local_date(ZoneInfo(instrument.facility.time_zone), now)
        group = group_of(instrument, payer)
        card = card_in_force(cards.get(instrument.pk, []), day)
        rate = card.values.rates.get(group) if card else None
        if rate is not None and criteria.max_price is not None and rate <= criteria.max_price:
            fitting.append(instrument)
    return fitting


def fits_price(offer: Offer, criteria: Criteria) -> bool:
    """Whether the rate is not above the price asked for."""
    if criteria.max_price is None:
        return True
    return offer.rate is not None and offer.rate <= criteria.max_price
