"""What a booking would cost: card, price group and holidays gathered for the rule."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from accounts.domain.errors import FieldProblem, Invalid
from accounts.models import Organisation
from bookings.domain.availability import Refusal, Wish
from bookings.domain.fees import price_group, quote
from bookings.domain.periods import Period
from bookings.domain.quotes import Quote, QuoteInput
from bookings.selectors.availability import around, load_calendar
from instruments.domain.opening import local_date
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


@dataclass(frozen=True)
class Quotation:
    """A quote with what refuses the booking; `quote` is None without a card in force, or where
    `problems` say why it cannot be told yet."""

    terms: Terms
    quote: Quote | None
    refusals: tuple[Refusal, ...]
    problems: tuple[FieldProblem, ...] = ()


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


def load_quotation(
    instrument: Instrument,
    payer: Organisation | None,
    asked: Asked,
    now: datetime,
    *,
    is_draft: bool = False,
) -> Quotation:
    """Price and refusals of a period, as they would be for a booking made now. Two statements.

    `Invalid` where the fee rule cannot answer; of a draft, a form half filled in, the quotation
    says so itself.
    """
    terms = load_terms(instrument, payer, asked.period.start)
    calendar = load_calendar(instrument, around(asked.period), now)
    if calendar is None:
        refusals: tuple[Refusal, ...] = (Refusal("not-published"),)
    else:
        refusals = calendar.explain(Wish(asked.period, terms.price_group, terms.is_served), now)
    given = quote_input(instrument, terms, asked)
    try:
        return Quotation(terms, quote(given) if given else None, refusals)
    except Invalid as unclear:
        if not is_draft:
            raise
        return Quotation(terms, None, refusals, tuple(unclear.problems))
