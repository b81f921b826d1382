"""The manifest of *plans*."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from accounts.areas import KEPT, Area, Merges, Personal, Record
from accounts.menu import Below, Waits, signed_in
from bookings.plans.messages import ACTS, REFUSALS
from bookings.plans.models import BookingImport, WaitingWish
from bookings.plans.selectors.chains import chains_seen
from bookings.plans.selectors.waiting import offers_to
from bookings.plans.services.waiting import wishes_end
from bookings.reserving.models import Chain

AREA = Area(
    "bookings.plans",
    refusals=REFUSALS,
    below=(
        Below("bookings:catalogue", "waiting-new"),
        Below("bookings:mine", "waiting waiting-withdraw waiting-decline"),
    ),
    waits=(
        Waits(
            "offers", 10, "bookings:waiting",
            ngettext_lazy("offer of the waiting list", "offers of the waiting list"),
            _("A slot from the waiting list is held for you: take it before it goes to the next in line."),
            signed_in, lambda actor, now: offers_to(actor.person, now),
            entry="bookings:mine", group="reservation__state", until="reservation__deadline_at",
        ),
    ),
    records=(
        Record(
            Chain, "organisation__name", "organisation__name_zh", "created_at",
            page="bookings:chain", seen=chains_seen,
        ),
        Record(WaitingWish, "instrument__name", "instrument__name_zh", "earliest", acts="waiting"),
        Record(BookingImport, "file_name", kind=_("import of bookings"), acts="bookings"),
    ),
    acts=ACTS,
    personal=(
        Personal(
            "waiting_list", WaitingWish, {"user": KEPT},
            "id service_mode earliest latest minutes hours_from hours_until any_equivalent max_price "
            "state created_at ended_at instrument=instrument__name payer=organisation__code",
        ),
        Personal(
            "imports", BookingImport, {"user": KEPT},
            "id file_name host=organisation__code",
            order="pk",
        ),
    ),
    merges=(
        Merges("chains", Chain, 30, _("Booking chains")),
        Merges(
            "wishes", WaitingWish, 170, _("Waiting-list entries"), where={"state": "waiting"},
            at_instruments=True, closes=wishes_end,
        ),
    ),
)  # fmt: skip
