"""Messages to people about bookings: who is told, in which words, in whose time."""

from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from operator import attrgetter
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.adapters import calendars
from accounts.letters.kinds import Content, Kind, always, row_of, table
from accounts.models import OutboxMessage, User
from accounts.selectors.memberships import holders_of
from bookings.catalogue.selectors.equivalents import load_nearest
from bookings.messaging.selectors.feeds import event_of
from bookings.pricing.domain.charges import ChargeMade, charge
from bookings.pricing.models import Charge, Quote
from bookings.pricing.selectors.charges import load_ending, load_quoted
from bookings.record.domain.periods import Period
from bookings.record.domain.reservations import OCCUPYING, effective_state
from bookings.record.models import Reservation
from bookings.record.selectors.reservations import WITH
from bookings.usage.selectors.closures import closure_cutting, load_cut_charge


@dataclass(frozen=True)
class About:
    """What a message is about: a booking; the first of `many`; the one of a `charge`."""

    reservation: Reservation
    many: Sequence[Reservation] = ()
    charge: Charge | None = None

    @property
    def bookings(self) -> Sequence[Reservation]:
        return self.many or [self.reservation]


# What an outbox row is about

_reservation = row_of(Reservation.objects.select_related(*WITH), "reservation")


def _one(row: OutboxMessage, now: datetime) -> About | None:
    reservation = _reservation(row, now)
    return About(reservation) if reservation else None


def _charged(row: OutboxMessage, now: datetime) -> About | None:
    charge = Charge.objects.get(pk=UUID(row.payload["charge"]))
    reservation = _reservation(row, now)
    return About(reservation, charge=charge) if reservation else None


def _many(states: Set[str]) -> Callable[[OutboxMessage, datetime], About | None]:
    """Those of several bookings that still are in one of the states, in the order of time."""

    def load(row: OutboxMessage, now: datetime) -> About | None:
        rows = Reservation.objects.select_related(*WITH).filter(
            pk__in=row.payload["reservations"], state__in=states
        )
        many = list(rows.order_by("start_at", "id"))
        return About(many[0], many) if many else None

    return load


# What must hold for a message of something passing; `still_says` asks without an outbox row


def _still(state: str) -> Callable[[About, OutboxMessage, datetime], bool]:
    def holds(about: About, row: OutboxMessage, now: datetime) -> bool:
        one = about.reservation
        return effective_state(one.state, one.deadline_at, now) == state

    return holds


def _lapses(about: About, row: OutboxMessage, now: datetime) -> bool:
    """Moved meanwhile it waits for another word, and is told of anew."""
    deadline = about.reservation.deadline_at
    is_same = deadline is None or row.payload.get("deadline") in {None, deadline.isoformat()}
    return is_same and _still("requested")(about, row, now)


def _is_ahead(about: About, row: OutboxMessage, now: datetime) -> bool:
    one = about.reservation
    is_same = row.payload.get("start") in {None, one.start_at.isoformat()}
    return one.state == Reservation.State.CONFIRMED and is_same and one.start_at > now


def still_says(kind: str, reservation_id: UUID | None, now: datetime) -> bool:
    """Whether a message whose mail was held back is still worth sending."""
    if kind not in KINDS or KINDS[kind].is_still_true is always or reservation_id is None:
        return True
    row = OutboxMessage(payload={"reservation": str(reservation_id)})
    about = _one(row, now)
    return about is not None and KINDS[kind].is_still_true(about, row, now)


# Who reads it


def host_people(about: About) -> list[User]:
    """The host's managers; of a charge all who may answer a dispute."""
    roles = ("manager", "finance") if about.charge else ("manager",)
    return [person for role in roles for person in holders_of(role, about.reservation.host_id)]


def _disputing(about: About) -> list[User]:
    """The person of the booking, and whoever opened the dispute."""
    disputes: Iterable[Any] = about.charge.disputes.all() if about.charge else ()
    return [about.reservation.user, *(dispute.opened_by for dispute in disputes)]


# What it says of money


@dataclass(frozen=True)
class Sum:
    """What many bookings cost in all."""

    payable: Decimal
    currency: str


Cost = Sum | Quote | ChargeMade | Charge | None


def _sum(costs: Sequence[Quote | ChargeMade]) -> Sum | None:
    return Sum(sum((c.payable for c in costs), Decimal(0)), costs[0].currency) if costs else None


def _quoted(about: About) -> Cost:
    if not about.many:
        return about.reservation.quotes.filter(is_current=True).first()
    return _sum(list(Quote.objects.filter(reservation__in=about.many, is_current=True)))


def _owed(about: About) -> Cost:
    """What is owed after it ended; nothing where nothing is owed."""
    if about.many:
        return _sum([c for r in about.many if (c := charge(load_quoted(r.pk), load_ending(r)))])
    one = about.reservation
    return charge(load_quoted(one.pk), load_ending(one)) if one.confirmed_at else None


def _cut_short(about: About) -> Cost:
    session = getattr(about.reservation, "session", None)
    if session is None or session.cut_at is None:
        return None
    return load_cut_charge(about.reservation, session.cut_at)


def _charge(about: About) -> Cost:
    """The charge; of one that was taken back, with none in its place, nothing is left."""
    made = about.charge
    is_reversed = made is not None and made.state == Charge.State.REVERSED
    return Sum(Decimal(0), made.currency) if made and is_reversed else made


# What else it says


def _form_for(instrument_id: UUID, period: Period, reservation: Reservation) -> str:
    """The address of the booking form for a period, with the payer of a booking."""
    query = {
        "start": period.start.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "minutes": str(period.minutes),
        "organisation": reservation.organisation.code,
    }
    form = reverse("bookings:book", kwargs={"instrument_id": instrument_id})
    return f"{settings.SITE_URL}{form}?{urlencode(query)}"


def _again(about: About, now: datetime) -> dict[str, Any]:
    page = reverse("bookings:instrument", args=[about.reservation.instrument_id])
    return {"again": settings.SITE_URL + page}


def _elsewhere(about: About, now: datetime) -> dict[str, Any]:
    """Where somebody displaced or cut short could go."""
    one = about.reservation
    nearest = [(n, _form_for(n.instrument, n.period, one)) for n in load_nearest(one, now)]
    return {"nearest": nearest, **_again(about, now)}


def _displaced(about: About, now: datetime) -> dict[str, Any]:
    """Displaced by whose own booking it was, it may cost something."""
    own_lead = _(
        "The instrument was closed by whoever made this booking or was to use it, so it cannot"
        " take place. It costs what cancelling it would have cost."
    )
    is_own = not about.reservation.is_ended_by_host
    return _elsewhere(about, now) | ({"lead": own_lead} if is_own else {})


def _cut(about: About, now: datetime) -> dict[str, Any]:
    cut_by = closure_cutting(getattr(about.reservation, "session", None))
    return {"cut_by": cut_by, **_elsewhere(about, now)}


def _offer(about: About, now: datetime) -> dict[str, Any]:
    one = about.reservation
    return {
        "take": _form_for(one.instrument_id, Period(one.start_at, one.end_at), one),
        "waiting_list": settings.SITE_URL + reverse("bookings:waiting"),
    }


def _calendar(method: str, about: About, row: OutboxMessage, person: User) -> str:
    """The invitation that goes with a message (REQUEST), or the word that it is off (CANCEL). What
    was never confirmed was never entered; what waits for another word after a move is tentative."""
    own = [r for r in about.bookings if r.confirmed_at and r.user_id == person.pk]
    if not method or not own:
        return ""
    guest = calendars.Person(person.email, str(person))
    changed_at = row.created_at or own[0].requested_at
    events = [event_of(r, changed_at=changed_at, guest=guest) for r in own]
    return calendars.write(events, method=method)


def _kind(
    name: str,
    subject: object,
    lead: object,
    topic: str,
    *,
    cost: Callable[[About], Cost] = lambda about: None,
    calendar: str = "",
    until: Callable[[Reservation], datetime | None] = attrgetter("start_at"),
    until_label: object = "",
    more: Callable[[About, datetime], dict[str, Any]] = lambda about, now: {},
    **functions: Any,
) -> Kind:
    """A kind of message about bookings. `cost`: what it says of money; `calendar`: the METHOD of
    its invitation; `until`: when it begins to come too late, and what that means to the reader;
    `more`: what else its template needs."""

    def content(about: About, row: OutboxMessage, now: datetime) -> Content:
        """With times in the instrument's zone and the reader's; of many it lists the dates."""
        one = about.reservation
        page = reverse("bookings:reservation", args=[one.pk])
        if about.charge:
            page = reverse("bookings:money-charges-one", args=[about.charge.pk])
        words = {"instrument": one.instrument, "organisation": one.organisation}
        context = {
            "reservation": one,
            "many": about.many,
            "costs": cost(about),
            "costs_label": _("Price") if cost is _quoted else _("Charged"),
            "is_charge": about.charge is not None,
            "until_label": until_label,
        }
        return Content(
            about.charge.pk if about.charge else one.pk,
            page,
            words | {"person": str(one.user), "count": len(about.many)},
            context | more(about, now),
            zone=one.instrument.facility.time_zone,
            calendar=partial(_calendar, calendar, about, row),
            matters_until=until(one),
        )

    rest = {"load": _one, "readers": lambda about: [about.reservation.user]} | functions
    template = "bookings/messaging/mail/message"
    return Kind(name, subject, lead, topic, content=content, template=template, **rest)


_until_answered = attrgetter("deadline_at")
_priced = partial(_kind, cost=_quoted)
_entered = partial(_priced, calendar="REQUEST")
_removed = partial(_kind, calendar="CANCEL")
_to_answer = partial(_priced, topic="request", readers=host_people, until=_until_answered)
_late = partial(_kind, topic="use", until=lambda one: one.end_at + timedelta(hours=12))
_of_charge = partial(_kind, topic="charge", load=_charged, cost=_charge)
_several = partial(_priced, load=_many(OCCUPYING))
_several_entered = partial(_several, calendar="REQUEST")
KINDS = table(
    _entered(
        "mail.requested",
        _("Requested: {instrument}"),
        _("Your request was sent to the owner of the instrument, who will answer it."),
        "confirmation",
    ),
    _to_answer(
        "mail.to-decide",
        _("A request to approve: {instrument}"),
        _("{person} of {organisation} asks for time on your instrument."),
        is_still_true=_still("requested"),
        until_label=_("Answer by"),
    ),
    _to_answer(
        "mail.lapsing",
        _("A request is about to expire: {instrument}"),
        _("Nobody has answered this request yet. Without an answer it expires at the time below."),
        topic="expiry",
        is_still_true=_lapses,
        until_label=_("Answer by"),
    ),
    _entered(
        "mail.confirmed",
        _("Confirmed: {instrument}"),
        _("Your booking is confirmed."),
        "confirmation",
    ),
    _entered(
        "mail.moved", _("Moved: {instrument}"), _("Your booking has another time now."), "change"
    ),
    _removed(
        "mail.rejected",
        _("Not accepted: {instrument}"),
        _("The owner of the instrument could not accept it."),
        "decision",
        more=_again,
    ),
    _removed(
        "mail.cancelled",
        _("Cancelled: {instrument}"),
        _("This booking was cancelled."),
        "change",
        cost=_owed,
    ),
    _removed(
        "mail.expired",
        _("No answer: {instrument}"),
        _("Nobody answered your request in time, so it has expired. It costs you nothing."),
        "decision",
    ),
    _removed(
        "mail.displaced",
        _("Displaced: {instrument}"),
        _("The instrument had to be closed, so your booking cannot take place. It costs nothing."),
        "displacement",
        cost=_owed,
        more=_displaced,
    ),
    _kind(
        "mail.cut-short",
        _("Cut short: {instrument}"),
        _(
            "The instrument had to be closed while you were using it. You pay for the time until"
            " then at most: no minimum and no set-up fee."
        ),
        "displacement",
        cost=_cut_short,
        calendar="REQUEST",
        until=attrgetter("end_at"),
        more=_cut,
    ),
    _late(
        "mail.overrun",
        _("Over time: {instrument}"),
        _("Your time is over and another booking follows. Please finish and check out."),
    ),
    _late(
        "mail.overrun-next",
        _("Running late: {instrument}"),
        _("The person before you is still using the instrument. You may have to wait a little."),
    ),
    _kind(
        "mail.offer",
        _("A slot is free for you: {instrument}"),
        _(
            "You are first on the waiting list for this slot. It is held for you until the time "
            "below: take it, or leave it to the next in line."
        ),
        "offer",
        is_still_true=_still("held"),
        until=_until_answered,
        until_label=_("Held for you until"),
        more=_offer,
    ),
    _priced(
        "mail.reminder",
        _("Starting soon: {instrument}"),
        _("A reminder of your booking."),
        "reminder",
        is_still_true=_is_ahead,
    ),
    _removed(
        "mail.no-show",
        _("Not used: {instrument}"),
        _("Nobody checked in, so the booking counts as not used and the time was given free."),
        "no-show",
        cost=_owed,
    ),
    _kind(
        "mail.poor-rating",
        _("Rated poorly: {instrument}"),
        _("{person} of {organisation} says that a session on your instrument did not go well."),
        "use",
        readers=host_people,
        more=lambda about, now: {"rated": getattr(about.reservation, "session", None)},
    ),
    _kind(
        "mail.completed",
        _("Finished: {instrument}"),
        _("Thank you. Your session has ended."),
        "use",
        cost=_owed,
    ),
    _of_charge(
        "mail.charged",
        _("Charged: {instrument}"),
        _(
            "Your booking was charged to {organisation}. If something is wrong with it, dispute"
            " it within seven days."
        ),
    ),
    _of_charge(
        "mail.disputed",
        _("Disputed: {instrument}"),
        _("{organisation} disputes a charge. It does not become final before you have answered."),
        readers=host_people,
    ),
    _of_charge(
        "mail.dispute-settled",
        _("Dispute answered: {instrument}"),
        _("The owner of the instrument maintains the charge that was disputed: it is final."),
        readers=_disputing,
    ),
    _of_charge(
        "mail.corrected",
        _("Corrected: {instrument}"),
        _("A charge was corrected: it was reversed, and what is owed now is below."),
    ),
    _several_entered(
        "mail.series",
        _("Confirmed ({count}): {instrument}"),
        _("Your series of bookings is confirmed."),
        "confirmation",
    ),
    _several(
        "mail.series-requested",
        _("Requested ({count}): {instrument}"),
        _("Your series was sent to the owner of the instrument, who will answer it."),
        "confirmation",
    ),
    _to_answer(
        "mail.series-to-decide",
        _("Requests to approve ({count}): {instrument}"),
        _("{person} of {organisation} asks for a series of dates on your instrument."),
        load=_many({"requested"}),
    ),
    _several_entered(
        "mail.imported",
        _("Confirmed ({count}): {instrument}"),
        _("These bookings were imported from another calendar. They are confirmed."),
        "confirmation",
    ),
    _several(
        "mail.imported-requested",
        _("Requested ({count}): {instrument}"),
        _(
            "These bookings were imported from another calendar. They were sent to the owner of "
            "the instrument, who will answer them."
        ),
        "confirmation",
    ),
    _several_entered(
        "mail.series-moved",
        _("Moved ({count}): {instrument}"),
        _("These bookings have other times now."),
        "change",
    ),
    _removed(
        "mail.series-cancelled",
        _("Cancelled ({count}): {instrument}"),
        _("These bookings were cancelled."),
        "change",
        load=_many({"cancelled"}),
        cost=_owed,
    ),
)
