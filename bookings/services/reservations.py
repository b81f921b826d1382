"""Reserving, deciding, cancelling: the main job, each in one transaction."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts import trail
from accounts.domain.errors import NotFound, WrongState, WrongVersion, invalid
from accounts.domain.roles import Actor
from accounts.models import Organisation
from accounts.notifications import Effect, enqueue
from accounts.permissions import require
from accounts.selectors.memberships import place_of
from accounts.selectors.organisations import payer_for
from bookings.domain import approvals, fees, reminders
from bookings.domain import reservations as rules
from bookings.domain.availability import Refusal, RulesRefuse, Wish
from bookings.domain.periods import Period
from bookings.domain.quotes import QuoteInput, input_to_json, quote_to_json
from bookings.locks import lock_reservation
from bookings.models import Occupancy, Quote, Reservation
from bookings.selectors.availability import around, load_calendar
from bookings.selectors.fees import Asked, Terms, load_terms, quote_input
from bookings.selectors.reservations import has_completed
from bookings.services.demand import demand_refused
from bookings.services.occupancy import (
    charge_due,
    lapse,
    lineage_of,
    message,
    occupancy_take,
    reservation_move_to,
)
from instruments.domain.policies import Policy
from instruments.locks import lock_instrument
from instruments.models import Instrument
from instruments.selectors.policies import load_policy
from instruments.selectors.registry import may_see


@dataclass(frozen=True)
class Booking:
    """What somebody asks to reserve; `options` are quantities of the card's options."""

    instrument_id: UUID
    period: Period
    organisation: str | None
    service_mode: str
    purpose: str = "research"
    purpose_text: str = ""
    samples: str = ""
    options: Mapping[str, Decimal] = field(default_factory=dict)
    quantity: Decimal | None = None


def reservation_request(*, actor: Actor, booking: Booking, now: datetime) -> Reservation:
    """Reserve, or ask for it where the policy wants somebody's word.

    `RulesRefuse` names every rule that refuses. A refusal for lack of capacity is remembered
    as unmet demand, in a transaction of its own after the rollback.
    """
    payer = _payer(actor, booking.organisation)
    try:
        with transaction.atomic():
            return _reserve(actor, payer, booking, now)
    except RulesRefuse as refused:
        _remember(actor, payer, booking, refused, now)
        raise
    except IntegrityError as error:
        if "occupancy_no_overlap" not in str(error):
            raise
        lost = RulesRefuse([Refusal("slot-taken")])
        _remember(actor, payer, booking, lost, now)
        raise lost from None


def _payer(actor: Actor, named: str | None) -> Organisation:
    payer = payer_for(actor, named)
    if payer is None:
        raise invalid("organisation", "organisation-needed")
    require(actor, "book", place_of(payer))
    return payer


def _remember(
    actor: Actor, payer: Organisation, booking: Booking, refused: RulesRefuse, now: datetime
) -> None:
    if refused.lacks_capacity:
        instrument = Instrument.objects.select_related("facility").get(pk=booking.instrument_id)
        demand_refused(
            actor=actor, organisation=payer, instrument=instrument, period=booking.period, now=now
        )


def _reserve(actor: Actor, payer: Organisation, booking: Booking, now: datetime) -> Reservation:
    instrument = lock_instrument(booking.instrument_id)
    if not may_see(actor, instrument):
        raise NotFound
    if booking.service_mode not in instrument.service_modes:
        raise invalid("service_mode", "not-offered")
    terms = load_terms(instrument, payer, booking.period.start)
    unit = _free_unit(instrument, terms, booking.period, now)
    policy = load_policy(instrument.policy)
    given = quote_input(
        instrument,
        terms,
        Asked(booking.period, booking.service_mode, booking.options, booking.quantity),
    )
    if given is None or terms.card is None:
        raise RulesRefuse([Refusal("audience-not-served", {"price_group": terms.price_group})])
    state, deadline = _first_state(actor, payer, instrument, policy, booking.period, now)
    reservation = Reservation(
        instrument=instrument,
        unit=unit,
        start_at=booking.period.start,
        end_at=booking.period.end,
        setup_minutes=policy.setup_minutes,
        teardown_minutes=policy.teardown_minutes,
        check_in_minutes=policy.check_in_minutes,
        state=state,
        user_id=actor.person,
        made_by_id=actor.person,
        organisation=payer,
        payer_region=payer.region,
        host=instrument.organisation,
        host_region=instrument.region,
        service_mode=booking.service_mode,
        purpose=booking.purpose,
        purpose_text=booking.purpose_text,
        samples=booking.samples,
        price_group=terms.price_group,
        rate_card_id=terms.card.id,
        requested_at=now,
        deadline_at=deadline,
        confirmed_at=now if state == "confirmed" else None,
    )
    reservation.save(force_insert=True)
    quote_store(reservation=reservation, given=given, now=now)
    blocked = booking.period.padded(policy.setup_minutes, policy.teardown_minutes)
    occupancy_take(reservation=reservation, blocked=blocked, expires_at=deadline)
    trail.record(
        actor=actor,
        action=f"reservation.{state}",
        target=reservation,
        now=now,
        after={
            "instrument": instrument.pk,
            "unit": unit,
            "start": booking.period.start,
            "end": booking.period.end,
            "state": state,
            "payer": payer.pk,
            "price_group": terms.price_group,
            "rate_card": terms.card.id,
        },
        organisation_ids=[payer.pk, instrument.organisation_id],
        region_ids=lineage_of(reservation),
    )
    effects = _confirmed(reservation, now) if state == "confirmed" else _asked(reservation)
    enqueue(effects, now=now)
    return reservation


def _free_unit(instrument: Instrument, terms: Terms, period: Period, now: datetime) -> int:
    """The unit the period goes to; `RulesRefuse` with the nearest that passes otherwise."""
    wish = Wish(period, terms.price_group, terms.is_served)
    calendar = load_calendar(instrument, period, now)
    if calendar is None:
        raise RulesRefuse([Refusal("not-published")])
    if calendar.check(wish, now):
        wide = load_calendar(instrument, around(period), now)
        raise RulesRefuse(wide.explain(wish, now) if wide else [])
    unit = calendar.free_unit(period)
    if unit is None:  # `check` has just said that there is one
        raise RulesRefuse([Refusal("slot-taken")])
    if Occupancy.objects.filter(instrument=instrument, expires_at__lte=now).exists():
        lapse(instrument=instrument, now=now)
    return unit


def _first_state(
    actor: Actor,
    payer: Organisation,
    instrument: Instrument,
    policy: Policy,
    period: Period,
    now: datetime,
) -> tuple[str, datetime | None]:
    known = policy.approval == "first-time" and has_completed(actor.person, instrument.pk)
    if approvals.needs_approval(
        policy.approval,
        is_cross_region=payer.region_id != instrument.region_id,
        has_completed=known,
    ):
        return "requested", approvals.answer_deadline(now, policy.approval_minutes, period.start)
    return "confirmed", None


def _confirmed(reservation: Reservation, now: datetime) -> list[Effect]:
    times = reminders.reminder_times(reservation.start_at, now)
    return [
        message("confirmed", reservation),
        *(
            Effect(
                kind="mail.reminder",
                key=f"mail.reminder:{reservation.pk}:{name}:{reservation.start_at.isoformat()}",
                payload={
                    "reservation": str(reservation.pk),
                    "start": reservation.start_at.isoformat(),
                    "before": name,
                },
                due_at=moment,
            )
            for name, moment in times.items()
        ),
    ]


def _asked(reservation: Reservation) -> list[Effect]:
    return [message("requested", reservation), message("to-decide", reservation)]


def quote_store(*, reservation: Reservation, given: QuoteInput, now: datetime) -> Quote:
    """Freeze what the reservation was quoted, with its inputs."""
    result = fees.quote(given)
    return Quote.objects.create(
        reservation=reservation,
        inputs=input_to_json(given),
        result=quote_to_json(result, explained=True),
        currency=result.currency,
        total=result.total,
        payable=result.payable,
        created_at=now,
    )


@transaction.atomic
def reservation_decide(
    *,
    actor: Actor,
    reservation_id: UUID,
    approve: bool,
    reason: str,
    now: datetime,
    expected_version: int | None = None,
) -> Reservation:
    """A manager's word on a request. Past its deadline it is `WrongState`; nobody decides
    their own request."""
    instrument, reservation = _locked(actor, reservation_id, expected_version)
    require(actor, "manage-instruments", place_of(instrument.organisation))
    if actor.user_id in {reservation.user_id, reservation.made_by_id}:
        raise WrongState("own-request")
    state = rules.effective_state(reservation.state, reservation.deadline_at, now)
    if state != "requested":
        raise WrongState(state=state, wanted="confirmed" if approve else "rejected")
    if not approve:
        if not reason.strip():
            raise invalid("reason", "required")
        reservation_move_to(
            reservation=reservation,
            state="rejected",
            now=now,
            actor=actor,
            reason=reason.strip(),
            by_host=True,
            extra={"decided_by_id": actor.user_id},
        )
        enqueue([message("rejected", reservation)], now=now)
        return reservation
    Occupancy.objects.filter(reservation=reservation).update(expires_at=None)
    reservation_move_to(
        reservation=reservation,
        state="confirmed",
        now=now,
        actor=actor,
        reason=reason.strip(),
        extra={"decided_by_id": actor.user_id, "confirmed_at": now},
    )
    enqueue(_confirmed(reservation, now), now=now)
    return reservation


@transaction.atomic
def reservation_cancel(
    *,
    actor: Actor,
    reservation_id: UUID,
    reason: str,
    now: datetime,
    expected_version: int | None = None,
) -> Reservation:
    """Cancel: the person, the payer's manager, or the host's manager (who owes the payer a
    reason and lets it cost nothing)."""
    instrument, reservation = _locked(actor, reservation_id, expected_version)
    is_own = actor.user_id in {reservation.user_id, reservation.made_by_id}
    by_host = not is_own and actor.may("manage-instruments", place_of(instrument.organisation))
    if not (is_own or by_host):
        require(actor, "book-for-members", place_of(reservation.organisation))
    if by_host and not reason.strip():
        raise invalid("reason", "required")
    state = rules.effective_state(reservation.state, reservation.deadline_at, now)
    if state == "expired" or (
        state == "confirmed"
        and not rules.may_still_cancel(
            reservation.start_at, reservation.end_at, reservation.check_in_minutes, now
        )
    ):
        raise WrongState(state=state, wanted="cancelled")
    reservation_move_to(
        reservation=reservation,
        state="cancelled",
        now=now,
        actor=actor,
        reason=reason.strip(),
        by_host=by_host,
    )
    effects = [message("cancelled", reservation)]
    if reservation.confirmed_at and not by_host:
        effects.append(charge_due(reservation))
    enqueue(effects, now=now)
    return reservation


def _locked(
    actor: Actor, reservation_id: UUID, expected_version: int | None
) -> tuple[Instrument, Reservation]:
    instrument, reservation = lock_reservation(reservation_id)
    if not _sees(actor, instrument, reservation):
        raise NotFound
    if expected_version is not None and expected_version != reservation.version:
        raise WrongVersion(version=reservation.version)
    return instrument, reservation


def _sees(actor: Actor, instrument: Instrument, reservation: Reservation) -> bool:
    return (
        actor.user_id in {reservation.user_id, reservation.made_by_id}
        or actor.may("read-bookings", place_of(reservation.organisation))
        or actor.may("read-bookings", place_of(instrument.organisation))
    )


def reservations_lapse(*, now: datetime, most: int = 500) -> int:
    """Expire every unanswered request and hold past its deadline; how many."""
    due = (
        Occupancy.objects.filter(expires_at__lte=now)
        .order_by("instrument_id")
        .values_list("instrument_id", flat=True)
        .distinct()[:most]
    )
    lapsed = 0
    for instrument_id in list(due):
        with transaction.atomic():
            lapsed += lapse(instrument=lock_instrument(instrument_id), now=now)
    return lapsed
