"""Messages about guaranteed hours to the managers of their holders."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.letters.kinds import Content, Kind, table
from accounts.models import OutboxMessage, User
from accounts.selectors.memberships import holders_of
from bookings.availability.models import KeptHours
from bookings.availability.selectors.kept_hours import kept_rows
from bookings.availability.selectors.misfits import load_unkept
from instruments.reading.domain.clock import local_date


def _load(row: OutboxMessage, now: datetime) -> KeptHours | None:
    rows = kept_rows(now).select_related(
        "instrument__facility", "instrument__organisation", "instrument__policy", "instrument__schedule"
    )
    return rows.filter(pk=UUID(row.payload["kept"])).first()


def _managers(kept: KeptHours) -> Sequence[User]:
    return list(holders_of("manager", kept.organisation_id))


def _content(kept: KeptHours, row: OutboxMessage, now: datetime) -> Content:
    zone = kept.instrument.facility.zone
    return Content(
        kept.pk,
        reverse("bookings:instrument", args=[kept.instrument_id]),
        {"instrument": kept.instrument, "organisation": kept.organisation},
        {"kept": kept},
        zone=kept.instrument.facility.time_zone,
        days=[local_date(zone, kept.start_at), local_date(zone, kept.end_at - timedelta(microseconds=1))],
    )


def _lasts(kept: KeptHours, row: OutboxMessage, now: datetime) -> bool:
    return kept.ended_at is None and kept.end_at > now


def _is_much_left(kept: KeptHours, row: OutboxMessage, now: datetime) -> bool:
    """Return whether at least a third of the hours is unused while they can still be booked."""
    return _lasts(kept, row, now) and kept.left_minutes * 3 >= kept.minutes


def _is_short(kept: KeptHours, row: OutboxMessage, now: datetime) -> bool:
    return kept.pk in load_unkept(kept.instrument, now)


_kind = partial(
    Kind,
    topic="offer",
    load=_load,
    readers=_managers,
    content=_content,
    template="bookings/availability/mail/kept",
)
KINDS = table(
    _kind(
        "kept-hours.granted",
        _("Hours guaranteed to {organisation}: {instrument}"),
        _("The host guarantees your organisation hours on this instrument. Book them as usual."),
        is_still_true=_lasts,
    ),
    _kind(
        "kept-hours.changed",
        _("Guaranteed hours changed: {instrument}"),
        _("The host has changed how many hours it guarantees your organisation."),
        is_still_true=_lasts,
    ),
    _kind(
        "kept-hours.ended",
        _("Hours no longer guaranteed: {instrument}"),
        _("The host no longer guarantees these hours. What you have booked stays booked."),
    ),
    _kind(
        "kept-hours.left",
        _("Guaranteed hours not used yet: {instrument}"),
        _("A third or more of these hours is still unused. They will soon be released to everybody."),
        is_still_true=_is_much_left,
    ),
    _kind(
        "kept-hours.short",
        _("Hours guaranteed to {organisation} no longer all fit: {instrument}"),
        _(
            "The instrument is closed for some time, so not all of the hours left can be booked. "
            "Agree with the host on what to do."
        ),
        is_still_true=_is_short,
    ),
)
