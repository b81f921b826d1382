"""The manifest of *record*."""

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.areas import FOR_HOST, KEPT, Area, Merges, Personal, Record, Told
from accounts.domain.hooks import HookEvent
from accounts.domain.messages import Topic
from accounts.domain.roles import RESEARCHER
from accounts.selectors.choosing import meeting
from bookings.record.messages import ACTS, REFUSALS
from bookings.record.models import Reservation, SessionRating, UsageSession
from bookings.record.selectors.events import BOOKING, of_reservations
from bookings.record.selectors.reservations import (
    ahead_of,
    bookings_met,
    refuse_while_booked,
    reservations_for,
)
from instruments.managing.services.publishing import retiring

AREA = Area(
    "bookings.record",
    refusals=REFUSALS,
    records=(
        Record(
            Reservation, "instrument__name", "instrument__name_zh", "start_at",
            kind=_("booking"), page="bookings:reservation", seen=reservations_for,
        ),
    ),
    acts=ACTS,
    topics=(
        Topic(
            "confirmation", _("Bookings made"), _("a booking is confirmed, or a request was sent"), 10,
            roles=frozenset({RESEARCHER}),
        ),
        Topic(
            "reminder", _("Reminders"), _("a day and an hour before a booking"), 50,
            roles=frozenset({RESEARCHER}),
        ),
    ),
    joins=(
        (retiring, refuse_while_booked),
        (meeting, bookings_met),
    ),
    personal=(
        Personal(
            "bookings", Reservation, {"made_by": KEPT, "user": KEPT},
            "id unit start_at end_at state service_mode purpose purpose_text samples price_group "
            "requested_at confirmed_at ended_at reason series_id chain_id "
            "user_id made_by_id instrument=instrument__name host=host__code payer=organisation__code",
            order="start_at id",
        ),
        # What the payer's side notes, who only made the booking may have left it since.
        Personal(
            "booking_notes", Reservation, {}, "id reference metadata", order="start_at id",
            where=lambda user: Q(user=user) & ~Q(reference="", metadata={}),
        ),
        Personal(
            "sessions", UsageSession, {},
            "reservation_id checked_in_at checked_out_at is_assumed service_mode samples rating "
            "remarks usable=marks__usable support=marks__support on_time=marks__on_time "
            "price_as_quoted=marks__price_as_quoted rated_at=marks__rated_at answer=marks__answer",
            order="checked_in_at", also="reservation__user",
        ),
        Personal(
            "ratings_answered", SessionRating, {"answered_by": KEPT},
            "answer answered_at reservation=session__reservation_id",
            order="answered_at",
        ),
    ),
    official={
        "bookings.Reservation.decided_by": FOR_HOST,
    },
    told=(Told("mail.", "reservation", Reservation, "user"),),
    merges=(
        Merges(
            "bookings", Reservation, 20, _("Upcoming bookings"), rows=ahead_of,
            at_instruments=True, is_handed_over=False,
        ),
    ),
    events=(
        HookEvent(
            "reservation.requested", _("a booking is requested"), 10,
            ("mail.requested", "mail.move-requested", "mail.series-requested", "mail.imported-requested"),
            of_reservations, BOOKING,
        ),
        HookEvent(
            "reservation.confirmed", _("a booking is confirmed"), 20,
            ("mail.confirmed", "mail.series", "mail.imported"),
            of_reservations, BOOKING,
        ),
        HookEvent(
            "reservation.rejected", _("a request is declined"), 30,
            ("mail.rejected",),
            of_reservations, BOOKING,
        ),
        HookEvent(
            "reservation.moved", _("a booking has another time"), 40,
            ("mail.moved", "mail.cut-short", "mail.series-moved"),
            of_reservations, BOOKING,
        ),
        HookEvent(
            "reservation.cancelled", _("a booking is cancelled"), 50,
            ("mail.cancelled", "mail.series-cancelled"),
            of_reservations, BOOKING,
        ),
        HookEvent(
            "reservation.expired", _("a request expires"), 60,
            ("mail.expired",),
            of_reservations, BOOKING,
        ),
        HookEvent(
            "reservation.displaced", _("a booking is displaced by a closure"), 70,
            ("mail.displaced",),
            of_reservations, BOOKING,
        ),
        HookEvent(
            "reservation.no_show", _("a booking was not used"), 80,
            ("mail.no-show",),
            of_reservations, BOOKING,
        ),
        HookEvent(
            "reservation.no_show_struck", _("a no-show was removed"), 85,
            ("mail.no-show-struck",),
            of_reservations, BOOKING,
        ),
        HookEvent(
            "reservation.started", _("a session begins"), 88,
            ("event.started",),
            of_reservations, BOOKING,
        ),
        HookEvent(
            "reservation.completed", _("a session has ended"), 90,
            ("mail.completed", "event.ended"),
            of_reservations, BOOKING,
        ),
    ),
)  # fmt: skip
