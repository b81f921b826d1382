"""Messages about planned purchases, to coordinators and hosts in the region and those around it."""

from datetime import datetime
from functools import partial

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.letters.kinds import Content, Kind, in_state, row_of, table
from accounts.models import OutboxMessage, User
from bookings.planning.domain.plans import DROPPED, PLANNED
from bookings.planning.models import PlannedPurchase
from bookings.planning.selectors.plans import told_of


def _readers(plan: PlannedPurchase) -> list[User]:
    return [person for person in told_of(plan) if person.pk != plan.user_id]


def _content(plan: PlannedPurchase, row: OutboxMessage, now: datetime) -> Content:
    words = {"organisation": plan.organisation, "name": plan.name, "technique": plan.technique}
    link = reverse("bookings:plan", args=[plan.pk])
    return Content(plan.pk, link, words, {"plan": plan})


_kind = partial(
    Kind,
    topic="planning",
    load=row_of(PlannedPurchase.objects.select_related("organisation__region", "technique"), "plan"),
    readers=_readers,
    content=_content,
    template="bookings/planning/mail/plan",
)
KINDS = table(
    _kind(
        "plan.entered",
        _("{organisation} plans to buy: {name}"),
        _(
            "{organisation} plans to buy an instrument for {technique}. If you have spare hours, "
            "or plan to buy the same, you can say so before it is ordered."
        ),
        is_still_true=in_state(PLANNED),
    ),
    _kind(
        "plan.dropped",
        _("{organisation} will not buy: {name}"),
        _("{organisation} no longer plans to buy an instrument for {technique}."),
        is_still_true=in_state(DROPPED),
    ),
)
