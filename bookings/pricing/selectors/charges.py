"""Charges, as far as each person may see them, and the facts they are computed from."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum, TextField
from django.db.models.functions import Cast

from accounts.domain.errors import WrongState
from accounts.domain.roles import Actor
from accounts.models import Organisation
from accounts.selectors.rows import among, any_of, visible
from bookings.availability.domain.kept_hours import PricedPart
from bookings.pricing.domain import charges
from bookings.pricing.domain.charges import Ending
from bookings.pricing.domain.fees import FREE, CancellationFee
from bookings.pricing.domain.quotes import QuoteInput, input_from_json
from bookings.pricing.models import Charge, ClosedMonth, Quote
from bookings.pricing.selectors.sides import side_of
from bookings.record.domain import reservations as rules
from bookings.record.models import Reservation, UsageSession
from bookings.record.selectors.reservations import each_of_places, manages, of_parts, of_places
from instruments.rates.domain.ratecards import ON_USE, Option
from instruments.reading.domain.clock import local_date
from instruments.register.models import Instrument
from instruments.training.models import Enrolment

# The charge that says what a reservation costs; a correction replaces it.
IN_FORCE = Q(kind__in=Charge.ORIGINAL) & ~Q(state="reversed")

# The booking of a charge as it is printed on statements and in addresses.
BOOKING = Cast(F("reservation_id"), TextField())

# The fields in which a reservation stores how it ended, by their names in `Ending`.
ENDING = ("is_ended_by_host", "least_percent", "shortening_fee", "is_second_thought", "struck")


def charges_for(actor: Actor) -> QuerySet[Charge]:
    """Return the charges that the actor may see, newest first: those of their own bookings and courses; for
    managers and finance, those that their organisation pays or is paid; for auditors those of their
    regions."""
    return listed_charges().filter(any_of([*_own(actor), *of_places(actor)]))


def listed_charges() -> QuerySet[Charge]:
    """Return all charges, newest first, with the related rows that lists show."""
    return Charge.objects.select_related(
        "reservation__instrument", "enrolment__session__course", "organisation", "host", "grant"
    ).order_by("-created_at", "-id")


def _own(actor: Actor) -> list[Q]:
    """Return conditions for charges of reservations that are for the actor, or that they made, and of the
    actor's places in courses."""
    own = Reservation.objects.filter(Q(user_id=actor.person) | Q(made_by_id=actor.person))
    places = Enrolment.objects.filter(user_id=actor.person)
    return [among("reservation", own.values("pk")), among("enrolment", places.values("pk"))]


def first_charges_for(actor: Actor) -> list[Q]:
    """Return conditions for the charges that the actor may see, for `first_of`. Payer, host and regions of a
    charge are those of its reservation."""
    return [*_own(actor), *each_of_places(actor)]


def charges_readable(actor: Actor) -> QuerySet[Charge]:
    """Return the charges of which the actor may open one by one: those of `charges_for`, of which lists and
    sums are; and for managers of a facility or an instrument those of its bookings."""
    seen = [*_own(actor), *of_places(actor), *of_parts(actor, "reservation__instrument")]
    return listed_charges().filter(any_of(seen))


def charge_by_id(actor: Actor, charge_id: UUID) -> Charge:
    """Return a charge with what its page shows; raise `NotFound` if the actor may not see it."""
    return visible(
        charges_readable(actor)
        .select_related(
            "reservation__instrument__facility",
            "reservation__user",
            "reservation__session",
            "enrolment__session__facility",
            "enrolment__user",
            "organisation__region",
            "host__region",
            "reverses",
            "grant__programme",
            "checked_by",
            "reservation__rate_card",
            "reservation__agreement",
        )
        .prefetch_related(
            "reversals",
            "disputes__opened_by",
            "disputes__settled_by",
            "corrections__proposed_by",
            "corrections__decided_by",
            "corrections__replacement",
        ),
        pk=charge_id,
    )


def drawn_months(host_id: UUID) -> frozenset[date]:
    """Return the months whose statements a host has drawn up. The caller has locked its books."""
    months = ClosedMonth.objects.filter(host_id=host_id).values_list("month", flat=True)
    return frozenset(months)


def parties_of_charges(actor: Actor) -> list[tuple[str, str, str]]:
    """Return code and names of the payers and hosts of charges that the actor may see, by name."""
    own = Charge.objects.filter(any_of(_own(actor))).order_by()
    is_party: Any = Q(pk__in=own.values("organisation")) | Q(pk__in=own.values("host"))
    for condition in of_places(actor):
        for side in ("organisation", "host"):
            is_party |= Exists(Charge.objects.filter(condition, **{side: OuterRef("pk")}))
    parties = Organisation.objects.filter(is_party).order_by("name")
    return list(parties.values_list("code", "name", "name_zh"))


@dataclass(frozen=True)
class Totals:
    """Sums of charges in one currency, on one side (`sides`)."""

    currency: str
    side: str
    number: int
    total: Decimal
    covered: Decimal
    payable: Decimal


def totals_of_charges(rows: QuerySet[Charge], actor: Actor) -> list[Totals]:
    """Sum up charges by currency and side. One statement."""
    return added_totals(monthly_totals(rows, actor).values())


def monthly_totals(rows: QuerySet[Charge], actor: Actor) -> dict[date | None, list[Totals]]:
    """Sum up charges by month, the newest first, by currency and by the side on which the actor's
    organisations are; charges that are not final have no month. One statement."""
    sums = (Sum("total"), Sum("covered"), Sum("payable"))
    sided = rows.annotate(side=side_of(actor, "organisation"))
    grouped = sided.order_by("-month", "currency", "side").values_list("month", "currency", "side")
    months: dict[date | None, list[Totals]] = {}
    for month, *totals in grouped.annotate(Count("pk"), *sums):
        months.setdefault(month, []).append(Totals(*totals))
    return months


def added_totals(parts: Iterable[Sequence[Totals]]) -> list[Totals]:
    """Return the sums of several totals of charges, by currency and side."""
    sums: dict[tuple[str, str], Totals] = {}
    for one in (one for part in parts for one in part):
        key = one.currency, one.side
        so_far = sums.get(key, Totals(*key, 0, *[Decimal(0)] * 3))
        sums[key] = Totals(
            *key,
            so_far.number + one.number,
            so_far.total + one.total,
            so_far.covered + one.covered,
            so_far.payable + one.payable,
        )
    return [sums[key] for key in sorted(sums)]


def load_quoted(reservation_id: UUID) -> QuoteInput:
    """Return the inputs of the reservation's present quote. One statement."""
    return input_from_json(Quote.objects.get(reservation_id=reservation_id, is_current=True).inputs)


def load_added(reservation: Reservation) -> tuple[Option, ...]:
    """Return the options that the host may add to a booking at check-out. One statement."""
    return load_quoted(reservation.pk).card.options_for(reservation.service_mode, ON_USE)


def load_kept_parts(reservation_ids: Iterable[UUID]) -> dict[UUID, tuple[PricedPart, ...]]:
    """Return the parts of each reservation that use its payer's guaranteed hours. One statement."""
    quotes = Quote.objects.filter(reservation_id__in=list(reservation_ids), is_current=True)
    return {q.reservation_id: input_from_json(q.inputs).kept for q in quotes}


def load_ending(reservation: Reservation, session: UsageSession | None = None) -> Ending:
    """Return how the reservation ended. One statement, or none if its `session` is given."""
    session = session or UsageSession.objects.filter(reservation=reservation).first()
    usage = cut_at = None
    added: dict[str, Decimal] = {}
    if session is not None and session.checked_out_at is not None:
        usage, cut_at = (session.checked_in_at, session.checked_out_at), session.cut_at
        added = {code: Decimal(number) for code, number in session.added.items()}
    return Ending(
        state=reservation.state,
        ended_at=reservation.ended_at or reservation.end_at,
        was_confirmed=reservation.confirmed_at is not None,
        usage=usage,
        cut_at=cut_at,
        added=added,
        **{name: getattr(reservation, name) for name in ENDING},
    )


def cancellation_now(
    reservation: Reservation,
    now: datetime,
    quoted: QuoteInput | None = None,
    base: Decimal | None = None,
    *,
    actor: Actor | None = None,
    by_person: bool = False,
    spent: set[UUID] | None = None,
) -> CancellationFee:
    """Return what cancelling at this moment would cost the payer; all pages use this. It is free for a
    request that was never confirmed, if the `actor` would cancel as the host, or on second thoughts of the
    booking's person. Without an actor only the card's terms count, unless `by_person` says that its person
    would cancel. One statement, or none with `quoted`; one more during the minutes of second thoughts.

    `base`: as in `charges.cancellation`. `spent`: when several bookings are cancelled at once, the
    instruments whose second thought of the day is used up; the function adds to it.
    """
    is_own = actor and rules.is_own(actor.user_id, person=reservation.user_id, maker=reservation.made_by_id)
    if actor and not is_own and actor.grants and manages(actor, reservation):
        return replace(FREE, reason="by-host")
    if reservation.confirmed_at is None:
        return replace(FREE, reason="never-confirmed")
    quoted = quoted or load_quoted(reservation.pk)
    terms = charges.cancellation(quoted, now, reservation.least_percent, base)
    made_at, start = reservation.requested_at, reservation.start_at
    by_person = by_person or (actor is not None and actor.user_id == reservation.user_id)
    if (
        not by_person
        or not terms.fee
        or not charges.is_second_thought(made_at=made_at, start=start, now=now)
        or (spent is not None and reservation.instrument_id in spent)
        or not _may_think_again(reservation, now)
    ):
        return terms
    if spent is not None:
        spent.add(reservation.instrument_id)
    until = charges.second_thoughts_end(made_at=made_at, start=start)
    return replace(FREE, reason="second-thoughts", free_until=until)


def _may_think_again(reservation: Reservation, now: datetime) -> bool:
    """Say whether the person has not yet cancelled another booking on this instrument on second thoughts
    today, and this booking was never scheduled to start too soon for it; moving a booking to a later time
    does not change that."""
    that_day = _thought_again(reservation, now)
    # Starts are stored in UTC, in whole seconds, so they sort correctly as texts.
    soon = (now + charges.SECOND_THOUGHTS_NOTICE).astimezone(UTC).replace(microsecond=0)
    too_soon = Quote.objects.filter(reservation=reservation, inputs__start__lte=soon.isoformat())
    used_up = Reservation.objects.filter(Exists(that_day) | Exists(too_soon), pk=reservation.pk)
    return not used_up.exists()


def has_thought_again(reservation: Reservation, now: datetime) -> bool:
    """Say whether a booking just made is not free to cancel because its person has already cancelled another
    on this instrument on second thoughts today. One statement, or none for a booking made earlier."""
    made_at, start = reservation.requested_at, reservation.start_at
    if not charges.is_second_thought(made_at=made_at, start=start, now=now):
        return False
    return _thought_again(reservation, now).exists()


def _thought_again(reservation: Reservation, now: datetime) -> QuerySet[Reservation]:
    """Return the other bookings of the person on this instrument cancelled on second thoughts today."""
    return Reservation.objects.filter(
        user_id=reservation.user_id,
        instrument_id=reservation.instrument_id,
        second_thought_on=second_thoughts_day(reservation, now),
    ).exclude(pk=reservation.pk)


def second_thoughts_day(reservation: Reservation, now: datetime) -> date:
    """Return the instrument's local day, on which each person has one second thought."""
    return local_date(ZoneInfo(reservation.instrument.facility.time_zone), now)


def second_thought_of(
    actor: Actor, instrument: Instrument, reservation: Reservation, now: datetime
) -> dict[str, Any]:
    """Return the fields to store for a booking that its person cancels free of charge just after making it;
    empty for any other booking."""
    reservation.instrument = instrument
    made_at, start = reservation.requested_at, reservation.start_at
    if not charges.is_second_thought(made_at=made_at, start=start, now=now):
        return {}
    if cancellation_now(reservation, now, actor=actor).reason != "second-thoughts":
        return {}
    day = second_thoughts_day(reservation, now)
    return {"is_second_thought": True, "second_thought_on": day}


def cancellation_for(
    actor: Actor, reservation: Reservation, now: datetime, quoted: QuoteInput | None = None
) -> CancellationFee:
    """Return what cancelling a reservation costs now; raise `WrongState` if it can no longer be cancelled."""
    state = rules.effective_state(reservation.state, reservation.deadline_at, now)
    rules.require_transition(state, "cancelled")
    if state == "confirmed" and not rules.may_still_cancel(
        reservation.start_at, reservation.end_at, reservation.check_in_minutes, now
    ):
        raise WrongState(state=state, wanted="cancelled")
    return cancellation_now(reservation, now, quoted, actor=actor)


def undisputed(now: datetime) -> QuerySet[Charge]:
    """Return the open charges whose time for disputes is over."""
    return Charge.objects.filter(state=Charge.State.OPEN, open_until__lte=now)
