"""Messages about results: ready, or withdrawn, to the recipients; overdue, to the host."""

from datetime import datetime
from functools import partial

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.letters.kinds import Content, Kind, in_state, row_of, table
from accounts.models import OutboxMessage, User
from accounts.selectors.memberships import staff_of
from bookings.results.domain.handoffs import AWAITED
from bookings.results.models import HandOff
from bookings.results.selectors.handoffs import every_hand_off

_load = row_of(every_hand_off().select_related("reservation__made_by"), "hand_off")


def _for_whom(hand_off: HandOff) -> list[User]:
    booking = hand_off.reservation
    return list({person.pk: person for person in (booking.user, booking.made_by)}.values())


def _host(hand_off: HandOff) -> list[User]:
    return staff_of(hand_off.host_id, hand_off.reservation.instrument)


def _content(hand_off: HandOff, row: OutboxMessage, now: datetime) -> Content:
    booking = hand_off.reservation
    return Content(
        hand_off.pk,
        reverse("bookings:result", args=[hand_off.pk]),
        {"instrument": booking.instrument, "person": str(booking.user)},
        {"hand_off": hand_off, "reservation": booking},
        zone=booking.instrument.facility.time_zone,
        days=[booking.start_at],
    )


_kind = partial(Kind, topic="use", load=_load, content=_content, template="bookings/results/mail/results")
KINDS = table(
    _kind(
        "results.ready",
        _("Your results are ready: {instrument}"),
        _("The host delivered the results of this booking."),
        readers=_for_whom,
        is_still_true=in_state("released", "collected", "expiring", "pointed"),
    ),
    _kind(
        "results.withdrawn",
        _("Results withdrawn: {instrument}"),
        _("The host withdrew the results of this booking. It may deliver others."),
        readers=_for_whom,
    ),
    _kind(
        "results.overdue",
        _("Results are overdue: {instrument}"),
        _("{person} is still waiting for the results of this booking."),
        readers=_host,
        is_still_true=in_state(*AWAITED),
    ),
)
