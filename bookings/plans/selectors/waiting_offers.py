"""Find slots of an instrument for the people who wait for it."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from accounts.domain.errors import Invalid
from bookings.availability.domain.availability import Asker, Calendar, Wish
from bookings.availability.domain.times_of_day import preferred_first, times_of_day
from bookings.availability.selectors.availability import load_calendar
from bookings.catalogue.selectors.askers import load_asker
from bookings.catalogue.selectors.catalogue import load_cards
from bookings.plans.domain import waiting as rules
from bookings.plans.models import WaitingOffer, WaitingWish
from bookings.plans.selectors.waiting import currency_of, next_in_line
from bookings.pricing.domain.fees import quote
from bookings.pricing.selectors.fees import PriceRequest, Terms, load_backing, quote_input, terms_on
from bookings.record.domain.periods import Period
from instruments.rates.selectors.ratecards import CardInForce
from instruments.register.models import Instrument

# Rules that refuse one person but not another.
OF_PERSONS = frozenset(
    {
        "too-far",
        "user-quota",
        "organisation-quota",
        "group-quota",
        "kept-for-other-regions",
        "kept-for-holder",
        "hours-for-certified",
        "hours-for-organisation",
        "hours-for-region",
    }
)


@dataclass(frozen=True)
class Line:
    """One instrument with the entries waiting for it, in order, and what is needed to choose for them: its
    calendar; the free starts by length in minutes; the rate cards of it and of the instruments that entries
    name; and the times already offered to each entry on it."""

    instrument: Instrument
    wishes: tuple[WaitingWish, ...]
    calendar: Calendar | None
    free: Mapping[int, Sequence[datetime]]
    cards: Mapping[UUID, list[CardInForce]]
    offered: Mapping[UUID, list[Period]]


def load_line(instrument: Instrument, now: datetime) -> Line:
    """Load an instrument's line. At most five statements, one if nobody waits."""
    wishes = tuple(next_in_line(instrument.pk, now))
    windows = [
        window
        for wish in wishes
        if (window := rules.window_left(wish.earliest, wish.latest, wish.minutes, now))
    ]
    if not windows:
        return Line(instrument, (), None, {}, {}, {})
    span = Period(min(w.start for w in windows), max(w.end for w in windows))
    offered: dict[UUID, list[Period]] = {}
    for wish_id, start, end in WaitingOffer.objects.filter(
        wish__in=wishes, reservation__instrument=instrument
    ).values_list("wish_id", "reservation__start_at", "reservation__end_at"):
        offered.setdefault(wish_id, []).append(Period(start, end))
    calendar = load_calendar(instrument, span, now)
    if calendar is None:
        return Line(instrument, (), None, {}, {}, {})
    # Looked up once for each length, for everybody: most looks end here, however many people wait.
    free = {
        minutes: calendar.starts(minutes=minutes, asker=Asker(), within=span, now=now, waived=OF_PERSONS)
        for minutes in {wish.minutes for wish in wishes}
    }
    return Line(
        instrument,
        wishes,
        calendar,
        free,
        load_cards(list({instrument.pk, *(wish.instrument_id for wish in wishes)})),
        offered,
    )


def load_fit(line: Line, wish: WaitingWish, now: datetime) -> Period | None:
    """Return the first slot of the instrument that all rules and the highest price of a waiting-list entry
    allow; None if there is none. Slots at the times of day that the entry names, or else in usual working
    hours, come first. At most three statements, for agreements, grants and a certificate."""
    instrument, calendar = line.instrument, line.calendar
    window = rules.window_left(wish.earliest, wish.latest, wish.minutes, now)
    if calendar is None or window is None or wish.service_mode not in instrument.service_modes:
        return None
    free, length = line.free[wish.minutes], rules.length_of(wish.minutes)
    starts = preferred_first(
        free[bisect_left(free, window.start) : bisect_right(free, window.end - length)],
        wish.minutes,
        instrument.facility.zone,
        times_of_day(wish.hours_from, wish.hours_until, ()),
    )
    if not starts:
        return None
    cards = line.cards.get(instrument.pk, [])
    backing = load_backing(wish.organisation, instruments=[instrument])
    terms = terms_on(instrument, backing, cards, window.start)
    asker = load_asker(instrument, wish.organisation, terms, user_id=wish.user_id, mode=wish.service_mode)
    # A card may begin or end inside the window, so each start is checked for a price.
    asker = replace(asker, is_served=True)

    def accepts(period: Period) -> bool:
        on_day = terms_on(instrument, backing, cards, period.start)
        here = replace(asker, price_group=on_day.price_group, is_same_region=on_day.is_same_region)
        if calendar.check(Wish(period, here), now):
            return False
        on_day = replace(on_day, kept=calendar.rights(here.organisation))
        price = _price(instrument, on_day, period, wish.service_mode)
        if price is None:
            return False
        limit = (
            None if wish.max_price is None else (wish.max_price, currency_of(line.cards, wish, period.start))
        )
        return rules.is_at_most(price, limit)

    start = rules.first_fit(starts, wish.minutes, offered=line.offered.get(wish.pk, ()), accepts=accepts)
    return None if start is None else Period(start, start + length)


def _price(
    instrument: Instrument, terms: Terms, period: Period, mode: str
) -> tuple[Decimal | None, str] | None:
    """Return the price of a slot before tax and vouchers, with its currency. The amount is None if it depends
    on more than the time; the result is None if the slot cannot be booked that way."""
    card = terms.card_for(mode)
    if card is None:
        return None
    by_sample = card.rate_unit == "sample"
    enquiry = PriceRequest(period, mode, quantity=Decimal(1) if by_sample else None)
    given = quote_input(instrument, terms, enquiry)
    if given is None:
        return None
    try:
        subtotal = quote(given).subtotal
    except Invalid:
        return None
    return (None if by_sample else subtotal), card.currency
