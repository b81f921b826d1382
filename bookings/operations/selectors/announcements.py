"""The lists of announcements and of maintenance, for administrators."""

from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.domain.announcements import AHEAD, CURRENT, PAST, WITHDRAWN, state_of
from accounts.domain.roles import By
from accounts.models import Announcement, Maintenance
from accounts.selectors.announcements import announcements_for, maintenance_for
from bookings.record.selectors.lists import CHOICE, Column, Filter, Listing

STATES = (
    (CURRENT, pgettext_lazy("announcement", "Current")),
    (AHEAD, pgettext_lazy("announcement", "Planned")),
    (PAST, pgettext_lazy("announcement", "Over")),
    (WITHDRAWN, pgettext_lazy("announcement", "Withdrawn")),
)


def state(row: Announcement | Maintenance, now: datetime) -> str:
    """Return the state of an announcement or of maintenance; one that was ended early counts as withdrawn."""
    withdrawn_at = row.withdrawn_at if isinstance(row, Announcement) else row.ended_at
    return state_of(
        starts_at=row.starts_at, ends_at=row.ends_at, is_withdrawn=withdrawn_at is not None, now=now
    )


def _in_state(withdrawn: str) -> Any:
    def narrow(rows: QuerySet[Any], value: str, by: By) -> QuerySet[Any]:
        if value == WITHDRAWN:
            return rows.exclude(**{withdrawn: None})
        spans = {
            CURRENT: Q(starts_at__lte=by.now, ends_at__gt=by.now),
            AHEAD: Q(starts_at__gt=by.now),
            PAST: Q(ends_at__lte=by.now),
        }
        return rows.filter(spans[value], **{withdrawn: None})

    return narrow


ANNOUNCEMENTS = Listing(
    "announcements",
    announcements_for,
    (
        Column("announcement", "pk"),
        Column("text", "text", _("Announcement")),
        Column("text_zh", "text_zh"),
        Column("kind", "kind"),
        Column("audience", "audience", _("Shown to")),
        Column("region", lambda row, by: row.region.code if row.region else ""),
        Column("role", "role"),
        Column("starts", "starts_at", _("From"), "starts_at"),
        Column("ends", "ends_at", _("Until"), "ends_at"),
        Column("state", lambda row, by: state(row, by.now), _("State")),
        Column("entered", "entered_at"),
    ),
    words=("text", "text_zh"),
    q_help="Part of the text, in either language.",
    filters=(Filter("state", _in_state("withdrawn_at"), CHOICE, _("State"), choices=STATES),),
)

MAINTENANCE = Listing(
    "maintenance",
    maintenance_for,
    (
        Column("maintenance", "pk"),
        Column("reason", "reason", _("Reason")),
        Column("reason_zh", "reason_zh"),
        Column("starts", "starts_at", _("From"), "starts_at"),
        Column("ends", "ends_at", _("Until"), "ends_at"),
        Column("state", lambda row, by: state(row, by.now), _("State")),
        Column("ended", "ended_at"),
        Column("entered", "entered_at"),
    ),
    words=("reason", "reason_zh"),
    q_help="Part of the reason, in either language.",
    filters=(Filter("state", _in_state("ended_at"), CHOICE, _("State"), choices=STATES),),
)
