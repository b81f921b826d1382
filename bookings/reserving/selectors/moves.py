"""Work out what changing the time of a booking would mean, before it is done."""

from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import F

from accounts.domain.roles import Actor
from accounts.selectors.memberships import acts_for, place_of
from bookings.availability.domain import approvals
from bookings.availability.domain.availability import Calendar, Wish
from bookings.availability.domain.kept_hours import Kept, PricedPart, left_for, parts_kept
from bookings.availability.selectors.availability import around, load_calendar
from bookings.availability.selectors.explaining import load_explained
from bookings.catalogue.selectors.askers import load_asker
from bookings.catalogue.selectors.equivalents import with_equivalents
from bookings.funding.domain.funding import without_numbers
from bookings.funding.selectors.earmarks import Earmarked, kept_grants, load_earmarked
from bookings.funding.selectors.funding import load_refunding
from bookings.pricing.domain import fees
from bookings.pricing.domain.fees import FREE, CancellationFee
from bookings.pricing.domain.quotes import Quote, QuoteInput
from bookings.pricing.selectors import fees as fee_selectors
from bookings.pricing.selectors.charges import cancellation_now, load_quoted, second_thoughts_day
from bookings.record.domain import reservations as rules
from bookings.record.domain.periods import Period
from bookings.record.domain.refusals import OVERRIDABLE, Refusal
from bookings.record.domain.steps import Placed, gaps_from_json, is_in_order
from bookings.record.models import Reservation
from bookings.record.selectors.reservations import has_completed
from bookings.reserving.domain import moves
from instruments.policy.selectors.policies import load_policy
from instruments.rates.selectors.ratecards import load_card
from instruments.reading.domain.clock import local_date
from instruments.register.models import Instrument
from instruments.register.selectors.registry import WITH

# The states of a chain's steps that still take place.
LIVE = ("held", "requested", "confirmed", "in_use", "completed")


@dataclass(frozen=True)
class Move:
    """A change of a booking's time.

    kind: move, extend or shorten; refusals: every rule against it except overridden ones, with the nearest
    period that would be allowed; broken: the overridden rules that it breaks; needs_approval: it would become
    a request again; fee: what shortening it costs now; least_percent: what a later cancellation costs at
    least; sticks: whether this change raises that; second_thought_on: the day whose second thought it uses
    up, if shortening would otherwise cost something; earmarked: the money reserved for it at present.
    """

    kind: str
    period: Period
    unit: int | None
    refusals: tuple[Refusal, ...]
    broken: tuple[str, ...]
    needs_approval: bool
    terms: fee_selectors.Terms
    given: QuoteInput | None
    old: Quote
    new: Quote | None
    fee: CancellationFee
    earmarked: Earmarked
    least_percent: Decimal
    sticks: bool
    setup_minutes: int
    teardown_minutes: int
    second_thought_on: date | None = None

    @property
    def currency(self) -> str:
        return self.old.currency

    @property
    def grant_id(self) -> UUID | None:
        """Return the id of the grant that covers part of the new price; None if none does."""
        if self.new is None or self.new.voucher is None:
            return None
        if self.kind != moves.MOVE:
            return self.earmarked.grant_id
        return next((g.id for g in self.terms.grants if g.code == self.new.voucher), None)

    def agreement_id(self, reservation: Reservation) -> UUID | None:
        """Return the agreement after the move: a booking that keeps its start keeps its agreement."""
        return self.terms.agreement_id if self.kind == moves.MOVE else reservation.agreement_id

    @property
    def overridable(self) -> tuple[str, ...]:
        """Return the refusals of the move if a manager of the host could override all of them; otherwise
        none."""
        codes = tuple(refusal.code for refusal in self.refusals)
        return codes if set(codes) <= set(OVERRIDABLE) else ()


def paid_from(instrument: Instrument, kind: str, period: Period) -> date | None:
    """Return the local day on which the grant and sources that pay for a booking must be valid; None if it
    only gives time back."""
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
    """Work out what moving a booking to a period would mean, before it is done. One statement more than
    `weigh_move`, and those of `load_elsewhere` if the time is taken."""
    instrument = Instrument.objects.select_related(*WITH).get(pk=reservation.instrument_id)
    move = weigh_move(actor, instrument, reservation, period, now, override=override, asked_by=asked_by)
    return replace(move, refusals=load_elsewhere(reservation, period, move.refusals, now))


def load_elsewhere(
    reservation: Reservation, period: Period, refusals: Sequence[Refusal], now: datetime
) -> tuple[Refusal, ...]:
    """Return the refusals of a move; if the slot is taken, with the equivalent instruments that could be
    booked instead. Other instruments are no alternative if only the length of the booking changes."""
    is_move = moves.kind_of(Period(reservation.start_at, reservation.end_at), period) == moves.MOVE
    if not is_move or not any(refusal.code == "slot-taken" for refusal in refusals):
        return tuple(refusals)
    return with_equivalents(
        refusals,
        Instrument.objects.select_related(*WITH).get(pk=reservation.instrument_id),
        reservation.organisation,
        fee_selectors.PriceRequest(period, reservation.service_mode),
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
    backing: fee_selectors.Backing | None = None,
    spent: set[UUID] | None = None,
    others: Iterable[PricedPart] = (),
    asked_by: str = "",
) -> Move:
    """Work out what moving a booking to another time would mean, for an instrument that is loaded already.
    The service calls this again under the lock.

    asked_by: `host` or `person`, if both sides agree on the move. Nobody has to approve it then, and it costs
    what it would cost if that side moved the booking alone.

    calendar: one without this booking that reaches far enough to find the nearest free times (`around`), for
    judging several moves one after the other; it is not changed. backing: the payer's locked means, for a
    caller that will carry out the move. spent: as for `cancellation_now`. others: what the moves judged after
    this one use of the payer's guaranteed hours.
    """
    kind = moves.kind_of(Period(reservation.start_at, reservation.end_at), period)
    acts_as_host = is_by_host(actor, instrument, reservation)
    is_host = asked_by == moves.HOST if asked_by else acts_as_host
    earmarked = load_earmarked(reservation.pk)
    if backing is None:
        backing = fee_selectors.load_backing(reservation.organisation, instruments=[instrument])
    # The money that is reserved for it now is available for it again.
    backing = backing.having(earmarked.grant_id, earmarked.held)
    terms = _terms(instrument, reservation, period, kind, backing)
    verdict = _judge(instrument, reservation, period, kind, terms, now, override, calendar)
    quoted = load_quoted(reservation.pk)
    refusals, kept = verdict.refusals, verdict.kept
    terms = replace(terms, kept=left_for(kept, quoted.kept, others))
    if not _keeps_order(reservation, period):
        refusals = (*refusals, Refusal("chain-order"))
    enquiry = fee_selectors.PriceRequest(
        period, reservation.service_mode, quoted.options, quoted.quantity, quoted.bid_discount_percent
    )
    given = fee_selectors.quote_input(instrument, terms, enquiry)
    if given is not None and kind != moves.MOVE:  # on the terms on which it was made
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
    old_period = Period(reservation.start_at, reservation.end_at)
    # A host that went below its card in a bid did so for the length that it bid.
    is_beyond_bid = bool(quoted.bid_discount_percent) and period.minutes > old_period.minutes
    waits = not asked_by and (
        _needs_approval(instrument, reservation, kind, is_host, terms)
        or (is_beyond_bid and not is_host and reservation.state == "confirmed")
    )
    if asked_by == moves.HOST:
        terms_now = replace(FREE, reason="by-host")
    else:
        # Second thoughts apply to time that is given up, also by moving to a later start.
        gives_up = bool(less) or period.start > old_period.start
        terms_now = cancellation_now(
            reservation,
            now,
            quoted,
            base,
            actor=actor if is_host or (gives_up and not asked_by) else None,
            by_person=gives_up and asked_by == moves.PERSON,
            spent=spent,
        )
    due = fees.percent_fee(quoted.card, terms_now.percent, less)
    fee = replace(terms_now, fee=due.fee, tax=due.tax)
    before = reservation.least_percent
    least = moves.least_percent(
        before,
        terms_now.percent,
        old=old_period,
        new=period,
        waits=waits,
        is_free=is_host or terms_now.reason == "second-thoughts",
    )
    if least > before and not asked_by and _host_proposes(reservation, now):
        least = before
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
        least_percent=least,
        sticks=least > before,
        second_thought_on=second_thoughts_day(reservation, now)
        if terms_now.reason == "second-thoughts"
        else None,
        setup_minutes=verdict.setup_minutes,
        teardown_minutes=verdict.teardown_minutes,
    )


@dataclass(frozen=True)
class _Verdict:
    """The rules' verdict on a change of time; the fields are those of `Move`."""

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
    terms: fee_selectors.Terms,
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
    asker = replace(asker, guided=())  # a move keeps the way of working
    waived = frozenset(override)
    if kind == moves.MOVE:
        setup, teardown = narrow.policy.setup_minutes, narrow.policy.teardown_minutes
    else:  # on the terms on which it was made
        asker = replace(asker, price_group=reservation.price_group, is_served=True)
        waived |= moves.NO_NOTICE
    narrow.keep_buffers(setup, teardown)
    if kind == moves.SHORTEN:
        # It takes no new time, so only rules that the change itself breaks count against it.
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
    """Say whether the actor would act as the host's manager: on a booking that is not their own, nor of who
    acts through a service account."""
    return (
        not rules.is_own(actor.user_id, person=reservation.user_id, maker=reservation.made_by_id)
        and actor.may("manage-instruments", place_of(instrument.organisation, instrument))
        and not acts_for(actor, reservation.user_id)
    )


def _host_proposes(reservation: Reservation, now: datetime) -> bool:
    """Say whether the host has proposed another time, and the proposal is open: then the person may also
    choose a different time. One statement."""
    proposals = "conversation__proposals"
    return Reservation.objects.filter(
        **{
            f"{proposals}__state": "open",
            f"{proposals}__until__gt": now,
            f"{proposals}__booking_version": F("version"),
            f"{proposals}__comment__side": moves.HOST,
        },
        pk=reservation.pk,
    ).exists()


def _terms(
    instrument: Instrument,
    reservation: Reservation,
    period: Period,
    kind: str,
    backing: fee_selectors.Backing,
) -> fee_selectors.Terms:
    """Return the terms for a moved booking: by its frozen card if that covers the new day, otherwise by the
    card in force. A booking that keeps its start keeps card, price group and regions."""
    frozen = load_card(reservation.rate_card)
    if kind != moves.MOVE:
        terms = fee_selectors.terms_by(instrument, backing, frozen, reservation.start_at)
        return replace(
            terms,
            price_group=reservation.price_group,
            payer_region=reservation.payer_region,
            host_region=reservation.host_region,
        )
    terms = fee_selectors.load_terms(instrument, reservation.organisation, period.start, backing=backing)
    day = local_date(instrument.facility.zone, period.start)
    if frozen.valid_from <= day and (frozen.valid_until is None or day < frozen.valid_until):
        return fee_selectors.terms_by(instrument, backing, frozen, period.start)
    return terms


def _unit(calendar: Calendar, reservation: Reservation, period: Period) -> int | None:
    """Return the booking's own unit if that is free, otherwise the lowest free one, or None; a booking in use
    cannot change its unit."""
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
    return load_explained(instrument, wide, wish, now, without=[reservation.pk]) or refusals


def _keeps_order(reservation: Reservation, period: Period) -> bool:
    """Say whether a step of a chain would still keep its order and pauses with the other steps. One
    statement, none for a booking without a chain."""
    if reservation.chain is None or reservation.step is None:
        return True
    rows = Reservation.objects.filter(chain=reservation.chain, state__in=LIVE).exclude(pk=reservation.pk)
    placed = [
        Placed(step or 0, Period(start, end))
        for step, start, end in rows.values_list("step", "start_at", "end_at")
    ]
    placed.append(Placed(reservation.step, period))
    return is_in_order(placed, gaps_from_json(reservation.chain.gaps))


def _needs_approval(
    instrument: Instrument, reservation: Reservation, kind: str, is_host: bool, terms: fee_selectors.Terms
) -> bool:
    """Say whether the changed booking would need the host's approval (again)."""
    if reservation.state == "requested":
        return not is_host
    if reservation.state != "confirmed" or is_host or not moves.may_need_approval(kind):
        return False
    policy = load_policy(instrument.policy)
    return approvals.needs_approval(
        policy.approval,
        is_cross_region=not terms.is_same_region,
        has_completed=policy.approval == "first-time" and has_completed(reservation.user_id, instrument.pk),
    )
