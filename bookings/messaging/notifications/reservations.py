"""Messages to people about bookings: who is told, in which words, in whose time zone.

They lie in a higher area than their subjects, since one letter combines several of these: price, charge,
closure, waiting list, the calendar entry.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from operator import attrgetter
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.adapters import calendars
from accounts.letters.kinds import Content, Kind, always, table
from accounts.models import OutboxMessage, User
from bookings.messaging.notifications import facts
from bookings.messaging.selectors.feeds import event_of
from bookings.record.domain.reservations import OCCUPYING
from bookings.record.models import Reservation


def still_says(kind: str, reservation_id: UUID | None, now: datetime) -> bool:
    """Say whether a message whose mail was held back is still worth sending."""
    if kind not in KINDS or KINDS[kind].is_still_true is always or reservation_id is None:
        return True
    row = OutboxMessage(payload={"reservation": str(reservation_id)})
    about = facts.load_one(row, now)
    return about is not None and KINDS[kind].is_still_true(about, row, now)


def _calendar(method: str, about: facts.About, row: OutboxMessage, person: User) -> str:
    """Return the calendar file of a message: an invitation (REQUEST) or a cancellation (CANCEL); empty if no
    booking was ever confirmed. A booking that needs approval again after a move is tentative."""
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
    cost: Callable[[facts.About], facts.Cost] = lambda about: None,
    calendar: str = "",
    until: Callable[[Reservation], datetime | None] = attrgetter("start_at"),
    until_label: object = "",
    more: Callable[[facts.About, datetime], dict[str, Any]] = lambda about, now: {},
    named: Callable[[facts.About], dict[str, Any]] = lambda about: {},
    **functions: Any,
) -> Kind:
    """Return a kind of message about bookings. `cost` gives what it says about money; `calendar` is the
    METHOD of its invitation; `until` gives the time after which it is too late, and `until_label` what that
    time means to the reader; `more` gives what else its template needs, `named` what else its sentences."""

    def content(about: facts.About, row: OutboxMessage, now: datetime) -> Content:
        """Return the content about bookings, with times in the instrument's zone and the reader's; for
        several, a list of dates."""
        one = about.reservation
        page = reverse("bookings:reservation", args=[one.pk])
        if about.charge:
            page = reverse("bookings:money-charges-one", args=[about.charge.pk])
        words = {"instrument": one.instrument, "organisation": one.organisation}
        costs = cost(about)
        context = {
            "reservation": one,
            "many": about.many,
            "costs": costs,
            **facts.load_priced(about, costs),
            **facts.before_of(row),
            "costs_label": _("Price") if cost is facts.quoted else _("Charged"),
            "is_charge": about.charge is not None,
            "until_label": until_label,
        }
        return Content(
            about.charge.pk if about.charge else one.pk,
            page,
            words | {"person": str(one.user), "count": len(about.many)} | named(about),
            context | more(about, now),
            zone=one.instrument.facility.time_zone,
            calendar=partial(_calendar, calendar, about, row),
            matters_until=until(one),
            days=[booking.start_at for booking in about.bookings],
        )

    rest = {"load": facts.load_one, "readers": lambda about: [about.reservation.user]} | functions
    template = "bookings/messaging/mail/message"
    return Kind(name, subject, lead, topic, content=content, template=template, **rest)


_until_answered = attrgetter("deadline_at")
_priced = partial(_kind, cost=facts.quoted)
_entered = partial(_priced, calendar="REQUEST")
_removed = partial(_kind, calendar="CANCEL")
_to_answer = partial(_priced, topic="request", readers=facts.host_people, until=_until_answered)
_late = partial(_kind, topic="use", until=lambda one: one.end_at + timedelta(hours=12))
_of_charge = partial(_kind, topic="charge", load=facts.load_charged, cost=facts.charge_of)
_several = partial(_priced, load=facts.load_many(OCCUPYING))
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
        more=facts.answered,
        is_still_true=facts.still("requested"),
        until_label=_("Answer by"),
    ),
    _entered(
        "mail.move-requested",
        _("Move requested: {instrument}"),
        _(
            "Your move was sent to the owner of the instrument, who has to agree to the new time. Until then"
            " it is a request. The earlier time was given up: if they decline, you have neither."
        ),
        "change",
    ),
    _to_answer(
        "mail.move-to-decide",
        _("A move to approve: {instrument}"),
        _("{person} of {organisation} has moved a booking of your instrument and needs your answer."),
        more=facts.answered,
        is_still_true=facts.still("requested"),
        until_label=_("Answer by"),
    ),
    _to_answer(
        "mail.lapsing",
        _("A request is about to expire: {instrument}"),
        _("Nobody has answered this request yet. Without an answer it expires at the time below."),
        topic="expiry",
        more=facts.answered,
        is_still_true=facts.lapses,
        until_label=_("Answer by"),
    ),
    _entered("mail.confirmed", _("Confirmed: {instrument}"), _("Your booking is confirmed."), "confirmation"),
    _entered("mail.moved", _("Moved: {instrument}"), _("Your booking has been moved."), "change"),
    _removed(
        "mail.rejected",
        _("Not accepted: {instrument}"),
        _("The owner of the instrument could not accept it."),
        "decision",
        more=facts.again,
    ),
    _removed(
        "mail.cancelled",
        _("Cancelled: {instrument}"),
        _("This booking was cancelled."),
        "change",
        cost=facts.owed,
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
        cost=facts.owed,
        more=facts.displaced,
    ),
    _kind(
        "mail.cut-short",
        _("Cut short: {instrument}"),
        _(
            "The instrument had to be closed while you were using it. You pay at most for the time "
            "until then, with no minimum and no set-up fee."
        ),
        "displacement",
        cost=facts.owed_when_cut,
        calendar="REQUEST",
        until=attrgetter("end_at"),
        more=facts.cut,
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
        is_still_true=facts.still("held"),
        until=_until_answered,
        until_label=_("Held for you until"),
        more=facts.offered,
    ),
    _priced(
        "mail.reminder",
        _("Starting soon: {instrument}"),
        _("A reminder of your booking."),
        "reminder",
        is_still_true=facts.is_ahead,
    ),
    _removed(
        "mail.no-show",
        _("Not used: {instrument}"),
        _("Nobody checked in, so the booking counts as not used and its time was released."),
        "no-show",
        cost=facts.owed,
    ),
    _kind(
        "mail.no-show-struck",
        _("No-show removed: {instrument}"),
        _(
            "The owner of the instrument has removed the no-show from this booking. It no longer counts as"
            " not used, and what was charged for that is taken back."
        ),
        "no-show",
        cost=facts.owed_after_all,
        until=lambda one: None,
    ),
    _kind(
        "mail.house-rules-open",
        _("House rules to accept: {instrument}"),
        _(
            "You were checked in by somebody else, and have not accepted the house rules of the"
            " instrument yet. Please read and accept them."
        ),
        "use",
        is_still_true=facts.owes_rules,
        until=attrgetter("end_at"),
    ),
    _kind(
        "mail.house-rules-recorded",
        _("House rules recorded as accepted: {instrument}"),
        _(
            "{recorder} recorded that you accepted version {version} of the house rules of the instrument:"
            " {how}. If you did not, please write to the owner of the instrument."
        ),
        "use",
        is_still_true=facts.has_recorded,
        until=lambda one: None,
        named=facts.load_recorded,
    ),
    _kind(
        "mail.poor-rating",
        _("Rated poorly: {instrument}"),
        _("{person} of {organisation} says that a session on your instrument did not go well."),
        "use",
        readers=facts.host_people,
        more=lambda about, now: {"rated": getattr(about.reservation, "session", None)},
    ),
    _kind(
        "mail.rating-answered",
        _("Your rating was answered: {instrument}"),
        _("The owner of the instrument has answered your rating."),
        "use",
        until=lambda one: None,
        more=lambda about, now: {"rated": getattr(about.reservation, "session", None)},
    ),
    _kind(
        "mail.completed",
        _("Finished: {instrument}"),
        _("Thank you. Your session has ended."),
        "use",
        cost=facts.owed,
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
        readers=facts.host_people,
    ),
    _of_charge(
        "mail.dispute-settled",
        _("Dispute answered: {instrument}"),
        _("The owner of the instrument upholds the disputed charge, which is now final."),
        readers=facts.disputing,
    ),
    _of_charge(
        "mail.correction-proposed",
        _("Correction to agree to: {instrument}"),
        _(
            "The owner of the instrument proposes to correct a charge that {organisation} pays, and has "
            "nobody else who may agree to it. Please agree to it or refuse it."
        ),
        readers=facts.payer_people,
    ),
    _of_charge(
        "mail.corrected",
        _("Corrected: {instrument}"),
        _("A charge was corrected: it was reversed, and the amount now owed is shown below."),
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
        load=facts.load_many({"requested"}),
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
        _("These bookings have been moved."),
        "change",
    ),
    _removed(
        "mail.series-cancelled",
        _("Cancelled ({count}): {instrument}"),
        _("These bookings were cancelled."),
        "change",
        load=facts.load_many({"cancelled"}),
        cost=facts.owed,
    ),
)
