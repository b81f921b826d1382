"""Load what the price rule needs: card, price group, agreement, vouchers and holidays."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from accounts.domain.errors import Invalid
from accounts.models import Organisation, Region
from accounts.selectors.organisations import load_moves, organisation_region_on, organisation_regions_held
from bookings.availability.domain.kept_hours import Kept, priced_parts
from bookings.pricing.domain.agreements import AgreementValues, Recognition, recognition
from bookings.pricing.domain.fees import on_top, price_group, quote, taxed_for
from bookings.pricing.domain.quotes import Quote, QuoteInput
from bookings.pricing.domain.vouchers import GrantOffer, Use, usable
from bookings.pricing.selectors import taxes
from bookings.pricing.selectors.agreements import Agreements, load_agreements
from bookings.pricing.selectors.vouchers import load_grants
from bookings.record.domain.periods import Period
from instruments.opening.selectors.opening import load_holidays
from instruments.rates.domain.ratecards import Option, RateCardValues, card_in_force
from instruments.rates.selectors.ratecards import CardInForce, load_card_in_force
from instruments.reading.domain.clock import local_date
from instruments.register.models import Instrument
from instruments.register.selectors.registry import host_region_on, host_regions


@dataclass(frozen=True)
class Backing:
    """The payer's side of a price: the organisation (None: no particular payer), the agreements of its region
    (of each of its regions, if it moves), and its voucher grants."""

    payer: Organisation | None
    agreements: Mapping[UUID, Agreements] = field(default_factory=dict)
    grants: tuple[GrantOffer, ...] = ()

    def region(self, day: date) -> Region | None:
        """Return the payer's region on a local day."""
        return organisation_region_on(self.payer, day) if self.payer else None

    def agreements_on(self, day: date) -> Agreements:
        """Return the payer's region's agreements with other regions on a local day, in force then or not."""
        region = self.region(day) if self.agreements else None
        return self.agreements.get(region.id, {}) if region else {}

    def agreed(self, instrument: Instrument, day: date) -> tuple[AgreementValues, ...]:
        """Return all agreements, in force or not, between the payer's region and the region that hosts the
        instrument on a day."""
        agreements = self.agreements_on(day)
        return agreements.get(host_region_on(instrument, day).id, ()) if agreements else ()

    def recognition(self, instrument: Instrument, day: date) -> Recognition | None:
        """Return the terms that the payer's region and the host's have agreed for a local day."""
        return recognition(self.agreed(instrument, day), day)

    def grant(self, code: str | None) -> GrantOffer | None:
        """Return the grant with a code; None if there is none."""
        return next((grant for grant in self.grants if grant.code == code), None)

    def having(self, grant_id: UUID | None, more: Decimal) -> "Backing":
        """Return a copy in which a grant has `more` left (less if negative)."""
        if grant_id is None or not more:
            return self
        return replace(
            self,
            grants=tuple(
                replace(grant, remaining=grant.remaining + more) if grant.id == grant_id else grant
                for grant in self.grants
            ),
        )


NOBODY = Backing(None)


@dataclass(frozen=True)
class Terms:
    """The terms on which a payer books an instrument on a day: `grants` that may be used for a booking that
    starts on it, the regions of that day, and `kept`, the hours guaranteed to the payer.
    `is_reversed`: the payer owes the tax."""

    price_group: str
    card: CardInForce | None
    recognition: Recognition | None = None
    grants: tuple[GrantOffer, ...] = ()
    use: Use | None = None
    payer_region: Region | None = None
    host_region: Region | None = None
    kept: tuple[Kept, ...] = ()
    is_reversed: bool = False

    @property
    def is_same_region(self) -> bool:
        """Say whether payer and host lie in one region."""
        home, host = self.payer_region, self.host_region
        return home is not None and host is not None and home.id == host.id

    @property
    def is_served(self) -> bool:
        """Say whether a card in force has a rate for the group in any way of working."""
        return self.serves("")

    def serves(self, mode: str) -> bool:
        """Say whether a card in force has a rate for the group in a way of working; in any, if it is not
        known (''), or has no price."""
        return self.card is not None and self.card.values.serves(self.price_group, mode)

    def prices(self, mode: str) -> bool:
        """Say whether a way of working has a price, for whatever group; if it is not known (''), any has."""
        return not mode or self.card is None or not self.card.values.for_mode(mode).usage

    def offers(self, mode: str) -> bool:
        """Say whether there is a price for the group in a way of working ('': in any)."""
        return self.serves(mode) and self.prices(mode)

    def card_for(self, mode: str) -> RateCardValues | None:
        """Return the card in force with the one rate that it has for a way of working."""
        return self.card.values.for_mode(mode) if self.card else None

    @property
    def agreement_id(self) -> UUID | None:
        """Return the id of the agreement that makes the price group `partner`; None in any other group."""
        is_partner = self.price_group == "partner" and self.recognition is not None
        return self.recognition.agreement.id if is_partner and self.recognition else None


@dataclass(frozen=True)
class PriceRequest:
    """The use that somebody asks a price for; bid_discount_percent: by how much a bid is below the card."""

    period: Period
    service_mode: str = "self"
    options: Mapping[str, Decimal] = field(default_factory=dict)
    quantity: Decimal | None = None
    bid_discount_percent: Decimal = Decimal(0)


def load_backing(
    payer: Organisation | None, *, instruments: Iterable[Instrument] | None = None, grants: bool = True
) -> Backing:
    """Load a payer's side of prices, for the named instruments only if any are given; without grants for
    callers that only show rates. At most two statements; one less if the instruments are in the payer's own
    region, none without a payer."""
    if payer is None:
        return NOBODY
    return load_backings([payer], instruments=instruments, grants=grants)[payer.pk]


def load_backings(
    payers: Iterable[Organisation],
    *,
    instruments: Iterable[Instrument] | None = None,
    grants: bool = True,
    lock: bool = False,
) -> dict[UUID, Backing]:
    """Return the payer's side of prices for several payers, by id. `lock`: the caller will reserve money of
    their grants."""
    named = {payer.pk: payer for payer in payers}
    regions = None
    if instruments is not None:
        instruments = list(instruments)
        load_moves([*named.values(), *(i.organisation for i in instruments)])
        regions = {region for i in instruments for region in host_regions(i)}
    homes = {
        pk: {region.pk for _, _, region in organisation_regions_held(payer)} for pk, payer in named.items()
    }
    agreements = {}
    for region in set[UUID]().union(*homes.values()):
        others = None if regions is None else regions - {region}
        agreements[region] = {} if others == set() else load_agreements(region, others)
    granted = load_grants(named.values(), lock=lock) if grants else {}
    return {
        pk: Backing(payer, {region: agreements[region] for region in homes[pk]}, tuple(granted.get(pk, ())))
        for pk, payer in named.items()
    }


def group_of(instrument: Instrument, backing: Backing, day: date) -> str:
    """Return the price group at an instrument on a local day; `external` without a payer."""
    return terms_by_day(instrument, backing, None, day).price_group


def load_terms(
    instrument: Instrument, payer: Organisation | None, start: datetime, *, backing: Backing | None = None
) -> Terms:
    """Return the terms on the local day of `start`. One statement if the payer's `backing` is given;
    otherwise at most two more, for agreements with another region and for grants."""
    if backing is None:
        backing = load_backing(payer, instruments=[instrument])
    day = local_date(ZoneInfo(instrument.facility.time_zone), start)
    return terms_by_day(instrument, backing, load_card_in_force(instrument.pk, day), day)


def terms_on(
    instrument: Instrument, backing: Backing, cards: Sequence[CardInForce], moment: datetime
) -> Terms:
    """Return the terms from the instrument's published cards, which the caller has loaded. No statement."""
    day = local_date(ZoneInfo(instrument.facility.time_zone), moment)
    return terms_by_day(instrument, backing, card_on(instrument, cards, moment), day)


def card_on(instrument: Instrument, cards: Sequence[CardInForce], moment: datetime) -> CardInForce | None:
    """Return the instrument's card in force on the local day of a moment; None if there is none. No
    statement."""
    return card_in_force(cards, local_date(ZoneInfo(instrument.facility.time_zone), moment))


def terms_by(instrument: Instrument, backing: Backing, card: CardInForce, start: datetime) -> Terms:
    """Return the terms by a card that was frozen with a booking. No statement."""
    return terms_by_day(instrument, backing, card, local_date(ZoneInfo(instrument.facility.time_zone), start))


def terms_by_day(instrument: Instrument, backing: Backing, card: CardInForce | None, day: date) -> Terms:
    """Return the terms of a local day by a card. No statement if payer and host never moved."""
    payer, host = backing.payer, host_region_on(instrument, day)
    if payer is None:
        return Terms("external", card, host_region=host)
    home = organisation_region_on(payer, day)
    agreed = recognition(backing.agreements.get(home.id, {}).get(host.id, ()), day)
    use = None
    if card is not None:
        use = Use(
            day=day,
            currency=card.values.currency,
            host_regions=frozenset(host.lineage),
            payer_region=home.id,
            is_honoured=home.id == host.id or (agreed is not None and agreed.honours_vouchers),
        )
    group = price_group(
        host_id=instrument.organisation_id,
        payer_id=payer.id,
        payer_kind=payer.kind,
        host_region_id=host.id,
        payer_region_id=home.id,
        has_agreement=agreed is not None,
    )
    is_reversed = taxes.is_reversed(payer, home, instrument.organisation, host)
    return Terms(group, card, agreed, backing.grants, use, home, host, is_reversed=is_reversed)


def quote_input(instrument: Instrument, terms: Terms, request: PriceRequest) -> QuoteInput | None:
    """Return the inputs of the price rule; None if the group is not served, or the way of working has no
    price. No statement."""
    if terms.card is None or not terms.offers(request.service_mode):
        return None
    zone = ZoneInfo(instrument.facility.time_zone)
    period = request.period
    is_partner = terms.price_group == "partner" and terms.recognition is not None
    return QuoteInput(
        card=taxed_for(
            terms.card.values.for_mode(request.service_mode), terms.price_group, is_reversed=terms.is_reversed
        ),
        time_zone=instrument.facility.time_zone,
        start=period.start,
        end=period.end,
        price_group=terms.price_group,
        service_mode=request.service_mode,
        quantity=request.quantity,
        options=request.options,
        agreement_discount_percent=terms.recognition.discount_percent
        if is_partner and terms.recognition
        else Decimal(0),
        grants=usable(terms.grants, terms.use) if terms.use else (),
        public_holidays=load_holidays(
            instrument, local_date(zone, period.start), local_date(zone, period.end) + timedelta(days=14)
        ),
        kept=priced_parts(terms.kept, period, terms.card.values.currency),
        bid_discount_percent=request.bid_discount_percent,
        is_reversed=terms.is_reversed,
    )


def price_of(instrument: Instrument, terms: Terms, request: PriceRequest) -> Quote | None:
    """Return the price that the booking form shows before anything is chosen; a price per sample is for one
    sample. None if the group is not served or the service mode has no price. No statement."""
    mode = request.service_mode or first_mode(instrument, terms)
    card = terms.card_for(mode)
    if card is not None and card.rate_unit == "sample" and not request.quantity:
        request = replace(request, quantity=Decimal(1))
    given = quote_input(instrument, terms, replace(request, service_mode=mode))
    try:
        return quote(given) if given else None
    except Invalid:
        return None


def least_minutes(terms: Terms, mode: str) -> int:
    """Return the least minutes that the card charges in a way of working; 0 if it charges any, or by the
    sample."""
    card = terms.card_for(mode)
    return card.minimum_minutes if card and card.rate_unit == "hour" else 0


def way_priced(instrument: Instrument, terms: Terms, mode: str) -> str:
    """Return the way of working that a price has to name, because others have prices of their own; '' if it
    need not."""
    has_ways = len(instrument.service_modes) > 1 and terms.card is not None and terms.card.values.usage
    return mode if has_ways else ""


def added_on_top(instrument: Instrument, terms: Terms, mode: str = "") -> tuple[Option, ...]:
    """Return the options by the hour that a mode (by default the first) adds to the price of the card."""
    card = terms.card.values if terms.card else None
    return on_top(card, mode or first_mode(instrument, terms)) if card else ()


def first_mode(instrument: Instrument, terms: Terms) -> str:
    """Return the default service mode: by the card in force, or the first that is offered."""
    if terms.card is not None:
        return terms.card.values.first_mode(instrument.service_modes, terms.price_group)
    return next(iter(instrument.service_modes), "")
