"""Chains: times for steps on different instruments, and the chains that were booked."""

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
from bookings.plans.domain import chains
from bookings.pricing.domain import fees
from bookings.pricing.domain.quotes import Quote
from bookings.pricing.selectors.fees import PriceRequest, load_backing, quote_input, terms_on
from bookings.record.domain.periods import Period
from bookings.record.domain.steps import Gap
from bookings.record.models import Reservation
from bookings.record.selectors.reservations import reservations_for
from bookings.reserving.models import Chain
from bookings.reserving.selectors.cancelling import is_left, load_cancellation_sums
from instruments.register.models import Instrument
from instruments.register.selectors.registry import instruments_for

SHOWN = 5


@dataclass(frozen=True)
class StepWish:
    """One step: instrument, length and service mode; `gap` is the pause before it (ignored for the first
    step)."""

    instrument_id: UUID
    minutes: int
    service_mode: str
    gap: Gap = field(default_factory=Gap)
    options: Mapping[str, Decimal] = field(default_factory=dict)
    quantity: Decimal | None = None
    samples: str = ""
    house_rules: int | None = None  # the accepted version of the house rules

    def enquiry(self, period: Period) -> PriceRequest:
        return PriceRequest(period, self.service_mode, self.options, self.quantity)


@dataclass(frozen=True)
class Stage:
    """A step with its time and its price."""

    instrument: Instrument
    period: Period
    quote: Quote | None = None


@dataclass(frozen=True)
class Proposal:
    """One way to schedule all steps."""

    stages: tuple[Stage, ...]

    @property
    def totals(self) -> dict[str, Decimal]:
        """Return the total cost by currency, since hosts may charge in different ones."""
        return self._sums("total")

    @property
    def payables(self) -> dict[str, Decimal]:
        """Return the amounts to pay after vouchers, by currency."""
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
    """The first few ways, and the number of possible starts of each step; a step with 0 is the one that
    fails."""

    ways: tuple[Proposal, ...]
    starts: tuple[int, ...]
    instruments: tuple[Instrument, ...]


def require_steps(steps: Sequence[StepWish], within: Period) -> None:
    """Raise `Invalid` unless the steps form a chain: two to five, each on a different instrument, with
    possible lengths and pauses."""
    if not chains.FEWEST_STEPS <= len(steps) <= chains.MOST_STEPS:
        raise invalid("steps", "out-of-range", least=chains.FEWEST_STEPS, most=chains.MOST_STEPS)
    problems = [
        FieldProblem(f"steps[{index}].instrument", "repeated")
        for index, step in enumerate(steps)
        if step.instrument_id in {other.instrument_id for other in steps[:index]}
    ]
    for index, step in enumerate(steps):
        for name, minutes in (("gap_min", step.gap.least), ("gap_max", step.gap.most)):
            if minutes is not None and not 0 <= minutes <= chains.LONGEST_GAP:
                numbers = {"least": 0, "most": chains.LONGEST_GAP}
                problems.append(FieldProblem(f"steps[{index}].{name}", "out-of-range", numbers))
    if problems:
        raise Invalid(problems)
    chains.require_gaps([step.gap for step in steps])
    if within.length > timedelta(days=chains.MOST_DAYS):
        raise invalid("latest", "span-too-long", days=chains.MOST_DAYS)


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
    """Return the first few ways to schedule all steps within a span, with prices if `priced`. The asker's own
    holds do not block them. `together`: all steps begin at the same moment instead of one after the other.
    `times`: of the day, in each instrument's time zone; without them usual working hours come first. Raises
    `Invalid`, `NotFound`, `NotPermitted`. A few statements for each step."""
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
    ways = chains.suggest(candidates, most, together=together)
    starts = tuple(len(candidate.starts) for candidate in candidates)
    if not priced:
        plain = [Proposal(tuple(map(Stage, instruments, periods))) for periods in ways]
        return Proposals(tuple(plain), starts, tuple(instruments))
    cards, backing = load_cards(ids), load_backing(payer)
    proposals = []
    for periods in ways:
        stages, left = [], backing
        for step, instrument, period, (_, rights) in zip(steps, instruments, periods, found, strict=True):
            terms = terms_on(instrument, left, cards.get(instrument.pk, []), period.start)
            given = quote_input(instrument, replace(terms, kept=rights), step.enquiry(period))
            quote = fees.quote(given) if given else None
            stages.append(Stage(instrument, period, quote))
            if quote and (grant := left.grant(quote.voucher)):
                left = left.having(grant.id, -quote.covered)  # no longer available for the next step
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
) -> tuple[chains.Candidate, tuple[Kept, ...]]:
    """Return the possible starts of a step, and the hours on its instrument that are guaranteed to the
    payer."""
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
        return chains.Candidate(step.minutes, step.gap, starts, starts), rights
    usual = usual_among(starts, step.minutes, zone)
    return chains.Candidate(step.minutes, step.gap, starts, usual), rights


# What was booked


def chains_seen(actor: Actor) -> QuerySet[Chain]:
    """Return the chains of which the actor may see a step."""
    return Chain.objects.filter(pk__in=reservations_for(actor).order_by().values("chain"))


def chain_for(actor: Actor, chain_id: UUID) -> Chain:
    """Return a chain; raise `NotFound` if there is none, or the actor may not see any step of it."""
    return visible(chains_seen(actor).select_related("organisation", "user"), pk=chain_id)


def steps_of(actor: Actor, chain: Chain) -> QuerySet[Reservation]:
    """Return the steps of a chain that the actor may see, in their order: a host sees those on its own
    instruments."""
    return reservations_for(actor).filter(chain=chain).order_by("step", "id")


@dataclass(frozen=True)
class ChainCancellation:
    """The cost of cancelling all steps that are left: fee and tax by currency."""

    reservations: tuple[Reservation, ...]
    sums: Mapping[str, tuple[Decimal, Decimal]]


def load_chain_cancellation(actor: Actor, chain_id: UUID, now: datetime) -> ChainCancellation:
    """Return what cancelling a chain costs now; requests that were never confirmed, and steps that the host
    cancels, cost nothing. Raises `WrongState` (`chain-over`) if no step is left."""
    chain = chain_for(actor, chain_id)
    left = [r for r in steps_of(actor, chain) if is_left(r, now)]
    if not left:
        raise WrongState("chain-over")
    return ChainCancellation(tuple(left), load_cancellation_sums(actor, left, now))
