"""Find where a new booking fits on an instrument: on which unit, and on what terms."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from accounts.domain.errors import WrongState
from accounts.domain.roles import Actor
from accounts.models import Organisation
from bookings.availability.domain.availability import Calendar, Hazard, Wish, outside_group, unqualified
from bookings.availability.selectors.availability import around, load_calendar
from bookings.availability.selectors.explaining import load_explained
from bookings.availability.selectors.kept_hours import rights_when_held
from bookings.catalogue.selectors.askers import load_asker, load_block
from bookings.catalogue.selectors.parties import Booking
from bookings.pricing.domain import fees
from bookings.pricing.domain.quotes import Quote, QuoteInput
from bookings.pricing.selectors.fees import Backing, PriceRequest, Terms, load_terms, quote_input, terms_by
from bookings.questions.domain.questions import BOOKING
from bookings.questions.models import Questionnaire
from bookings.questions.selectors.questions import load_questionnaire
from bookings.record.domain.money import format_amount
from bookings.record.domain.periods import Period
from bookings.record.domain.refusals import Refusal, RulesRefuse
from bookings.record.models import Reservation
from instruments.policy.domain.policies import Policy
from instruments.policy.selectors.policies import load_policy
from instruments.rates.selectors.ratecards import load_card
from instruments.register.models import Instrument


@dataclass(frozen=True)
class Price:
    """The inputs of the price rule, and its result."""

    given: QuoteInput
    quote: Quote


@dataclass(frozen=True)
class Place:
    """A free unit for a booking, the terms on which the payer books, the policy that was applied, and the
    overridden rules that would have refused it; `price` if it is known already."""

    unit: int
    terms: Terms
    policy: Policy
    overrides: tuple[str, ...] = ()
    has_lapsed: bool = False  # a row nearby has expired but still exists
    price: Price | None = None


def load_place(
    instrument: Instrument,
    payer: Organisation,
    user_id: UUID,
    period: Period,
    mode: str,
    now: datetime,
    *,
    override: Sequence[str] = (),
    backing: Backing | None = None,
    hazards: tuple[Hazard, ...] = (),
) -> Place:
    """Find where a new booking fits. Raise `RulesRefuse` with every rule that refuses, and the nearest time
    that would be allowed. Two statements if the payer's `backing` is known, otherwise at most two more; one
    more for quotas and one for a certificate."""
    terms = load_terms(instrument, payer, period.start, backing=backing)
    lapsed: set[UUID] = set()
    calendar = load_calendar(instrument, period, now, lapsed=lapsed)
    if calendar is None:
        raise RulesRefuse([Refusal("not-published")])
    asker = load_asker(instrument, payer, terms, user_id=user_id, mode=mode)
    wish = Wish(period, asker, waived=frozenset(override), hazards=hazards)
    broken = require_place(instrument, calendar, wish, now)
    unit = calendar.free_unit(period)
    if unit is None:  # `require_place` has just said that there is one
        raise RulesRefuse([Refusal("slot-taken")])
    terms = replace(terms, kept=calendar.rights(payer.pk))
    return Place(unit, terms, calendar.policy, broken, bool(lapsed))


def require_place(
    instrument: Instrument, calendar: Calendar, wish: Wish, now: datetime, *, without: Collection[UUID] = ()
) -> tuple[str, ...]:
    """Return the overridden rules that the booking breaks; raise `RulesRefuse` if it breaks any other
    rule."""
    refusals = calendar.refusing(wish, now)
    if all(refusal.code in wish.waived for refusal in refusals):
        return tuple(dict.fromkeys(refusal.code for refusal in refusals))
    wide = load_calendar(instrument, around(wish.period), now, without=without)
    if wide is not None:
        wide.policy = calendar.policy
    raise RulesRefuse(load_explained(instrument, wide, wish, now, without=without) if wide else [])


def require_unblocked(
    actor: Actor, instrument: Instrument, user_id: UUID, payer_id: UUID, now: datetime
) -> None:
    """Raise `RulesRefuse` with the refusal of `load_block`, if there is one. The instrument comes from its
    lock. One statement at a host that blocks somebody, otherwise none."""
    if refusal := load_block(actor, instrument, user_id, payer_id, now):
        raise RulesRefuse([refusal])


def price_of(instrument: Instrument, terms: Terms, enquiry: PriceRequest) -> Price:
    """Return what a booking costs on these terms. `RulesRefuse` if the group is not served or the way of
    working has no price, `Invalid` if the price rule cannot answer."""
    given = quote_input(instrument, terms, enquiry)
    if given is None and not terms.prices(enquiry.service_mode):
        raise RulesRefuse([Refusal("mode-not-priced")])
    if given is None:
        raise RulesRefuse([Refusal("audience-not-served", {"price_group": terms.price_group})])
    return Price(given, fees.quote(given))


def terms_held(hold: Reservation, instrument: Instrument, backing: Backing, now: datetime) -> Terms:
    """Return the terms on which a hold becomes a booking: by the card, group and regions with which it was
    held."""
    terms = terms_by(instrument, backing, load_card(hold.rate_card), hold.start_at)
    return replace(
        terms,
        price_group=hold.price_group,
        payer_region=hold.payer_region,
        host_region=hold.host_region,
        kept=rights_when_held(hold, instrument, now),
    )


def require_price(price: Price, booking: Booking) -> None:
    """Raise `WrongState` (`price-changed`) if more is payable than the person has read, or in another
    currency, because the card, an agreement or a voucher has changed meanwhile."""
    if booking.at_most is None:
        return
    payable, currency = price.quote.payable, price.quote.currency
    most, read_in = booking.at_most
    if currency != read_in or payable > most:
        raise WrongState("price-changed", amount=format_amount(payable, currency), currency=currency)


def require_qualified(instrument: Instrument, user_id: UUID, period: Period, mode: str) -> None:
    """Raise `RulesRefuse` if the person may not use this service mode throughout the period, or not at these
    hours, without a certificate. One statement for each certificate that is required."""
    policy = getattr(instrument, "policy", None)
    if policy is None or not (policy.qualification or policy.group_hours):
        return
    asker = load_asker(instrument, None, Terms("external", None), user_id=user_id, mode=mode)
    hours, zone = load_policy(policy).group_hours, instrument.facility.zone
    for_certified = [rule for rule in hours if rule.who == "certified"]
    refusals = (*unqualified(asker, period), *outside_group(for_certified, zone, asker, period))
    if refusals:
        raise RulesRefuse(refusals)


def load_questions(instrument: Instrument) -> Questionnaire | None:
    """Return the questions that are asked when the instrument is booked, None if there are none."""
    return load_questionnaire(instrument, BOOKING)
