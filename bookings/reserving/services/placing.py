"""Putting a reservation on an instrument, for all services that hold, reserve, move, repeat or offer slots.
Call these under the instrument's lock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from accounts import trail
from accounts.domain.errors import Invalid, NotFound, NotPermitted, invalid
from accounts.domain.roles import Actor, By
from accounts.notifications import Effect
from accounts.permissions import require, require_person
from accounts.prepared import insert
from accounts.selectors.memberships import acts_for, place_of
from accounts.selectors.organisations import organisation_by_code, organisation_region_on, payer_for
from accounts.selectors.users import member_named, person_named
from bookings.availability.domain import approvals
from bookings.availability.models import Occupancy
from bookings.catalogue.selectors.askers import load_block
from bookings.catalogue.selectors.parties import Booking, Parties
from bookings.funding.domain.funding import Share
from bookings.funding.selectors.defaults import load_default_on
from bookings.funding.services.earmarks import earmarks_store, grant_take, sources_take
from bookings.pricing.domain import quotes
from bookings.pricing.domain.quotes import input_to_json, quote_to_json
from bookings.pricing.models import Quote
from bookings.pricing.selectors.fees import Backing, Terms
from bookings.questions.domain.questions import BOOKING
from bookings.questions.services.questions import answers_book, answers_owe
from bookings.record.domain import reminders
from bookings.record.domain.periods import Period
from bookings.record.domain.refusals import OVERRIDABLE, Refusal, RulesRefuse
from bookings.record.locks import lock_reservation
from bookings.record.models import Reservation
from bookings.record.selectors.reservations import has_completed
from bookings.reserving.selectors.placing import Place, Price, load_place, price_of, require_price
from bookings.reserving.services.occupancy import lapse, message, occupancy_of
from instruments.policy.selectors.policies import load_policy
from instruments.rates.selectors.ratecards import CardInForce
from instruments.reading.domain.clock import local_date
from instruments.register.models import Instrument
from instruments.register.selectors.registry import host_region_on, may_see


@dataclass(frozen=True)
class StoredWith:
    """Values with which a new reservation was stored; a hold has no quote."""

    card: CardInForce
    quote: Quote | None


def parties_of(actor: Actor, booking: Booking) -> Parties:
    """Return the person and the payer of a booking, if the actor may book for them: for themselves, at the
    cost of an organisation that they may book for; for a member, as a manager of the payer; for anybody at
    the host's own cost, as a manager of the host (`require_parties`). A service account books for somebody;
    its own organisation pays where none is named."""
    if not booking.on_behalf_of:
        if actor.is_service:
            raise invalid("on_behalf_of", "for-whom-needed")
        payer = payer_for(actor, booking.organisation)
        if payer is None:
            raise invalid("organisation", "organisation-needed")
        require(actor, "book", place_of(payer))
        return Parties(actor.person, payer)
    payer = organisation_by_code(booking.organisation) if booking.organisation else None
    if actor.is_service and payer is None:
        payer = payer_for(actor, "")
    if payer is None:
        raise invalid("organisation", "organisation-needed")
    require(actor, "book-for-members", place_of(payer))
    member = member_named(booking.on_behalf_of, payer.pk)
    if member is not None:
        return Parties(member.pk, payer)
    host_id = (
        Instrument.objects.filter(pk=booking.instrument_id).values_list("organisation_id", flat=True).first()
    )
    guest = person_named(booking.on_behalf_of) if host_id == payer.pk else None
    if guest is None:
        raise invalid("on_behalf_of", "not-one-of-theirs", organisation=payer.code)
    return Parties(guest.pk, payer)


def funded(booking: Booking, parties: Parties, instrument: Instrument) -> Booking:
    """Return a booking with what pays for it: the default of its person, if it does not say. No statement
    for one that says it."""
    if booking.funding is not None:
        return booking
    day = local_date(instrument.facility.zone, booking.period.start)
    default = load_default_on(parties.payer, parties.person, day)
    return replace(booking, funding=default.shares, lapsed=default.lapsed)


def require_override(
    actor: Actor, instrument: Instrument, person: UUID, override: Sequence[str], reason: str
) -> None:
    """Require that rules are overridden only by the host's managers, by name, with a reason, and never for
    themselves. Raises `NotPermitted` or `Invalid`."""
    if not override:
        return
    if not set(override) <= set(OVERRIDABLE):
        raise invalid("override", "unknown-choice", allowed=", ".join(OVERRIDABLE))
    require(actor, "manage-instruments", place_of(instrument.organisation, instrument))
    require_person(actor)
    if actor.user_id == person:
        raise NotPermitted("own-override")
    if not reason.strip():
        raise invalid("reason", "required")


def place_find(
    by: By, *, parties: Parties, booking: Booking, instrument: Instrument, backing: Backing | None = None
) -> Place:
    """Find where the booking fits. Raise `NotFound`, `Invalid`, or `RulesRefuse` with every refusal."""
    if not may_see(by.actor, instrument):
        raise NotFound
    if booking.service_mode not in instrument.service_modes:
        raise invalid("service_mode", "not-offered")
    if "too-soon" in booking.override and booking.period.end <= by.now:
        raise invalid("end", "in-the-past")  # nobody can override the notice for a time that is over
    require_override(by.actor, instrument, parties.person, booking.override, booking.reason)
    blocked: list[Refusal] = []
    # A bid is the host's own consent, and a refusal would tell the host who asks.
    if booking.held_for != Reservation.HeldFor.BID:
        block = load_block(by.actor, instrument, parties.person, parties.payer.pk, by.now)
        blocked = [block] if block else []
    try:
        place = load_place(
            instrument,
            parties.payer,
            parties.person,
            booking.period,
            booking.service_mode,
            by.now,
            override=booking.override,
            backing=backing,
            hazards=booking.hazards,
        )
    except RulesRefuse as refused:
        raise RulesRefuse([*refused.refusals, *blocked]) from None
    if blocked:
        raise RulesRefuse(blocked)
    if place.has_lapsed:
        lapse(instrument=instrument, now=by.now)
    return place


def lapse_due(instrument: Instrument, now: datetime) -> None:
    """Expire the instrument's overdue holds and requests, whose rows would still block the time."""
    if Occupancy.objects.filter(instrument=instrument, expires_at__lte=now).exists():
        lapse(instrument=instrument, now=now)


def reservation_put(
    by: By,
    *,
    parties: Parties,
    booking: Booking,
    instrument: Instrument,
    place: Place,
    state: str,
    deadline: datetime | None,
    extra: Mapping[str, Any] | None = None,
    recorded: Mapping[str, Any] | None = None,
) -> Reservation:
    """Store a reservation in the place that was found, with its quote unless it is a hold. Without an actor
    the platform makes it for the person. `extra` are further fields, `recorded` is added to the trail. If no
    source pays for it, `stored_with` has the values for showing it without loading it again."""
    price = None
    if state != "held":
        price = place.price or price_of(instrument, place.terms, booking.enquiry)
        require_price(price, booking)
    if place.terms.card is None:
        raise RulesRefuse([Refusal("audience-not-served", {"price_group": place.terms.price_group})])
    policy, payer = place.policy, parties.payer
    reservation = Reservation(
        instrument=instrument,
        unit=place.unit,
        start_at=booking.period.start,
        end_at=booking.period.end,
        setup_minutes=policy.setup_minutes,
        teardown_minutes=policy.teardown_minutes,
        check_in_minutes=policy.check_in_minutes,
        state=state,
        user_id=parties.person,
        made_by_id=by.actor.user_id or parties.person,
        organisation=payer,
        payer_region=place.terms.payer_region,
        host=instrument.organisation,
        host_region=place.terms.host_region,
        service_mode=booking.service_mode,
        purpose=booking.purpose,
        purpose_text=booking.purpose_text,
        samples=booking.samples,
        price_group=place.terms.price_group,
        rate_card_id=place.terms.card.id,
        policy_version=instrument.policy.version,
        agreement_id=place.terms.agreement_id,
        requested_at=by.now,
        deadline_at=deadline,
        confirmed_at=by.now if state == "confirmed" else None,
        overrides=list(place.overrides),
        for_need=booking.need,
        reference=booking.reference,
        metadata=dict(booking.metadata),
        **(extra or {}),
    )
    blocked = booking.period.padded(policy.setup_minutes, policy.teardown_minutes)
    quote = quote_of(reservation, price, by.now) if price is not None else None
    rows = [reservation, occupancy_of(reservation, blocked, expires_at=deadline)]
    insert([*rows, quote] if quote else rows)
    if price is not None:
        money_take(
            reservation=reservation,
            price=price,
            terms=place.terms,
            shares=booking.shares,
            instrument=instrument,
            now=by.now,
        )
    trail.record(
        by,
        f"reservation.{state}",
        reservation,
        after={
            "instrument": instrument.pk,
            "unit": place.unit,
            "start": booking.period.start,
            "end": booking.period.end,
            "state": state,
            "payer": payer.pk,
            "price_group": place.terms.price_group,
            "rate_card": place.terms.card.id,
            "policy_version": instrument.policy.version,
        }
        | ({"for": parties.person} if parties.person != by.actor.user_id else {})
        | ({"overrides": list(place.overrides)} if place.overrides else {})
        | earmarks_recorded(price.quote if price else None, booking.shares)
        | dict(recorded or {}),
        reason=booking.reason if place.overrides else "",
    )
    if not booking.shares:  # their sources would have to be loaded
        reservation.stored_with = StoredWith(place.terms.card, quote)  # type: ignore[attr-defined]
    return reservation


def answers_put(
    by: By, *, instrument: Instrument, reservation: Reservation, booking: Booking, path: str = ""
) -> None:
    """Store the answers to the questions asked at booking. Raise `Invalid` naming what is wrong or missing,
    each place after the `path` of the booking among several."""
    try:
        answers_book(
            by,
            instrument=instrument,
            reservation=reservation,
            answers=booking.answers,
            version=booking.questions_version,
        )
    except Invalid as wrong:
        raise Invalid([replace(each, field=f"{path}{each.field}") for each in wrong.problems]) from None


def answers_owe_at_booking(instrument: Instrument, reservation: Reservation, now: datetime) -> None:
    """Record that the required answers of a booking are owed, where nobody could be asked for them."""
    answers_owe(instrument, reservation, now, BOOKING)


def first_state(
    by: By, parties: Parties, instrument: Instrument, period: Period
) -> tuple[str, datetime | None]:
    """Return the first state of a booking: `confirmed`, or `requested` with its deadline if it needs
    approval. A booking that the host's manager makes for somebody else counts as approved."""
    policy = load_policy(instrument.policy)
    if not acts_for(by.actor, parties.person) and by.actor.may(
        "manage-instruments", place_of(instrument.organisation, instrument)
    ):
        return "confirmed", None
    known = policy.approval == "first-time" and has_completed(parties.person, instrument.pk)
    day = local_date(ZoneInfo(instrument.facility.time_zone), period.start)
    if approvals.needs_approval(
        policy.approval,
        is_cross_region=organisation_region_on(parties.payer, day) != host_region_on(instrument, day),
        has_completed=known,
    ):
        return "requested", approvals.answer_deadline(by.now, policy.approval_minutes, period.start)
    return "confirmed", None


def reservation_locked(by: By, reservation_id: UUID) -> tuple[Instrument, Reservation]:
    """Return a reservation with its instrument, both locked. Raise `NotFound` if the actor may not see it,
    `WrongVersion`."""
    instrument, reservation = lock_reservation(reservation_id)
    if not _sees(by.actor, instrument, reservation):
        raise NotFound
    by.require_version(reservation.version)
    return instrument, reservation


def _sees(actor: Actor, instrument: Instrument, reservation: Reservation) -> bool:
    if actor.user_id in {reservation.user_id, reservation.made_by_id}:
        return True
    return not reservation.held_for and (
        actor.may("read-bookings", place_of(reservation.organisation))
        or actor.may("read-bookings", place_of(instrument.organisation, instrument))
    )


def money_take(
    *,
    reservation: Reservation,
    price: Price,
    terms: Terms,
    shares: Sequence[Share],
    instrument: Instrument,
    now: datetime,
) -> None:
    """Reserve the money that a new booking will cost, from the grant that covers part of it (locked already)
    and from the payer's sources."""
    zone = ZoneInfo(instrument.facility.time_zone)
    rows = sources_take(
        subject=reservation,
        cost=price.quote,
        shares=shares,
        day=local_date(zone, reservation.start_at),
        today=local_date(zone, now),
        now=now,
    )
    grant = next((g for g in terms.grants if g.code == price.quote.voucher), None)
    if grant is not None:
        rows.append(
            grant_take(reservation=reservation, grant_id=grant.id, covered=price.quote.covered, now=now)
        )
    if rows:
        earmarks_store(rows)


def earmarks_recorded(quote: quotes.Quote | None, shares: Sequence[Share]) -> dict[str, Any]:
    """Return the reserved money of a booking as the trail records it."""
    recorded: dict[str, Any] = {}
    if quote is not None and quote.voucher:
        recorded |= {"voucher": quote.voucher, "covered": quote.covered}
    if quote is not None and shares:
        recorded["funding"] = {share.source: share.percent for share in shares}
        recorded["payable"] = quote.payable
    return recorded


def quote_of(reservation: Reservation, price: Price, now: datetime) -> Quote:
    """Return the quote of a reservation, frozen with its inputs; not yet stored."""
    return Quote(
        reservation=reservation,
        inputs=input_to_json(price.given),
        result=quote_to_json(price.quote, explained=True),
        currency=price.quote.currency,
        total=price.quote.total,
        payable=price.quote.payable,
        created_at=now,
    )


def confirmed_effects(reservation: Reservation, now: datetime, kind: str = "confirmed") -> list[Effect]:
    """Return the message that a booking is confirmed (or moved), the reminders before it begins, and the
    effect that closes the enquiry of the need that it was made for."""
    effects = [message(kind, reservation), *reminder_effects(reservation, now)]
    if need := reservation.for_need:
        effects.append(Effect("need.booked", f"need.booked:{reservation.pk}", {"need": str(need)}))
    return effects


def reminder_effects(reservation: Reservation, now: datetime) -> list[Effect]:
    """Return the effects that remind people before the start of a reservation; those for an earlier start are
    dropped when they find it changed."""
    times = reminders.reminder_times(reservation.start_at, now)
    return [
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
    ]


def requested_effects(reservation: Reservation, now: datetime, was: Period | None = None) -> list[Effect]:
    """Return the messages about a new request, or about a move from the time that it `was`: to its person, to
    those who decide, and to these once more before it expires."""
    kinds, more = ("requested", "to-decide"), {}
    if was is not None:
        kinds = ("move-requested", "move-to-decide")
        more = {"was_start": was.start.isoformat(), "was_end": was.end.isoformat()}
    effects = [message(kind, reservation, **more) for kind in kinds]
    deadline = reservation.deadline_at
    moment = reminders.lapse_warning_at(now, deadline) if deadline else None
    if deadline is not None and moment is not None:
        warning = message("lapsing", reservation, deadline=deadline.isoformat())
        effects.append(replace(warning, due_at=moment))
    return effects
