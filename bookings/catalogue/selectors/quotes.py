"""What a booking would cost and what refuses it, before anybody books."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from accounts.domain.errors import FieldProblem, Invalid
from accounts.models import Organisation
from bookings.availability.domain.availability import Hazard, Wish
from bookings.availability.selectors.availability import around, load_calendar
from bookings.catalogue.selectors.askers import load_asker
from bookings.catalogue.selectors.equivalents import with_equivalents
from bookings.catalogue.selectors.training import with_courses
from bookings.funding.domain.funding import Part, Share
from bookings.funding.selectors.funding import NO_FUNDING, load_funding
from bookings.pricing.domain.fees import quote
from bookings.pricing.domain.quotes import Quote
from bookings.pricing.domain.vouchers import Considered, considered
from bookings.pricing.selectors.fees import Asked, Terms, load_terms, quote_input
from bookings.record.domain.refusals import Refusal
from instruments.domain.opening import local_date
from instruments.models import Instrument


@dataclass(frozen=True)
class Quotation:
    """A quote with what refuses the booking; `quote` is None without a card in force, or where
    `problems` say why it cannot be told yet; those of `funding` leave it.
    `parts`: what each funding source would pay."""

    terms: Terms
    quote: Quote | None
    refusals: tuple[Refusal, ...]
    problems: tuple[FieldProblem, ...] = ()
    parts: tuple[Part, ...] = ()

    @property
    def vouchers(self) -> tuple[Considered, ...]:
        """The payer's grants: which of them pays how much of it, and what the others would."""
        if self.quote is None or self.terms.use is None:
            return ()
        return considered(self.terms.grants, self.terms.use, self.quote.eligible)


def load_quotation(
    instrument: Instrument,
    payer: Organisation | None,
    enquiry: Asked,
    now: datetime,
    *,
    user_id: UUID | None,
    is_draft: bool = False,
    without: Collection[UUID] = (),
    shares: Sequence[Share] = (),
    made_for: UUID | None = None,
    hazards: tuple[Hazard, ...] = (),
) -> Quotation:
    """Price and refusals of a period, as they would be for a booking made now by a person, or
    by them for another, whose funding sources then count as well; `hazards` are those of the
    samples it is for.

    `Invalid` where the fee rule cannot answer; of a draft, a form half filled in, the quotation
    says so itself.
    """
    terms = load_terms(instrument, payer, enquiry.period.start)
    calendar = load_calendar(instrument, around(enquiry.period), now, without=without)
    if calendar is None:
        refusals: tuple[Refusal, ...] = (Refusal("not-published"),)
    else:
        terms = replace(terms, kept=calendar.rights(payer.pk if payer else None))
        asker = load_asker(instrument, payer, terms, user_id=user_id, mode=enquiry.service_mode)
        refusals = calendar.explain(Wish(enquiry.period, asker, hazards=hazards), now)
        refusals = with_equivalents(refusals, instrument, payer, enquiry, now, user_id=user_id)
        refusals = with_courses(refusals, instrument, now)
    given = quote_input(instrument, terms, enquiry)
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
    try:
        funding = load_funding(payer_id, shares, [user_id, made_for], today)
    except Invalid as unclear:
        if not is_draft:
            raise
        problems += unclear.problems
    parts: tuple[Part, ...] = ()
    if result is not None:
        parts = funding.parts(result)
        refusals += funding.refusals(result, local_date(zone, enquiry.period.start))
    return Quotation(terms, result, refusals, tuple(problems), parts)
