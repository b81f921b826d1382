"""What a booking would cost: card, price group and holidays gathered for the rule."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from accounts.models import Organisation
from bookings.domain.fees import price_group
from bookings.domain.periods import Period
from bookings.domain.quotes import QuoteInput
from instruments.domain.opening import local_date
from instruments.domain.ratecards import card_in_force
from instruments.models import Instrument
from instruments.selectors.opening import load_holidays
from instruments.selectors.ratecards import CardInForce, load_card_in_force


@dataclass(frozen=True)
class Terms:
    """On what terms a payer books an instrument on a day."""

    price_group: str
    card: CardInForce | None

    @property
    def is_served(self) -> bool:
        """Whether there is a card in force with a rate for the group."""
        return self.card is not None and self.price_group in self.card.values.rates


@dataclass(frozen=True)
class Asked:
    """What somebody asks a price for."""

    period: Period
    service_mode: str = "self"
    options: Mapping[str, Decimal] = field(default_factory=dict)
    quantity: Decimal | None = None


def group_of(instrument: Instrument, payer: Organisation | None) -> str:
    """The price group of a payer at an instrument; nobody in particular is `external`."""
    if payer is None:
        return "external"
    return price_group(
        host_id=instrument.organisation_id,
        payer_id=payer.pk,
        payer_kind=payer.kind,
        host_region_id=instrument.region_id,
        payer_region_id=payer.region_id,
        has_agreement=False,
    )


def load_terms(instrument: Instrument, payer: Organisation | None, start: datetime) -> Terms:
    """The terms on the local day of `start`. One statement."""
    day = local_date(ZoneInfo(instrument.facility.time_zone), start)
    return Terms(group_of(instrument, payer), load_card_in_force(instrument.pk, day))


def terms_on(
    instrument: Instrument,
    payer: Organisation | None,
    cards: Sequence[CardInForce],
    moment: datetime,
) -> Terms:
    """The same where the instrument's published cards are loaded already. No statement."""
    day = local_date(ZoneInfo(instrument.facility.time_zone), moment)
    return Terms(group_of(instrument, payer), card_in_force(cards, day))


def quote_input(instrument: Instrument, terms: Terms, asked: Asked) -> QuoteInput | None:
    """What the fee rule is asked with; None where the group is not served. No statement."""
    if terms.card is None or not terms.is_served:
        return None
    zone = ZoneInfo(instrument.facility.time_zone)
    period = asked.period
    return QuoteInput(
        card=terms.card.values,
        time_zone=instrument.facility.time_zone,
        start=period.start,
        end=period.end,
        price_group=terms.price_group,
        service_mode=asked.service_mode,
        quantity=asked.quantity,
        options=asked.options,
        public_holidays=load_holidays(
            instrument,
            local_date(zone, period.start),
            local_date(zone, period.end) + timedelta(days=14),
        ),
    )
