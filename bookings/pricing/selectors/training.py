"""Compute what places in courses cost."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from accounts.models import Organisation
from bookings.pricing.domain.fees import quote, taxed_for
from bookings.pricing.domain.quotes import QuoteInput, input_to_json, quote_to_json
from bookings.pricing.selectors.fees import Terms, load_backings, terms_by_day
from instruments.rates.domain.ratecards import TRAINING, card_in_force
from instruments.rates.models import RateCard
from instruments.rates.selectors.ratecards import CardInForce, load_card
from instruments.reading.domain.clock import local_date
from instruments.register.models import Instrument
from instruments.training.models import CourseSession
from instruments.training.selectors.fees import PlacePrice, Prices


def price_places(sessions: Sequence[CourseSession], payers: Iterable[Organisation]) -> Prices:
    """Return what places in the sessions cost each payer, by the session's card: that of the instrument that
    its course certifies for, else of the one that it uses, on the local day on which it begins. Sessions
    whose card has no price for places are left out. One statement if none has one; otherwise up to five."""
    uses = ((session.pk, session.course.instrument_id or session.instrument_id) for session in sessions)
    things = {pk: instrument_id for pk, instrument_id in uses if instrument_id}
    cards = _load_cards(set(things.values()))
    begins = {s.pk: local_date(ZoneInfo(s.facility.time_zone), s.start_at) for s in sessions}
    in_force: dict[UUID, CardInForce] = {}
    for pk, instrument_id in things.items():
        card = card_in_force(cards[instrument_id], begins[pk])
        if card is not None and card.values.training is not None:
            in_force[pk] = card
    if not in_force:
        return {}
    instruments = Instrument.objects.select_related("facility", "organisation__region").in_bulk(
        {things[pk] for pk in in_force}
    )
    payers = list(payers)
    backings = load_backings(payers, instruments=instruments.values(), grants=False)
    prices: Prices = {}
    for session in sessions:
        if session.pk not in in_force:
            continue
        instrument = instruments[things[session.pk]]
        # An instrument that has moved away since has the card of another host.
        if instrument.organisation_id != session.course.organisation_id:
            continue
        prices[session.pk] = [
            _price(
                session,
                payer,
                terms_by_day(instrument, backings[payer.pk], in_force[session.pk], begins[session.pk]),
            )
            for payer in payers
        ]
    return prices


def _load_cards(instrument_ids: set[UUID]) -> dict[UUID, list[CardInForce]]:
    """Return the published cards of some instruments, the oldest first. One statement."""
    rows = RateCard.objects.filter(instrument_id__in=instrument_ids, published_at__isnull=False)
    cards: dict[UUID, list[CardInForce]] = defaultdict(list)
    for row in rows.order_by("version"):
        cards[row.instrument_id].append(load_card(row))
    return cards


def _price(session: CourseSession, payer: Organisation, terms: Terms) -> PlacePrice:
    group = terms.price_group
    if terms.card is None or group not in (terms.card.values.training or {}):
        return PlacePrice(payer, group)
    discount = terms.recognition.discount_percent if terms.recognition and group == "partner" else Decimal(0)
    given = QuoteInput(
        card=taxed_for(terms.card.values, group, is_reversed=terms.is_reversed),
        time_zone=session.facility.time_zone,
        start=session.start_at,
        end=session.end_at,
        price_group=group,
        service_mode=TRAINING,
        agreement_discount_percent=discount,
        is_reversed=terms.is_reversed,
    )
    return PlacePrice(payer, group, input_to_json(given), quote_to_json(quote(given), explained=True))
