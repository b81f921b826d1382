"""Jobs, effects and letters of *plans*."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.work import Job, Kept, Tasks, outcome, waiting
from bookings.plans.domain.waiting import LOOK_EVERY
from bookings.plans.models import WaitingOffer, WaitingWish
from bookings.plans.selectors.waiting import ended_wishes, open_wishes, unoffered
from bookings.plans.services.waiting import slot_offer, wishes_look, wishes_settle
from bookings.pricing.models import Quote
from bookings.record.models import Reservation


def _holds(before: datetime) -> QuerySet[Reservation]:
    """Return holds made while somebody filled in a form that came to nothing: they have neither a quote, as
    bookings do, nor a waiting-list entry, as offers do."""
    return Reservation.objects.filter(
        ~Exists(Quote.objects.filter(reservation=OuterRef("pk"))),
        ~Exists(WaitingOffer.objects.filter(reservation=OuterRef("pk"))),
        state__in=["expired", "cancelled"],
        confirmed_at=None,
        ended_at__lt=before,
    )


def _looks(now: datetime) -> QuerySet[WaitingWish]:
    return unoffered(open_wishes(now), now).filter(looked_at__lte=now - LOOK_EVERY)


TASKS = Tasks(
    jobs=(
        Job(
            "settle_waiting", "settle waiting", _("Expiring waiting-list entries"), 60.0, wishes_settle,
            due=waiting(ended_wishes, "latest"),
        ),
        Job(
            "look_for_waiting", "look for waiting", _("Matching free times to the waiting list"), 120.0,
            wishes_look,
            due=waiting(_looks, "looked_at"),
        ),
    ),
    effects={
        "slot": lambda row, now: outcome(slot_offer(instrument_id=UUID(row.payload["instrument"]), now=now))
    },
    keeps=(Kept("holds", _("Holds not completed"), timedelta(days=30), "ended", _holds, least=7),),
)  # fmt: skip
