"""Charges, as far as each person may see them, and what they are made from."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum

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
from bookings.record.domain import reservations as rules
from bookings.record.models import Reservation, UsageSession
from bookings.record.selectors.reservations import each_of_places, of_places
from instruments.domain.opening import local_date
from instruments.models import Instrument

# The one that says what a reservation costs; a correction puts another in its place.
IN_FORCE = Q(kind__in=Charge.ORIGINAL) & ~Q(state="reversed")

# What a reservation keeps of how it ended, as `Ending` calls it.
ENDING = ("is_ended_by_host", "least_percent", "shortening_fee", "is_second_thought")


def charges_for(actor: Actor) -> QuerySet[Charge]:
    """Return the charges of reservations the actor may see, newest first: one's own, and those
    one's organisation pays or is paid, for its managers and finance; those of an auditor's
    regions."""
    return listed_charges().filter(any_of([_own(actor), *of_places(actor)]))


def listed_charges() -> QuerySet[Charge]:
    """Return all charges, newest first, with what a list shows of them."""
    return Charge.objects.select_related(
        "reservation__instrument", "reservation__organisation", "reservation__host", "grant"
    ).order_by("-created_at", "-id")


def _own(actor: Actor) -> Q:
    """The charges of reservations that are the actor's, or that they made."""
    own = Reservation.objects.filter(Q(user_id=actor.person) | Q(made_by_id=actor.person))
    return among("reservation", own.values("pk"))


def first_charges_for(actor: Actor) -> list[Q]:
    """Return which charges the actor may see, for `first_of`. What a charge has of payer, host and
    regions is what its reservation has."""
    return [_own(actor), *each_of_places(actor)]


def charge_by_id(actor: Actor, charge_id: UUID) -> Charge:
    """Return a charge with what its page shows. `NotFound` if it is not the actor's to see."""
    return visible(
        charges_for(actor)
        .select_related(
            "reservation__instrument__facility",
            "reservation__user",
            "reservation__session",
            "organisation__region",
            "host__region",
            "reverses",
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
    """The months whose statements a host has drawn up. Under the lock of its books."""
    months = ClosedMonth.objects.filter(host_id=host_id).values_list("month", flat=True)
    return frozenset(months)


def parties_of_charges(actor: Actor) -> list[tuple[str, str, str]]:
    """Code and names of the payers and hosts of charges the actor may see, by name."""
    own = Charge.objects.filter(_own(actor)).order_by()
    is_party: Any = Q(pk__in=own.values("organisation")) | Q(pk__in=own.values("host"))
    for condition in of_places(actor):
        for side in ("organisation", "host"):
            is_party |= Exists(Charge.objects.filter(condition, **{side: OuterRef("pk")}))
    parties = Organisation.objects.filter(is_party).order_by("name")
    return list(parties.values_list("code", "name", "name_zh"))


@dataclass(frozen=True)
class Totals:
    """Of charges in one currency."""

    currency: str
    number: int
    total: Decimal
    covered: Decimal
    payable: Decimal


def totals_of_charges(rows: QuerySet[Charge]) -> list[Totals]:
    """What some charges come to, by currency. One statement."""
    return added_totals(monthly_totals(rows).values())


def monthly_totals(rows: QuerySet[Charge]) -> dict[date | None, list[Totals]]:
    """What some charges come to, by month, the newest first, and by currency; those that are not
    final have no month. One statement."""
    sums = (Sum("total"), Sum("covered"), Sum("payable"))
    grouped = rows.order_by("-month", "currency").values_list("month", "currency")
    months: dict[date | None, list[Totals]] = {}
    for month, *totals in grouped.annotate(Count("pk"), *sums):
        months.setdefault(month, []).append(Totals(*totals))
    return months


def added_totals(parts: Iterable[Sequence[Totals]]) -> list[Totals]:
    """What several together come to, by currency."""
    by_currency: dict[str, Totals] = {}
    for one in (one for part in parts for one in part):
        so_far = by_currency.get(one.currency, Totals(one.currency, 0, *[Decimal(0)] * 3))
        by_currency[one.currency] = Totals(
            one.currency,
            so_far.number + one.number,
            so_far.total + one.total,
            so_far.covered + one.covered,
            so_far.payable + one.payable,
        )
    return [by_currency[currency] for currency in sorted(by_currency)]


def load_quoted(reservation_id: UUID) -> QuoteInput:
    """What the reservation's present quote was computed from. One statement."""
    return input_from_json(Quote.objects.get(reservation_id=reservation_id, is_current=True).inputs)


def load_kept_parts(reservation_ids: Iterable[UUID]) -> dict[UUID, tuple[PricedPart, ...]]:
    """What each of the reservations has of its payer's kept hours. One statement."""
    quotes = Quote.objects.filter(reservation_id__in=list(reservation_ids), is_current=True)
    return {q.reservation_id: input_from_json(q.inputs).kept for q in quotes}


def load_ending(reservation: Reservation, session: UsageSession | None = None) -> Ending:
    """Return how the reservation ended. One statement, or none where its `session` is at hand."""
    session = session or UsageSession.objects.filter(reservation=reservation).first()
    usage = cut_at = None
    if session is not None and session.checked_out_at is not None:
        usage, cut_at = (session.checked_in_at, session.checked_out_at), session.cut_at
    return Ending(
        state=reservation.state,
        ended_at=reservation.ended_at or reservation.end_at,
        was_confirmed=reservation.confirmed_at is not None,
        usage=usage,
        cut_at=cut_at,
        **{name: getattr(reservation, name) for name in ENDING},
    )


def cancellation_now(
    reservation: Reservation,
    now: datetime,
    quoted: QuoteInput | None = None,
    base: Decimal | None = None,
    *,
    actor: Actor | None = None,
    spent: set[UUID] | None = None,
) -> CancellationFee:
    """What cancelling at this moment would cost the payer: the one place that says so. A request
    that was never confirmed costs nothing, nor what the `actor` would cancel as the host, or
    as its person's second thoughts; without an actor the terms of the card alone count. One
    statement, or none where what was `quoted` is at hand; one more in the minutes of second
    thoughts.

    `base`: as for the rule. `spent`: instruments whose second thoughts of the day an act on
    several bookings has used; it is added to.
    """
    is_own = actor and rules.is_own(
        actor.user_id, person=reservation.user_id, maker=reservation.made_by_id
    )
    if (
        actor
        and not is_own
        and reservation.host_id in actor.organisations_where("manage-instruments")
    ):
        return replace(FREE, reason="by-host")
    if reservation.confirmed_at is None:
        return replace(FREE, reason="never-confirmed")
    quoted = quoted or load_quoted(reservation.pk)
    terms = charges.cancellation(quoted, now, reservation.least_percent, base)
    made_at, start = reservation.requested_at, reservation.start_at
    if (
        actor is None
        or not terms.fee
        or actor.user_id != reservation.user_id
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
    """Whether its person has not thought again on this instrument today, and never moved it."""
    that_day = Reservation.objects.filter(
        user_id=reservation.user_id,
        instrument_id=reservation.instrument_id,
        second_thought_on=second_thoughts_day(reservation, now),
    )
    start = reservation.start_at.astimezone(UTC).isoformat()
    elsewhere = Quote.objects.filter(reservation=reservation).exclude(inputs__start=start)
    used_up = Reservation.objects.filter(Exists(that_day) | Exists(elsewhere), pk=reservation.pk)
    return not used_up.exists()


def second_thoughts_day(reservation: Reservation, now: datetime) -> date:
    """The day, where the instrument is, whose one second thought this would be."""
    return local_date(ZoneInfo(reservation.instrument.facility.time_zone), now)


def second_thought_of(
    actor: Actor, instrument: Instrument, reservation: Reservation, now: datetime
) -> dict[str, Any]:
    """What to keep of a booking whose person gives it up free of charge just after making it;
    nothing of another."""
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
    """Return what cancelling costs now; `WrongState` if the booking cannot be cancelled any
    more."""
    state = rules.effective_state(reservation.state, reservation.deadline_at, now)
    rules.require_transition(state, "cancelled")
    if state == "confirmed" and not rules.may_still_cancel(
        reservation.start_at, reservation.end_at, reservation.check_in_minutes, now
    ):
        raise WrongState(state=state, wanted="cancelled")
    return cancellation_now(reservation, now, quoted, actor=actor)


def undisputed(now: datetime) -> QuerySet[Charge]:
    """Charges that nobody disputed in time."""
    return Charge.objects.filter(state=Charge.State.OPEN, open_until__lte=now)
