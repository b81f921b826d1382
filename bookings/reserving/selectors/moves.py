"""What changing the time of a booking would come to."""

from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from accounts.domain.roles import Actor
from accounts.selectors.memberships import place_of
from bookings.availability.domain import approvals
from bookings.availability.domain.availability import Calendar, Wish
from bookings.availability.domain.kept_hours import Kept, PricedPart, left_for, parts_kept
from bookings.availability.selectors.availability import around, load_calendar
from bookings.catalogue.selectors.askers import load_asker
from bookings.catalogue.selectors.equivalents import with_equivalents
from bookings.funding.domain.funding import without_numbers
from bookings.funding.selectors.earmarks import Earmarked, kept_grants, load_earmarked
from bookings.funding.selectors.funding import load_refunding
from bookings.pricing.domain import fees
from bookings.pricing.domain.fees import FREE, CancellationFee
from bookings.pricing.domain.quotes import Quote, QuoteInput
from bookings.pricing.selectors.charges import cancellation_now, load_quoted, second_thoughts_day
from bookings.pricing.selectors.fees import (
    Asked,
    Backing,
    Terms,
    load_backing,
    load_terms,
    quote_input,
    terms_by,
)
from bookings.record.domain import reservations as rules
from bookings.record.domain.periods import Period
from bookings.record.domain.refusals import OVERRIDABLE, Refusal
from bookings.record.domain.steps import Placed, gaps_from_json, is_in_order
from bookings.record.models import Reservation
from bookings.record.selectors.reservations import has_completed
from bookings.reserving.domain import moves
from instruments.domain.opening import local_date
from instruments.models import Instrument
from instruments.selectors.policies import load_policy
from instruments.selectors.ratecards import load_card
from instruments.selectors.registry import WITH

# Steps of a chain that are not given up.
LIVE = ("held", "requested", "confirmed", "in_use", "completed")


@dataclass(frozen=True)
class Move:
    """A change of a booking's time.

    kind: move, extend or shorten; refusals: every rule against it, those set aside left out,
    with the nearest that passes; broken: those set aside that it breaks; needs_approval: it
    would become a request again; fee: what it costs now to have less time; least_percent: what
    a later cancelling costs at least; second_thought_on: the day whose second thoughts it uses
    up, where shortening it would cost something without them; earmarked: the money set aside
    for it at present.
    """

    kind: str
    period: Period
    unit: int | None
    refusals: tuple[Refusal, ...]
    broken: tuple[str, ...]
    needs_approval: bool
    terms: Terms
    given: QuoteInput | None
    old: Quote
    new: Quote | None
    fee: CancellationFee
    earmarked: Earmarked
    least_percent: Decimal
    setup_minutes: int
    teardown_minutes: int
    second_thought_on: date | None = None

    @property
    def currency(self) -> str:
        return self.old.currency

    @property
    def grant_id(self) -> UUID | None:
        """The grant that covers some of the new price."""
        if self.new is None or self.new.voucher is None:
            return None
        if self.kind != moves.MOVE:
            return self.earmarked.grant_id
        return next((g.id for g in self.terms.grants if g.code == self.new.voucher), None)

    def agreement_id(self, reservation: Reservation) -> UUID | None:
        """What keeps its start keeps its agreement."""
        return self.terms.agreement_id if self.kind == moves.MOVE else reservation.agreement_id

    @property
    def overridable(self) -> tuple[str, ...]:
        """The refusals a manager of the host could set aside, if those are all."""
        codes = tuple(refusal.code for refusal in self.refusals)
        return codes if set(codes) <= set(OVERRIDABLE) else ()


def paid_from(instrument: Instrument, kind: str, period: Period) -> date | None:
    """The local day on which what pays for a booking must be valid; None where it only gives
    time back."""
    if kind == moves.SHORTEN:
        return None
    return local_date(instrument.facility.zone, period.start)


def load_move(
    actor: Actor,
    reservation: Reservation,
    period: Period,
    now: datetime,
    *,
    override: Sequence[str] = (),
    asked_by: str = "",
) -> Move:
    """What moving a booking to a period would come to, said before it is done. One statement
    more than `weigh_move`, and those of `load_elsewhere` where the time is taken."""
    instrument = Instrument.objects.select_related(*WITH).get(pk=reservation.instrument_id)
    move = weigh_move(
        actor, instrument, reservation, period, now, override=override, asked_by=asked_by
    )
    return replace(move, refusals=load_elsewhere(reservation, period, move.refusals, now))


def load_elsewhere(
    reservation: Reservation, period: Period, refusals: Sequence[Refusal], now: datetime
) -> tuple[Refusal, ...]:
    """The refusals of a move; that the slot is taken says which equivalent instruments could be
    booked instead. Of another length of the same booking nothing elsewhere is a part."""
    is_move = moves.kind_of(Period(reservation.start_at, reservation.end_at), period) == moves.MOVE
    if not is_move or not any(refusal.code == "slot-taken" for refusal in refusals):
        return tuple(refusals)
    return with_equivalents(
        refusals,
        Instrument.objects.select_related(*WITH).get(pk=reservation.instrument_id),
        reservation.organisation,
        Asked(period, reservation.service_mode),
        now,
        user_id=reservation.user_id,
    )


def weigh_move(
    actor: Actor,
    instrument: Instrument,
    reservation: Reservation,
    period: Period,
    now: datetime,
    *,
    override: Sequence[str] = (),
    calendar: Calendar | None = None,
    backing: Backing | None = None,
    spent: set[UUID] | None = None,
    others: Iterable[PricedPart] = (),
    asked_by: str = "",
) -> Move:
    """The same of an instrument already loaded: the service asks again under the lock.

    asked_by: `host` or `person`, where both sides want the move: nobody has to approve it, and
    it costs as if whoever had the idea moved alone.

    calendar: one that knows nothing of the booking and reaches far enough to find the nearest
    (`around`), where several are judged one after the other; it is left as it is. backing:
    what the payer brings, locked, for whoever will carry it out. spent: as for
    `cancellation_now`. others: what those judged after it have of the payer's kept hours.
    """
    kind = moves.kind_of(Period(reservation.start_at, reservation.end_at), period)
    acts_as_host = is_by_host(actor, instrument, reservation)
    is_host = asked_by == moves.HOST if asked_by else acts_as_host
    earmarked = load_earmarked(reservation.pk)
    if backing is None:
        backing = load_backing(reservation.organisation, instruments=[instrument])
    # What is set aside for it now is there for it again.
    backing = backing.having(earmarked.grant_id, earmarked.held)
    terms = _terms(instrument, reservation, period, kind, backing)
    verdict = _judge(instrument, reservation, period, kind, terms, now, override, calendar)
    quoted = load_quoted(reservation.pk)
    refusals, kept = verdict.refusals, verdict.kept
    terms = replace(terms, kept=left_for(kept, quoted.kept, others))
    if not _keeps_order(reservation, period):
        refusals = (*refusals, Refusal("chain-order"))
    enquiry = Asked(period, reservation.service_mode, quoted.options, quoted.quantity)
    given = quote_input(instrument, terms, enquiry)
    if given is not None and kind != moves.MOVE:  # on the terms it was made on
        given = replace(
            given,
            agreement_discount_percent=quoted.agreement_discount_percent,
            grants=kept_grants(quoted, earmarked),
            kept=parts_kept(quoted.kept, given.kept, period),
        )
    old, new = fees.quote(quoted), fees.quote(given) if given else None
    if new is not None and earmarked.sources:
        today = local_date(instrument.facility.zone, now)
        payer_id, rows = reservation.organisation_id, earmarked.sources
        funding = load_refunding(payer_id, rows, old.currency, today)
        unpaid = funding.refusals(new, paid_from(instrument, kind, period))
        refusals = (*refusals, *(without_numbers(unpaid) if acts_as_host else unpaid))
    base = fees.cancellation_base(old)
    less = max(Decimal(0), base - fees.cancellation_base(new)) if new else Decimal(0)
    reservation.instrument = instrument
    # Second thoughts are for time given up; a move takes along what cancelling would have cost.
    thinker = actor if is_host or (kind == moves.SHORTEN and less) else None
    if asked_by == moves.HOST:
        terms_now = replace(FREE, reason="by-host")
    else:
        thinker = None if asked_by else thinker
        terms_now = cancellation_now(reservation, now, quoted, base, actor=thinker, spent=spent)
    due = fees.percent_fee(quoted.card, terms_now.percent, less)
    fee = replace(terms_now, fee=due.fee, tax=due.tax)
    waits = not asked_by and _needs_approval(instrument, reservation, kind, is_host, terms)
    # What waits again may run out: that is no way out of a late fee either.
    is_bound = not is_host and (kind == moves.MOVE or waits)
    return Move(
        kind=kind,
        period=period,
        unit=verdict.unit,
        refusals=refusals,
        broken=verdict.broken,
        needs_approval=waits,
        terms=terms,
        given=given,
        old=old,
        new=new,
        fee=fee,
        earmarked=earmarked,
        least_percent=terms_now.percent if is_bound else reservation.least_percent,
        second_thought_on=second_thoughts_day(reservation, now)
        if terms_now.reason == "second-thoughts"
        else None,
        setup_minutes=verdict.setup_minutes,
        teardown_minutes=verdict.teardown_minutes,
    )


@dataclass(frozen=True)
class _Verdict:
    """What the rules say of a change of time; the fields are those of `Move`."""

    refusals: tuple[Refusal, ...]
    broken: tuple[str, ...]
    unit: int | None
    setup_minutes: int
    teardown_minutes: int
    kept: tuple[Kept, ...] = ()


def _judge(
    instrument: Instrument,
    reservation: Reservation,
    period: Period,
    kind: str,
    terms: Terms,
    now: datetime,
    override: Sequence[str],
    calendar: Calendar | None,
) -> _Verdict:
    setup, teardown = reservation.setup_minutes, reservation.teardown_minutes
    narrow = copy(calendar) or load_calendar(instrument, period, now, without=[reservation.pk])
    if narrow is None:
        return _Verdict((Refusal("not-published"),), (), None, setup, teardown)
    asker = load_asker(
        instrument,
        reservation.organisation,
        terms,
        user_id=reservation.user_id,
        mode=reservation.service_mode,
    )
    waived = frozenset(override)
    if kind == moves.MOVE:
        setup, teardown = narrow.policy.setup_minutes, narrow.policy.teardown_minutes
    else:  # on the terms it was made on
        asker = replace(asker, price_group=reservation.price_group, is_served=True)
        waived |= moves.NO_NOTICE
    narrow.keep_buffers(setup, teardown)
    if kind == moves.SHORTEN:
        # It takes nothing new: only what the change itself breaks speaks against it.
        old = Period(reservation.start_at, reservation.end_at)
        waived |= {r.code for r in narrow.refusing(Wish(old, asker), now)}
    wish = Wish(period, asker, waived, keeps_start=kind != moves.MOVE)
    refusing = narrow.refusing(wish, now)
    broken = tuple(dict.fromkeys(r.code for r in refusing if r.code in override))
    refusals = tuple(r for r in refusing if r.code not in waived)
    unit = _unit(narrow, reservation, period)
    if not refusals and unit is None:
        refusals = (Refusal("slot-taken", {"units": 1}),)
    if refusals and calendar is not None:
        refusals = narrow.explain(wish, now) or refusals
    elif refusals:
        refusals = _explained(instrument, reservation, wish, refusals, (setup, teardown), now)
    kept = narrow.rights(reservation.organisation_id)
    return _Verdict(refusals, broken, unit, setup, teardown, kept)


def is_by_host(actor: Actor, instrument: Instrument, reservation: Reservation) -> bool:
    """Whether the actor would act as the host's manager: on a booking that is not their own."""
    return not rules.is_own(
        actor.user_id, person=reservation.user_id, maker=reservation.made_by_id
    ) and actor.may("manage-instruments", place_of(instrument.organisation))


def _terms(
    instrument: Instrument,
    reservation: Reservation,
    period: Period,
    kind: str,
    backing: Backing,
) -> Terms:
    """A move is priced anew: by the frozen card if it covers the new day, else by the one in
    force. What keeps its start keeps card, group and regions."""
    frozen = load_card(reservation.rate_card)
    if kind != moves.MOVE:
        terms = terms_by(instrument, backing, frozen, reservation.start_at)
        return replace(
            terms,
            price_group=reservation.price_group,
            payer_region=reservation.payer_region,
            host_region=reservation.host_region,
        )
    terms = load_terms(instrument, reservation.organisation, period.start, backing=backing)
    day = local_date(instrument.facility.zone, period.start)
    if frozen.valid_from <= day and (frozen.valid_until is None or day < frozen.valid_until):
        return terms_by(instrument, backing, frozen, period.start)
    return terms


def _unit(calendar: Calendar, reservation: Reservation, period: Period) -> int | None:
    """Its own unit if that is free, else the lowest; somebody at the instrument stays there."""
    span = calendar.blocked_span(period)
    own = reservation.unit
    if own in calendar.units and not calendar.met_on(own, span):
        return own
    return None if reservation.state == "in_use" else calendar.free_unit(period)


def _explained(
    instrument: Instrument,
    reservation: Reservation,
    wish: Wish,
    refusals: tuple[Refusal, ...],
    buffers: tuple[int, int],
    now: datetime,
) -> tuple[Refusal, ...]:
    wide = load_calendar(instrument, around(wish.period), now, without=[reservation.pk])
    if wide is None:
        return refusals
    wide.keep_buffers(*buffers)
    return wide.explain(wish, now) or refusals


def _keeps_order(reservation: Reservation, period: Period) -> bool:
    """Whether a step of a chain still follows the steps before it there. One statement, none
    for a booking of its own."""
    if reservation.chain is None or reservation.step is None:
        return True
    rows = Reservation.objects.filter(chain=reservation.chain, state__in=LIVE).exclude(
        pk=reservation.pk
    )
    placed = [
        Placed(step or 0, Period(start, end))
        for step, start, end in rows.values_list("step", "start_at", "end_at")
    ]
    placed.append(Placed(reservation.step, period))
    return is_in_order(placed, gaps_from_json(reservation.chain.gaps))


def _needs_approval(
    instrument: Instrument, reservation: Reservation, kind: str, is_host: bool, terms: Terms
) -> bool:
    """Whether it would wait for the host's word (again)."""
    if reservation.state == "requested":
        return not is_host
    if reservation.state != "confirmed" or is_host or not moves.may_need_approval(kind):
        return False
    policy = load_policy(instrument.policy)
    return approvals.needs_approval(
        policy.approval,
        is_cross_region=not terms.is_same_region,
        has_completed=policy.approval == "first-time"
        and has_completed(reservation.user_id, instrument.pk),
    )
