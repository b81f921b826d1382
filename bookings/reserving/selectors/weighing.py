"""Judge several wanted bookings of one payer one after the other, each as if those before it were booked, for
recurring bookings and imports."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from accounts.models import Organisation
from bookings.availability.domain.availability import Asker, Block, Calendar, Wish
from bookings.availability.domain.quotas import Booked
from bookings.availability.selectors.availability import around, load_calendar
from bookings.catalogue.selectors.askers import load_asker
from bookings.catalogue.selectors.catalogue import load_cards
from bookings.funding.selectors.funding import NO_FUNDING, Funding
from bookings.pricing.domain import fees
from bookings.pricing.domain.quotes import Quote
from bookings.pricing.selectors.fees import Backing, PriceRequest, Terms, quote_input, terms_on
from bookings.record.domain.periods import Period
from bookings.record.domain.refusals import Refusal
from bookings.reserving.selectors.placing import Place, Price
from instruments.rates.selectors.ratecards import CardInForce
from instruments.reading.domain.clock import local_date
from instruments.register.models import Instrument


@dataclass(frozen=True)
class Weighed:
    """The verdict on a wanted booking: the refusals, with the nearest time that would be allowed; the place
    if nothing refuses; the quote, None if the group has no price on that day."""

    refusals: tuple[Refusal, ...]
    place: Place | None
    quote: Quote | None


class Weighing:
    """Judges many wanted bookings one after the other: each uses up time, quotas, grants and funding sources
    for those after it.

    spans: each instrument with the span in which its bookings are wanted; its calendar is loaded once.
    Statements: one for all rate cards, one or two for the calendar of each instrument, those of `load_asker`
    for each instrument, person and mode; none for each booking.
    """

    def __init__(
        self,
        payer: Organisation,
        spans: Iterable[tuple[Instrument, Period]],
        backing: Backing,
        now: datetime,
        *,
        without: Collection[UUID] = (),
        funding: Funding = NO_FUNDING,
    ) -> None:
        self.payer, self.backing, self.now, self.funding = payer, backing, now, funding
        spans = list(spans)
        ids = [instrument.pk for instrument, _ in spans]
        self._cards: Mapping[UUID, list[CardInForce]] = load_cards(ids)
        self._calendars: dict[UUID, Calendar | None] = {
            instrument.pk: load_calendar(instrument, around(span), now, without=without)
            for instrument, span in spans
        }
        self._askers: dict[tuple[UUID, UUID, str], Asker] = {}

    def terms(self, instrument: Instrument, moment: datetime) -> Terms:
        """Return the terms on which the payer books on the local day of a moment, with what is left."""
        return terms_on(instrument, self.backing, self._cards.get(instrument.pk, []), moment)

    def weigh(
        self, instrument: Instrument, user_id: UUID, enquiry: PriceRequest, *, nearest: bool = True
    ) -> Weighed:
        """Judge a wanted booking; one that passes counts for those after it. Raise `Invalid` if it has no
        price: an unknown option, or no number of samples. `nearest`: add to refusals the nearest period that
        would be allowed."""
        period = enquiry.period
        terms = self.terms(instrument, period.start)
        asker = self._asker(instrument, user_id, enquiry.service_mode, terms)
        calendar = self._calendars[instrument.pk]
        if calendar is not None:
            terms = replace(terms, kept=calendar.rights(self.payer.pk))
        given = quote_input(instrument, terms, enquiry)
        quote = fees.quote(given) if given else None
        if calendar is None:
            return Weighed((Refusal("not-published"),), None, quote)
        judge = calendar.explain if nearest else calendar.check
        refusals = judge(Wish(period, asker), self.now)
        if quote is not None:
            day = local_date(instrument.facility.zone, period.start)
            refusals += self.funding.refusals(quote, day)
        unit = None if refusals else calendar.free_unit(period)
        if unit is None:
            return Weighed(refusals, None, quote)
        if quote is not None:
            grant = self.backing.grant(quote.voucher)
            if grant is not None:
                self.backing = self.backing.having(grant.id, -quote.covered)
            self.funding.take(quote)
        calendar.take(
            Block(calendar.blocked_span(period), unit),
            Booked(period, user_id, self.payer.pk, terms.price_group, asker.is_same_region),
        )
        price = Price(given, quote) if given and quote else None
        return Weighed(refusals, Place(unit, terms, calendar.policy, price=price), quote)

    def _asker(self, instrument: Instrument, user_id: UUID, mode: str, terms: Terms) -> Asker:
        key = (instrument.pk, user_id, mode)
        if key not in self._askers:
            self._askers[key] = load_asker(instrument, self.payer, terms, user_id=user_id, mode=mode)
        return replace(
            self._askers[key],
            price_group=terms.price_group,
            is_served=terms.serves(mode),
            is_priced=terms.prices(mode),
            is_same_region=terms.is_same_region,
        )
