"""Turn maintenance on, change its end, and turn it off: in the database, or by a file without it."""

import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext

from accounts import trail
from accounts.domain.announcements import EVERYONE, WARNING, check_span
from accounts.domain.errors import WrongState, invalid
from accounts.domain.maintenance import LONGEST, MOST_REASON, Spell, file_of, overlaps
from accounts.domain.roles import By, Place
from accounts.letters.words import dated, zone_name
from accounts.models import Maintenance
from accounts.permissions import require
from accounts.selectors.announcements import MAY, maintenance_for
from accounts.selectors.installation import MOST_AHEAD
from accounts.selectors.rows import visible
from bookings.operations.services.announcements import (
    announcement_make,
    announcement_withdraw,
    installation_lock,
)


@transaction.atomic
def maintenance_plan(
    by: By,
    *,
    starts_at: datetime | None,
    ends_at: datetime,
    reason: str,
    reason_zh: str,
    announced: Mapping[str, str] | None = None,
) -> Maintenance:
    """Let nothing be changed from `starts_at` (None: from now) until `ends_at`, except what turns it off
    again. `announced` is the text, in both languages, of a warning that everyone is shown until it starts.
    Raise `WrongState` if there is other maintenance at the time (`maintenance-overlaps`), or as many times
    are planned as processes know of (`maintenance-many`)."""
    require(by.actor, MAY, Place(None))
    installation_lock(by)
    if Maintenance.objects.filter(ended_at=None, ends_at__gt=by.now).count() >= MOST_AHEAD:
        raise WrongState("maintenance-many", most=MOST_AHEAD)
    start = starts_at or by.now
    reason, reason_zh = reason.strip(), reason_zh.strip()
    _check(by, start, ends_at, reason, reason_zh)
    row = Maintenance(
        starts_at=start,
        ends_at=ends_at,
        reason=reason,
        reason_zh=reason_zh,
        entered_by_id=by.actor.user_id,
        entered_at=by.now,
    )
    if announced and start > by.now:
        row.announcement = announcement_make(
            by,
            kind=WARNING,
            text=announced["text"],
            text_zh=announced["text_zh"],
            starts_at=None,
            ends_at=start,
            audience=EVERYONE,
        )
    row.save(force_insert=True)
    trail.record(by, "maintenance.plan", row, after=_told(row), reason=reason)
    return row


@transaction.atomic
def maintenance_announce(
    by: By,
    *,
    starts_at: datetime | None,
    ends_at: datetime,
    reason: str,
    reason_zh: str,
    announce: bool = False,
) -> Maintenance:
    """Turn maintenance on as `maintenance_plan` does. With `announce` everyone reads of it until it starts,
    with its times in the zone of whoever enters it."""
    announced = None
    if announce and starts_at is not None:
        announced = {
            "text": _text("en", starts_at, ends_at, by.actor.time_zone, reason),
            "text_zh": _text("zh-hans", starts_at, ends_at, by.actor.time_zone, reason_zh),
        }
    return maintenance_plan(
        by, starts_at=starts_at, ends_at=ends_at, reason=reason, reason_zh=reason_zh, announced=announced
    )


@transaction.atomic
def maintenance_prolong(by: By, *, maintenance_id: UUID, ends_at: datetime) -> Maintenance:
    """Set another end of maintenance that is not over, sooner or later."""
    row = _open(by, maintenance_id)
    _check(by, row.starts_at, ends_at, row.reason, row.reason_zh, row.pk)
    before = _told(row)
    row.ends_at = ends_at
    row.version += 1
    row.save(update_fields=["ends_at", "version"])
    trail.record(by, "maintenance.prolong", row, before=before, after=_told(row))
    return row


@transaction.atomic
def maintenance_end(by: By, *, maintenance_id: UUID) -> Maintenance:
    """End maintenance now, or call off what has not begun, together with its announcement."""
    row = _open(by, maintenance_id)
    row.ended_at = by.now
    row.version += 1
    row.save(update_fields=["ended_at", "version"])
    notice = row.announcement
    if notice is not None and notice.withdrawn_at is None and notice.ends_at > by.now:
        announcement_withdraw(By(by.actor, by.now), announcement_id=notice.pk)
    trail.record(by, "maintenance.end", row, before=_told(row))
    return row


def maintenance_end_all(by: By) -> int:
    """End all maintenance that holds now; return how many there were."""
    holding = maintenance_for(by.actor).filter(ended_at=None, starts_at__lte=by.now, ends_at__gt=by.now)
    return sum(bool(maintenance_end(by, maintenance_id=pk)) for pk in holding.values_list("pk", flat=True))


def maintenance_file_write(spell: Spell) -> Path:
    """Turn maintenance on by the file that all processes look at, without the database. Nothing is in the
    trail: the file says when it was written."""
    _check_reasons(spell.reason, spell.reason_zh)
    check_span(starts_at=spell.starts_at, ends_at=spell.ends_at, now=spell.starts_at, longest=LONGEST)
    path = Path(settings.MAINTENANCE_FILE)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{uuid4().hex}")  # nobody reads half a file
    try:
        # All processes read it, whichever account wrote it; a link of somebody else is not followed.
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), 0o644)
            file.write(file_of(spell))
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path


def maintenance_file_remove() -> bool:
    """Remove the file; return whether there was one."""
    path = Path(settings.MAINTENANCE_FILE)
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    return True


def _check(
    by: By, starts_at: datetime, ends_at: datetime, reason: str, reason_zh: str, pk: UUID | None = None
) -> None:
    """Raise `Invalid` or `WrongState` unless maintenance (the row `pk`, if it exists) may take this time."""
    _check_reasons(reason, reason_zh)
    if pk is None and starts_at < by.now:
        raise invalid("starts_at", "in-the-past")
    check_span(starts_at=starts_at, ends_at=ends_at, now=by.now, longest=LONGEST)
    others = Maintenance.objects.filter(ended_at=None, ends_at__gt=by.now)
    if overlaps(starts_at, ends_at, [Spell(row.starts_at, row.ends_at) for row in others if row.pk != pk]):
        raise WrongState("maintenance-overlaps")


def _check_reasons(reason: str, reason_zh: str) -> None:
    for name, value in (("reason", reason), ("reason_zh", reason_zh)):
        if not value:
            raise invalid(name, "required")
        if len(value) > MOST_REASON:
            raise invalid(name, "too-long", most=MOST_REASON)


def _open(by: By, maintenance_id: UUID) -> Maintenance:
    """Return the locked row of maintenance that is not over."""
    row = visible(maintenance_for(by.actor), pk=maintenance_id)
    installation_lock(by)
    row = Maintenance.objects.select_related("announcement").get(pk=row.pk)
    by.require_version(row.version)
    if row.ended_at is not None or row.ends_at <= by.now:
        raise WrongState("maintenance-over")
    return row


def _told(row: Maintenance) -> Mapping[str, Any]:
    return {name: getattr(row, name) for name in ("starts_at", "ends_at", "reason", "reason_zh")}


def _text(language: str, starts_at: datetime, ends_at: datetime, zone: str, reason: str) -> str:
    """Return the text of the announcement in a language."""
    with translation.override(language):
        since, until = (
            dated(timezone.localtime(each, ZoneInfo(zone)), "D j M Y, H:i", "Y年n月j日 D H:i")
            for each in (starts_at, ends_at)
        )
        told = gettext(
            "Maintenance from %(since)s to %(until)s (%(zone)s): you can read everything and change nothing."
        )
        values = {"since": since, "until": until, "zone": zone_name(zone)}
        return f"{told % values} {reason.strip()}".strip()
