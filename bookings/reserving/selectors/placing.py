"""Where on an instrument a wish would go: which unit, on what terms."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from accounts.models import Organisation
from bookings.availability.domain.availability import (
    Calendar,
    Hazard,
    Wish,
    outside_group,
    unqualified,
)
from bookings.availability.selectors.availability import around, load_calendar
from bookings.catalogue.selectors.askers import load_asker
from bookings.pricing.domain import fees
from bookings.pricing.domain.quotes import Quote, QuoteInput
from bookings.pricing.selectors.fees import Asked, Backing, Terms, load_terms, quote_input
from bookings.record.domain.periods import Period
from bookings.record.domain.refusals import Refusal, RulesRefuse
from instruments.domain.policies import Policy
from instruments.models import Instrument
from instruments.selectors.policies import load_policy


@dataclass(frozen=True)
class Price:
    """What the fee rule was asked with, and its answer."""

    given: QuoteInput
    quote: Quote


@dataclass(frozen=True)
class Place:
    """A unit that is free, the terms the payer books on, the policy it was judged by, and the
    rules that would have refused had nobody set them aside; `price` where it is known already."""

    unit: int
    terms: Terms
    policy: Policy
    overrides: tuple[str, ...] = ()
    has_lapsed: bool = False  # something near has run out and still has its row
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
    """Where a new booking goes. `RulesRefuse` names every rule that refuses, with the nearest
    that passes. Two statements where the payer's `backing` is known, two more at most where not;
    one more for quotas and one for a certificate."""
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
    instrument: Instrument,
    calendar: Calendar,
    wish: Wish,
    now: datetime,
    *,
    without: Collection[UUID] = (),
) -> tuple[str, ...]:
    """The waived rules that the wish breaks; `RulesRefuse` where it breaks another."""
    refusals = calendar.refusing(wish, now)
    if all(refusal.code in wish.waived for refusal in refusals):
        return tuple(dict.fromkeys(refusal.code for refusal in refusals))
    wide = load_calendar(instrument, around(wish.period), now, without=without)
    if wide is not None:
        wide.policy = calendar.policy
    raise RulesRefuse(wide.explain(wish, now) if wide else [])


def price_of(instrument: Instrument, terms: Terms, enquiry: Asked) -> Price:
    """What a booking costs on these terms. `RulesRefuse` where the group is not served, `Invalid`
    where the fee rule cannot answer."""
    given = quote_input(instrument, terms, enquiry)
    if given is None:
        raise RulesRefuse([Refusal("audience-not-served", {"price_group": terms.price_group})])
    return Price(given, fees.quote(given))


def require_qualified(instrument: Instrument, user_id: UUID, period: Period, mode: str) -> None:
    """`RulesRefuse` if the person may not work so through the period, or not in these hours for
    want of a certificate. One statement for each certificate that is asked for."""
    policy = getattr(instrument, "policy", None)
    if policy is None or not (policy.qualification or policy.group_hours):
        return
    asker = load_asker(instrument, None, Terms("external", None), user_id=user_id, mode=mode)
    hours, zone = load_policy(policy).group_hours, instrument.facility.zone
    for_certified = [rule for rule in hours if rule.who == "certified"]
    refusals = (
        *unqualified(asker, period),
        *outside_group(for_certified, zone, asker, period),
    )
    if refusals:
        raise RulesRefuse(refusals)
