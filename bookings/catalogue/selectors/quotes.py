"""Compute what a booking would cost and what refuses it, before it is made."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from accounts.domain.errors import FieldProblem, Invalid
from accounts.domain.roles import Actor
from accounts.models import Organisation
from bookings.availability.domain.availability import Hazard, Wish
from bookings.availability.selectors.availability import around, load_calendar
from bookings.availability.selectors.explaining import load_explained
from bookings.availability.selectors.house_rules import load_acceptance
from bookings.catalogue.selectors.askers import load_asker, load_block
from bookings.catalogue.selectors.equivalents import with_equivalents
from bookings.catalogue.selectors.training import with_courses
from bookings.funding.domain.funding import Share, SourceShare
from bookings.funding.selectors.defaults import load_default_on
from bookings.funding.selectors.funding import NO_FUNDING, load_funding
from bookings.pricing.domain.fees import on_use, quote
from bookings.pricing.domain.quotes import Quote, least_charged
from bookings.pricing.domain.vouchers import Considered, considered
from bookings.pricing.selectors import fees
from bookings.record.domain.refusals import Refusal
from bookings.record.models import Reservation
from instruments.rates.domain.ratecards import Option
from instruments.rates.selectors.ratecards import load_card
from instruments.reading.domain.clock import local_date
from instruments.register.models import Instrument


@dataclass(frozen=True)
class Quotation:
    """A quote with what refuses the booking. `quote` is None if no card is in force, or if `problems` (other
    than those of `funding`) say why there is no price yet. `parts`: what each funding source would pay.
    `on_top`: options by the hour that the mode adds and nobody asked for yet. `minimum`: the least minutes
    that are charged, because the period is shorter; 0 if it is as long. `mode`: the service mode. `on_use`:
    options that the host may add when the use ends."""

    terms: fees.Terms
    quote: Quote | None
    refusals: tuple[Refusal, ...]
    problems: tuple[FieldProblem, ...] = ()
    parts: tuple[SourceShare, ...] = ()
    on_top: tuple[Option, ...] = ()
    minimum: int = 0
    mode: str = ""
    on_use: tuple[Option, ...] = ()

    @property
    def vouchers(self) -> tuple[Considered, ...]:
        """Return the payer's voucher grants: which of them pays how much, and what the others would."""
        if self.quote is None or self.terms.use is None:
            return ()
        return considered(self.terms.grants, self.terms.use, self.quote.eligible)


def load_quotation(
    instrument: Instrument,
    payer: Organisation | None,
    enquiry: fees.PriceRequest,
    now: datetime,
    *,
    user_id: UUID | None,
    is_draft: bool = False,
    without: Collection[UUID] = (),
    shares: Sequence[Share] | None = (),
    made_for: UUID | None = None,
    hazards: tuple[Hazard, ...] = (),
    hold: Reservation | None = None,
    accepts: int | None = None,
    booked_by: Actor | None = None,
) -> Quotation:
    """Return the price and the refusals of a period for a booking made now by a person, or by them for
    another (`made_for`), whose funding sources then count as well. `shares` None: the default of the person
    it is for pays. `hazards` are those of the samples it is
    for. Without a service mode, the first one (`first_mode`) applies, as on every page. With a `hold` that
    the booking completes, the price is by the card it was held on. With `booked_by`, the person who would
    book, blocks count and the house rules, of which they accept the version `accepts`; a form shows both
    beside its quote instead.

    Raise `Invalid` if the fee rule cannot give a price; for a draft (`is_draft`), a form that is only half
    filled in, the quotation contains the problems instead.
    """
    if hold is None:
        terms = fees.load_terms(instrument, payer, enquiry.period.start)
    else:
        backing = fees.load_backing(payer, instruments=[instrument])
        terms = fees.terms_by(instrument, backing, load_card(hold.rate_card), enquiry.period.start)
        terms = replace(terms, price_group=hold.price_group)
    if not enquiry.service_mode:
        enquiry = replace(enquiry, service_mode=fees.first_mode(instrument, terms) or "self")
    calendar = load_calendar(instrument, around(enquiry.period), now, without=without)
    if calendar is None:
        refusals: tuple[Refusal, ...] = (Refusal("not-published"),)
    else:
        terms = replace(terms, kept=calendar.rights(payer.pk if payer else None))
        asker = load_asker(instrument, payer, terms, user_id=user_id, mode=enquiry.service_mode)
        wish = Wish(enquiry.period, asker, hazards=hazards)
        refusals = load_explained(instrument, calendar, wish, now, without=without)
        refusals = with_equivalents(refusals, instrument, payer, enquiry, now, user_id=user_id)
        refusals = with_courses(refusals, instrument, now)
    if booked_by is not None and user_id is not None:
        if block := load_block(booked_by, instrument, user_id, payer.pk if payer else None, now):
            refusals += (block,)
        refusals += load_acceptance(instrument, user_id, accepts)[1]
    given = fees.quote_input(instrument, terms, enquiry)
    result, funding = None, NO_FUNDING
    problems: list[FieldProblem] = []
    try:
        result = quote(given) if given else None
    except Invalid as unclear:
        if not is_draft:
            raise
        problems += unclear.problems
    zone = instrument.facility.zone
    payer_id, today = payer.pk if payer else None, local_date(zone, now)
    if shares is None:
        person, day = made_for or user_id, local_date(zone, enquiry.period.start)
        shares = load_default_on(payer, person, day).shares if payer and person else ()
    try:
        funding = load_funding(payer_id, shares, [user_id, made_for], today)
    except Invalid as unclear:
        if not is_draft:
            raise
        problems += unclear.problems
    parts: tuple[SourceShare, ...] = ()
    if result is not None:
        parts = funding.parts(result)
        refusals += funding.refusals(result, local_date(zone, enquiry.period.start))
    added = fees.added_on_top(instrument, terms, enquiry.service_mode)
    on_top = tuple(option for option in added if not enquiry.options.get(option.code))
    minimum = least_charged(
        fees.least_minutes(terms, enquiry.service_mode), enquiry.period.start, enquiry.period.end
    )
    mode = enquiry.service_mode
    later = on_use(terms.card.values, mode) if terms.card else ()
    return Quotation(terms, result, refusals, tuple(problems), parts, on_top, minimum, mode, later)
