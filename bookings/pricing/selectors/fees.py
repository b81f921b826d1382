"""What a booking would cost: card, price group, agreement, vouchers and holidays gathered for
the rule."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from accounts.domain.errors import Invalid
from accounts.models import Organisation, Region
from accounts.selectors.organisations import (
    load_moves,
    organisation_region_on,
    organisation_regions_held,
)
from bookings.availability.domain.kept_hours import Kept, priced_parts
from bookings.pricing.domain.agreements import AgreementValues, Recognition, recognition
from bookings.pricing.domain.fees import price_group, quote
from bookings.pricing.domain.quotes import Quote, QuoteInput
from bookings.pricing.domain.vouchers import GrantOffer, Use, usable
from bookings.pricing.selectors.agreements import Agreements, load_agreements
from bookings.pricing.selectors.vouchers import load_grants
from bookings.record.domain.periods import Period
from instruments.domain.opening import local_date
from instruments.domain.ratecards import card_in_force
from instruments.models import Instrument
from instruments.selectors.opening import load_holidays
from instruments.selectors.ratecards import CardInForce, load_card_in_force
from instruments.selectors.registry import host_region_on, host_regions


@dataclass(frozen=True)
class Backing:
    """What a payer brings to a price: the organisation (None: nobody in particular), what its
    region (each of its regions, where it moves) has agreed with others, and its voucher
    grants."""

    payer: Organisation | None
    agreements: Mapping[UUID, Agreements] = field(default_factory=dict)
    grants: tuple[GrantOffer, ...] = ()

    def region(self, day: date) -> Region | None:
        """The payer's region on a local day."""
        return organisation_region_on(self.payer, day) if self.payer else None

    def agreements_on(self, day: date) -> Agreements:
        """What the payer's region of a local day has agreed with others, whenever it counts."""
        region = self.region(day) if self.agreements else None
        return self.agreements.get(region.id, {}) if region else {}

    def agreed(self, instrument: Instrument, day: date) -> tuple[AgreementValues, ...]:
        """The agreements, whenever they count, of the payer's and the host's regions of a day."""
        agreements = self.agreements_on(day)
        return agreements.get(host_region_on(instrument, day).id, ()) if agreements else ()

    def recognition(self, instrument: Instrument, day: date) -> Recognition | None:
        """What the payer's region and the host's have agreed for a local day."""
        return recognition(self.agreed(instrument, day), day)

    def grant(self, code: str | None) -> GrantOffer | None:
        """The one with a code."""
        return next((grant for grant in self.grants if grant.code == code), None)

    def having(self, grant_id: UUID | None, more: Decimal) -> "Backing":
        """Return a copy with so much more left of a grant, or less."""
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
    """On what terms a payer books an instrument on a day; `grants` are those that may be used
    for a booking that starts on it, the regions those of that day; `kept` the hours that are kept
    for the payer."""

    price_group: str
    card: CardInForce | None
    recognition: Recognition | None = None
    grants: tuple[GrantOffer, ...] = ()
    use: Use | None = None
    payer_region: Region | None = None
    host_region: Region | None = None
    kept: tuple[Kept, ...] = ()

    @property
    def is_same_region(self) -> bool:
        """Whether payer and host lie in one region."""
        home, host = self.payer_region, self.host_region
        return home is not None and host is not None and home.id == host.id

    @property
    def is_served(self) -> bool:
        """Whether there is a card in force with a rate for the group."""
        return self.card is not None and self.price_group in self.card.values.rates

    @property
    def agreement_id(self) -> UUID | None:
        """The agreement that makes the group `partner`."""
        is_partner = self.price_group == "partner" and self.recognition is not None
        return self.recognition.agreement.id if is_partner and self.recognition else None


@dataclass(frozen=True)
class Asked:
    """What somebody asks a price for."""

    period: Period
    service_mode: str = "self"
    options: Mapping[str, Decimal] = field(default_factory=dict)
    quantity: Decimal | None = None


def load_backing(
    payer: Organisation | None,
    *,
    instruments: Iterable[Instrument] | None = None,
    grants: bool = True,
) -> Backing:
    """What a payer brings, at some instruments only if they are named; without its grants for
    whoever shows rates only. Two statements at most; one less where the instruments are of the
    payer's own region, none for nobody."""
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
    """Return what several payers bring, by id. `lock`: for whoever will set money of their grants
    aside."""
    named = {payer.pk: payer for payer in payers}
    regions = None
    if instruments is not None:
        instruments = list(instruments)
        load_moves([*named.values(), *(i.organisation for i in instruments)])
        regions = {region for i in instruments for region in host_regions(i)}
    homes = {
        pk: {region.pk for _, _, region in organisation_regions_held(payer)}
        for pk, payer in named.items()
    }
    agreements = {}
    for region in set[UUID]().union(*homes.values()):
        others = None if regions is None else regions - {region}
        agreements[region] = {} if others == set() else load_agreements(region, others)
    granted = load_grants(named.values(), lock=lock) if grants else {}
    return {
        pk: Backing(
            payer, {region: agreements[region] for region in homes[pk]}, tuple(granted.get(pk, ()))
        )
        for pk, payer in named.items()
    }


def group_of(instrument: Instrument, backing: Backing, day: date) -> str:
    """The price group at an instrument on a local day; nobody in particular is `external`."""
    return terms_by_day(instrument, backing, None, day).price_group


def load_terms(
    instrument: Instrument,
    payer: Organisation | None,
    start: datetime,
    *,
    backing: Backing | None = None,
) -> Terms:
    """The terms on the local day of `start`. One statement where the payer's `backing` is known;
    else two more at most, for agreements with another region and for grants."""
    if backing is None:
        backing = load_backing(payer, instruments=[instrument])
    day = local_date(ZoneInfo(instrument.facility.time_zone), start)
    return terms_by_day(instrument, backing, load_card_in_force(instrument.pk, day), day)


def terms_on(
    instrument: Instrument, backing: Backing, cards: Sequence[CardInForce], moment: datetime
) -> Terms:
    """Return the terms where the instrument's published cards are loaded already. No statement."""
    day = local_date(ZoneInfo(instrument.facility.time_zone), moment)
    return terms_by_day(instrument, backing, card_on(instrument, cards, moment), day)


def card_on(
    instrument: Instrument, cards: Sequence[CardInForce], moment: datetime
) -> CardInForce | None:
    """The instrument's card in force on the local day of a moment. No statement."""
    return card_in_force(cards, local_date(ZoneInfo(instrument.facility.time_zone), moment))


def terms_by(instrument: Instrument, backing: Backing, card: CardInForce, start: datetime) -> Terms:
    """Return the terms by a card that was frozen. No statement."""
    return terms_by_day(
        instrument, backing, card, local_date(ZoneInfo(instrument.facility.time_zone), start)
    )


def terms_by_day(
    instrument: Instrument, backing: Backing, card: CardInForce | None, day: date
) -> Terms:
    """The terms of a local day by a card. No statement where payer and host never moved."""
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
    return Terms(group, card, agreed, backing.grants, use, home, host)


def quote_input(instrument: Instrument, terms: Terms, request: Asked) -> QuoteInput | None:
    """What the fee rule is asked with; None where the group is not served. No statement."""
    if terms.card is None or not terms.is_served:
        return None
    zone = ZoneInfo(instrument.facility.time_zone)
    period = request.period
    is_partner = terms.price_group == "partner" and terms.recognition is not None
    return QuoteInput(
        card=terms.card.values,
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
            instrument,
            local_date(zone, period.start),
            local_date(zone, period.end) + timedelta(days=14),
        ),
        kept=priced_parts(terms.kept, period, terms.card.values.currency),
    )


def price_of(instrument: Instrument, terms: Terms, request: Asked) -> Quote | None:
    """What the payer would pay, as the booking form says it before anything is chosen in it: of a
    price by the sample, for one. None where the group is not served or the way of service has no
    price. No statement."""
    if terms.card is not None and terms.card.values.rate_unit == "sample" and not request.quantity:
        request = replace(request, quantity=Decimal(1))
    mode = request.service_mode or first_mode(instrument, terms)
    given = quote_input(instrument, terms, replace(request, service_mode=mode))
    try:
        return quote(given) if given else None
    except Invalid:
        return None


def first_mode(instrument: Instrument, terms: Terms) -> str:
    """The way of service where none is said: the only one that a price by the sample knows,
    else the first that is offered."""
    modes = instrument.service_modes
    by_sample = terms.card is not None and terms.card.values.rate_unit == "sample"
    if by_sample and "entrusted" in modes:
        return "entrusted"
    return modes[0] if modes else ""
