"""The subject of messages about bookings: how it is loaded, whether the message is still true, who reads it,
and what it says about money and other matters."""

from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.letters.kinds import row_of
from accounts.models import OutboxMessage, User
from accounts.prepared import Prepared
from accounts.selectors.memberships import holders_of
from bookings.catalogue.selectors.equivalents import load_nearest
from bookings.pricing.domain.charges import ChargeMade, charge
from bookings.pricing.domain.quotes import minimum_charged
from bookings.pricing.models import Charge, Quote
from bookings.pricing.selectors.charges import load_ending, load_quoted
from bookings.pricing.selectors.vouchers import programmes_of
from bookings.questions.selectors.questions import booking_answers, booking_answers_said
from bookings.record.domain.periods import Period
from bookings.record.domain.reservations import effective_state
from bookings.record.models import Reservation
from bookings.record.selectors.reservations import WITH
from bookings.usage.selectors.closures import closure_cutting, load_cut_charge
from instruments.house_rules.models import HouseRulesAcceptance
from instruments.house_rules.selectors.house_rules import (
    load_house_rules,
    recorded_acceptance,
    rules_to_accept,
)


@dataclass(frozen=True)
class About:
    """The subject of a message: a booking, the first of `many` bookings, or the booking of a `charge`."""

    reservation: Reservation
    many: Sequence[Reservation] = ()
    charge: Charge | None = None

    @property
    def bookings(self) -> Sequence[Reservation]:
        return self.many or [self.reservation]


# What an outbox row is about

_reservation = row_of(Reservation.objects.select_related(*WITH), "reservation")


def load_one(row: OutboxMessage, now: datetime) -> About | None:
    reservation = _reservation(row, now)
    return About(reservation) if reservation else None


def load_charged(row: OutboxMessage, now: datetime) -> About | None:
    about = load_one(row, now)
    charge_id = UUID(row.payload["charge"])
    return about and replace(about, charge=Charge.objects.get(pk=charge_id))


def load_many(states: Set[str]) -> Callable[[OutboxMessage, datetime], About | None]:
    """Return a function that loads those of several bookings that are still in one of the states, in the
    order of time."""

    def load(row: OutboxMessage, now: datetime) -> About | None:
        rows = Reservation.objects.select_related(*WITH).filter(
            pk__in=row.payload["reservations"], state__in=states
        )
        many = list(rows.order_by("start_at", "id"))
        return About(many[0], many) if many else None

    return load


# Conditions for messages that may become untrue. Facts that the outbox row does not contain are not checked
# (the row of a held-back mail only names the booking).


def still(state: str) -> Callable[[About, OutboxMessage, datetime], bool]:
    """Return a condition: the booking still has this state, its deadline not passed."""

    def holds(about: About, row: OutboxMessage, now: datetime) -> bool:
        one = about.reservation
        return effective_state(one.state, one.deadline_at, now) == state

    return holds


def lapses(about: About, row: OutboxMessage, now: datetime) -> bool:
    """Say whether a request still expires at the deadline that the message names; after its deadline has
    changed there is another message."""
    deadline = about.reservation.deadline_at
    is_same = deadline is None or row.payload.get("deadline") in {None, deadline.isoformat()}
    return is_same and still("requested")(about, row, now)


def is_ahead(about: About, row: OutboxMessage, now: datetime) -> bool:
    """Say whether a reminder is still true: the booking is confirmed, has not begun and was not moved."""
    one = about.reservation
    is_same = row.payload.get("start") in {None, one.start_at.isoformat()}
    return one.state == Reservation.State.CONFIRMED and is_same and one.start_at > now


def owes_rules(about: About, row: OutboxMessage, now: datetime) -> bool:
    """Say whether the person has not yet accepted the house rules in force."""
    one = about.reservation
    return rules_to_accept(load_house_rules(one.instrument, one.user_id)) is not None


def load_recorded(about: About) -> dict[str, Any]:
    """Return who recorded that the person accepted the house rules, which version, and how, as a letter says
    it; empty if nobody did."""
    one = about.reservation
    rules = load_house_rules(one.instrument, one.user_id)
    row = recorded_acceptance(rules, one.user_id) if rules else None
    if rules is None or row is None:
        return {}
    how = dict(HouseRulesAcceptance.Means.choices)[row.means]
    return {"recorder": str(row.recorded_by), "version": str(rules.version), "how": how}


def has_recorded(about: About, row: OutboxMessage, now: datetime) -> bool:
    """Say whether somebody recorded that the person accepted the house rules in force."""
    return bool(load_recorded(about))


# Who reads it


def host_people(about: About) -> list[User]:
    """Return the managers of the instrument of a booking, for its host, not its operators: what they read has
    prices. For a charge, everybody who may answer a dispute."""
    row = about.reservation
    if about.charge:
        return [person for role in ("manager", "finance") for person in holders_of(role, row.host_id)]
    return list(holders_of("manager", row.host_id, row.instrument))


def disputing(about: About) -> list[User]:
    """Return the person of a disputed charge's booking, and whoever opened the dispute."""
    disputes: Iterable[Any] = about.charge.disputes.all() if about.charge else ()
    return [about.reservation.user, *(dispute.opened_by for dispute in disputes)]


def payer_people(about: About) -> list[User]:
    """Return the payer's managers and finance, who agree to a proposed correction, without its proposer."""
    charge = about.charge
    if charge is None:
        return []
    proposers = set(charge.corrections.filter(state="proposed").values_list("proposed_by_id", flat=True))
    people = [one for role in ("manager", "finance") for one in holders_of(role, charge.organisation_id)]
    return [person for person in people if person.pk not in proposers]


# What it says of money


@dataclass(frozen=True)
class Sum:
    """The total cost of several bookings."""

    payable: Decimal
    currency: str


Cost = Sum | Quote | ChargeMade | Charge | None


def _sum(costs: Sequence[Quote | ChargeMade]) -> Sum | None:
    return Sum(sum((c.payable for c in costs), Decimal(0)), costs[0].currency) if costs else None


def quoted(about: About) -> Cost:
    if not about.many:
        return _QUOTE.first(reservation_id=about.reservation.pk)
    return _sum(list(Quote.objects.filter(reservation__in=about.many, is_current=True)))


_QUOTE = Prepared(lambda reservation_id: Quote.objects.filter(reservation_id=reservation_id, is_current=True))


def load_priced(about: About, cost: Cost) -> dict[str, Any]:
    """Return how the price of one booking came about: price group, version of the rate card, agreement,
    the voucher with what it pays, and the minutes that are charged at least; empty for other costs. Up to
    three statements."""
    one = about.reservation
    if not isinstance(cost, Quote) or about.many:
        return {}
    code = cost.result.get("voucher") or ""
    return {
        "priced": {
            "group": one.price_group,
            "version": one.rate_card.version,
            "agreement": one.agreement,
            "voucher": programmes_of([code]).get(code) if code else None,
            "covered": cost.result.get("covered"),
            "currency": cost.currency,
            "minimum": minimum_charged(cost.inputs),
            "is_reversed": cost.inputs.get("reverse_charge", False),
        }
    }


@dataclass(frozen=True)
class Before:
    """The time of a booking before it was moved."""

    start_at: datetime
    end_at: datetime


def before_of(row: OutboxMessage) -> dict[str, Any]:
    """Return the time before the move that a message is about, if its row names one: a mail that was held
    back does not."""
    times = [row.payload.get(name) for name in ("was_start", "was_end")]
    return {"before": Before(*map(datetime.fromisoformat, times))} if all(times) else {}


def owed(about: About) -> Cost:
    """Return what is owed after the bookings that a message is about have ended; None if nothing is."""
    if about.many:
        return _sum([c for r in about.many if (c := charge(load_quoted(r.pk), load_ending(r)))])
    one = about.reservation
    return charge(load_quoted(one.pk), load_ending(one)) if one.confirmed_at else None


def owed_after_all(about: About) -> Cost:
    """Return what is owed for a booking whose no-show the host removed: its charge in force, else what it
    will be charged; an amount of 0 once everything was taken back."""
    rows = Charge.objects.filter(reservation=about.reservation, kind__in=Charge.ORIGINAL)
    last = rows.order_by("-created_at", "-id").first()
    if last is None:
        return owed(about)
    return Sum(Decimal(0), last.currency) if last.state == Charge.State.REVERSED else last


def owed_when_cut(about: About) -> Cost:
    session = getattr(about.reservation, "session", None)
    if session is None or session.cut_at is None:
        return None
    return load_cut_charge(about.reservation, session.cut_at)


def charge_of(about: About) -> Cost:
    """Return the charge of the booking that a message is about, or an amount of 0 if it was taken back."""
    if about.charge and about.charge.state == Charge.State.REVERSED:
        return Sum(Decimal(0), about.charge.currency)
    return about.charge


# What else it says


def _form_for(instrument_id: UUID, period: Period, reservation: Reservation) -> str:
    """Return the address of the booking form for a period, with the payer and service mode of a booking."""
    query = {
        "start": period.start.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "minutes": str(period.minutes),
        "organisation": reservation.organisation.code,
        "service_mode": reservation.service_mode,
    }
    form = reverse("bookings:book", kwargs={"instrument_id": instrument_id})
    return f"{settings.SITE_URL}{form}?{urlencode(query)}"


def answered(about: About, now: datetime) -> dict[str, Any]:
    """Return what was answered when the booking was made, read in the language of the reader. One
    statement."""
    return {"answers": partial(booking_answers_said, booking_answers(about.reservation))}


def again(about: About, now: datetime) -> dict[str, Any]:
    page = reverse("bookings:instrument", args=[about.reservation.instrument_id])
    return {"again": settings.SITE_URL + page}


def _elsewhere(about: About, now: datetime) -> dict[str, Any]:
    """Return the nearest alternatives for somebody whose booking was displaced or cut short."""
    one = about.reservation
    nearest = [(n, _form_for(n.instrument, n.period, one)) for n in load_nearest(one, now)]
    return {"nearest": nearest, **again(about, now)}


def displaced(about: About, now: datetime) -> dict[str, Any]:
    """Return alternatives to a displaced booking; if its own side closed the instrument, also the sentence
    that this costs as much as cancelling."""
    own_lead = _(
        "The instrument was closed by whoever made this booking or was to use it, so it cannot"
        " take place. It costs what cancelling it would have cost."
    )
    is_own = not about.reservation.is_ended_by_host
    return _elsewhere(about, now) | ({"lead": own_lead} if is_own else {})


def cut(about: About, now: datetime) -> dict[str, Any]:
    cut_by = closure_cutting(getattr(about.reservation, "session", None))
    return {"cut_by": cut_by, **_elsewhere(about, now)}


def offered(about: About, now: datetime) -> dict[str, Any]:
    one = about.reservation
    return {
        "take": _form_for(one.instrument_id, Period(one.start_at, one.end_at), one),
        "waiting_list": settings.SITE_URL + reverse("bookings:waiting"),
    }
