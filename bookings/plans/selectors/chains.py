"""Chains: times for steps on different instruments, and those that were booked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db.models import QuerySet

from accounts.domain.errors import FieldProblem, Invalid, NotFound, WrongState, invalid
from accounts.domain.roles import Actor
from accounts.models import Organisation
from accounts.permissions import require
from accounts.selectors.memberships import place_of
from accounts.selectors.organisations import payer_for
from accounts.selectors.rows import visible
from bookings.availability.domain.kept_hours import Kept
from bookings.availability.domain.times_of_day import TimesOfDay, usual_among
from bookings.availability.selectors.availability import load_calendar
from bookings.catalogue.selectors.catalogue import load_cards
from bookings.catalogue.selectors.holds import holds_of
from bookings.catalogue.selectors.starts import load_starts
from bookings.plans.domain.chains import (
    FEWEST_STEPS,
    LONGEST_GAP,
    MOST_DAYS,
    MOST_STEPS,
    Candidate,
    require_gaps,
    suggest,
)
from bookings.pricing.domain import fees
from bookings.pricing.domain.quotes import Quote
from bookings.pricing.selectors.fees import Asked, load_backing, quote_input, terms_on
from bookings.record.domain.periods import Period
from bookings.record.domain.steps import Gap
from bookings.record.models import Reservation
from bookings.record.selectors.reservations import reservations_for
from bookings.reserving.models import Chain
from bookings.reserving.selectors.cancelling import is_left, load_cancellation_sums
from instruments.models import Instrument
from instruments.selectors.registry import instruments_for

SHOWN = 5


@dataclass(frozen=True)
class StepWish:
    """One step: where, how long, in which way; `gap` is the pause before it (of the first none
    that matters)."""

    instrument_id: UUID
    minutes: int
    service_mode: str
    gap: Gap = field(default_factory=Gap)
    options: Mapping[str, Decimal] = field(default_factory=dict)
    quantity: Decimal | None = None
    samples: str = ""
    house_rules: int | None = None  # the version that is accepted

    def enquiry(self, period: Period) -> Asked:
        return Asked(period, self.service_mode, self.options, self.quantity)


@dataclass(frozen=True)
class Stage:
    """A step with its time and its price."""

    instrument: Instrument
    period: Period
    quote: Quote | None = None


@dataclass(frozen=True)
class Proposal:
    """A way to take all steps."""

    stages: tuple[Stage, ...]

    @property
    def totals(self) -> dict[str, Decimal]:
        """What it costs in all, by currency: owners may account in different ones."""
        return self._sums("total")

    @property
    def payables(self) -> dict[str, Decimal]:
        """What vouchers leave to pay of it, by currency."""
        return self._sums("payable")

    def _sums(self, name: str) -> dict[str, Decimal]:
        sums: dict[str, Decimal] = {}
        for stage in self.stages:
            if stage.quote:
                currency = stage.quote.currency
                sums[currency] = sums.get(currency, Decimal(0)) + getattr(stage.quote, name)
        return sums


@dataclass(frozen=True)
class Proposals:
    """The first few ways, and how many starts each step has at all: 0 says what is in the
    way."""

    ways: tuple[Proposal, ...]
    starts: tuple[int, ...]
    instruments: tuple[Instrument, ...]


def require_steps(steps: Sequence[StepWish], within: Period) -> None:
    """`Invalid` where they are no chain: two to five, each on another instrument, with lengths
    and pauses that can be."""
    if not FEWEST_STEPS <= len(steps) <= MOST_STEPS:
        raise invalid("steps", "out-of-range", least=FEWEST_STEPS, most=MOST_STEPS)
    problems = [
        FieldProblem(f"steps[{index}].instrument", "repeated")
        for index, step in enumerate(steps)
        if step.instrument_id in {other.instrument_id for other in steps[:index]}
    ]
    for index, step in enumerate(steps):
        for name, minutes in (("gap_min", step.gap.least), ("gap_max", step.gap.most)):
            if minutes is not None and not 0 <= minutes <= LONGEST_GAP:
                numbers = {"least": 0, "most": LONGEST_GAP}
                problems.append(FieldProblem(f"steps[{index}].{name}", "out-of-range", numbers))
    if problems:
        raise Invalid(problems)
    require_gaps([step.gap for step in steps])
    if within.length > timedelta(days=MOST_DAYS):
        raise invalid("latest", "span-too-long", days=MOST_DAYS)


def load_chains(
    actor: Actor,
    organisation: str | None,
    steps: Sequence[StepWish],
    within: Period,
    now: datetime,
    *,
    most: int = SHOWN,
    together: bool = False,
    times: TimesOfDay | None = None,
    priced: bool = True,
) -> Proposals:
    """The first few ways to take all steps inside a span, with their prices unless these do not
    matter, for the person who asks, whose own holds do not block them. `together`: all begin at
    the same moment, instead of one after the other. `times`: of the day, by each instrument's own
    clock; usual working hours come first where none are named. `Invalid`, `NotFound`,
    `NotPermitted`. A few statements for each step."""
    require_steps(steps, within)
    payer = payer_for(actor, organisation)
    if payer is None:
        raise invalid("organisation", "organisation-needed")
    require(actor, "book", place_of(payer))
    ids = [step.instrument_id for step in steps]
    rows = {i.pk: i for i in instruments_for(actor).filter(pk__in=ids)}
    if len(rows) != len(ids):
        raise NotFound
    instruments = [rows[pk] for pk in ids]
    for index, (step, instrument) in enumerate(zip(steps, instruments, strict=True)):
        if step.service_mode not in instrument.service_modes:
            raise invalid(f"steps[{index}].service_mode", "not-offered")
    holds = holds_of(actor.person, now).filter(made_by_id=actor.person, waiting_offer=None)
    own = list(holds.values_list("pk", flat=True))
    found = [
        _candidate(actor.person, payer, instrument, step, within, now, own, times)
        for step, instrument in zip(steps, instruments, strict=True)
    ]
    candidates = [candidate for candidate, _ in found]
    ways = suggest(candidates, most, together=together)
    starts = tuple(len(candidate.starts) for candidate in candidates)
    if not priced:
        plain = [Proposal(tuple(map(Stage, instruments, periods))) for periods in ways]
        return Proposals(tuple(plain), starts, tuple(instruments))
    cards, backing = load_cards(ids), load_backing(payer)
    proposals = []
    for periods in ways:
        stages, left = [], backing
        for step, instrument, period, (_, rights) in zip(
            steps, instruments, periods, found, strict=True
        ):
            terms = terms_on(instrument, left, cards.get(instrument.pk, []), period.start)
            given = quote_input(instrument, replace(terms, kept=rights), step.enquiry(period))
            quote = fees.quote(given) if given else None
            stages.append(Stage(instrument, period, quote))
            if quote and (grant := left.grant(quote.voucher)):
                left = left.having(grant.id, -quote.covered)  # not there for the next step
        proposals.append(Proposal(tuple(stages)))
    return Proposals(tuple(proposals), starts, tuple(instruments))


def _candidate(
    person: UUID,
    payer: Organisation,
    instrument: Instrument,
    step: StepWish,
    within: Period,
    now: datetime,
    own: Sequence[UUID],
    times: TimesOfDay | None,
) -> tuple[Candidate, tuple[Kept, ...]]:
    """When a step could begin, and the hours that are kept for the payer there."""
    calendar = load_calendar(instrument, within, now, without=own)
    starts: list[datetime] = []
    if calendar is not None:
        starts = load_starts(
            instrument,
            payer,
            calendar,
            within,
            now,
            minutes=step.minutes,
            user_id=person,
            mode=step.service_mode,
        )
    rights = calendar.rights(payer.pk) if calendar else ()
    zone = instrument.facility.zone
    if times is not None:
        starts = times.among(starts, step.minutes, zone)
        return Candidate(step.minutes, step.gap, starts, starts), rights
    usual = usual_among(starts, step.minutes, zone)
    return Candidate(step.minutes, step.gap, starts, usual), rights


# What was booked


def chain_for(actor: Actor, chain_id: UUID) -> Chain:
    """`NotFound` if there is none, or no step of it is the actor's to see."""
    seen = reservations_for(actor).filter(chain=chain_id).values("chain")
    return visible(Chain.objects.select_related("organisation", "user"), pk__in=seen)


def steps_of(actor: Actor, chain: Chain) -> QuerySet[Reservation]:
    """The steps the actor may see, in their order: a host sees its own."""
    return reservations_for(actor).filter(chain=chain).order_by("step", "id")


@dataclass(frozen=True)
class ChainCancellation:
    """What cancelling all that is left would cost: fee and tax by currency."""

    reservations: tuple[Reservation, ...]
    sums: Mapping[str, tuple[Decimal, Decimal]]


def load_chain_cancellation(actor: Actor, chain_id: UUID, now: datetime) -> ChainCancellation:
    """`WrongState` (`chain-over`) if nothing is left. Nothing for requests never confirmed, and
    nothing for what the host cancels."""
    chain = chain_for(actor, chain_id)
    left = [r for r in steps_of(actor, chain) if is_left(r, now)]
    if not left:
        raise WrongState("chain-over")
    return ChainCancellation(tuple(left), load_cancellation_sums(actor, left, now))
