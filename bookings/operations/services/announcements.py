"""Announce something to everybody or to some, change it, and withdraw it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts import trail
from accounts.domain.announcements import LONGEST, PAST, WITHDRAWN, check_announcement, check_span, state_of
from accounts.domain.errors import WrongState
from accounts.domain.roles import ORGANISATION_ROLES, PLATFORM_ROLES, REGION_ROLES, By, Place
from accounts.models import Announcement, Installation, Region
from accounts.permissions import require
from accounts.selectors.announcements import MAY, announcements_for
from accounts.selectors.installation import MOST_AHEAD, Site, installation_forget
from accounts.selectors.rows import visible

ROLES = ORGANISATION_ROLES | REGION_ROLES | PLATFORM_ROLES


@transaction.atomic
def announcement_make(
    by: By,
    *,
    kind: str,
    text: str,
    text_zh: str,
    starts_at: datetime | None,
    ends_at: datetime,
    audience: str,
    region: Region | None = None,
    role: str = "",
) -> Announcement:
    """Announce something from `starts_at` (None: from now) until `ends_at`, in both languages."""
    require(by.actor, MAY, Place(None))
    installation_lock(by)
    ahead = Announcement.objects.filter(withdrawn_at=None, ends_at__gt=by.now).count()
    if ahead >= MOST_AHEAD:
        raise WrongState("announcements-many", most=MOST_AHEAD)
    row = Announcement(entered_by_id=by.actor.user_id, entered_at=by.now, kind=kind)
    _set(row, by, text, text_zh, starts_at or by.now, ends_at, audience, region, role)
    row.save(force_insert=True)
    trail.record(by, "announcement.make", row, after=_told(row))
    return row


@transaction.atomic
def announcement_change(
    by: By,
    *,
    announcement_id: UUID,
    kind: str,
    text: str,
    text_zh: str,
    starts_at: datetime | None,
    ends_at: datetime,
    audience: str,
    region: Region | None = None,
    role: str = "",
) -> Announcement:
    """Change an announcement that is not over. Whoever has closed the old one sees the new one again."""
    row = _open(by, announcement_id)
    before = _told(row)
    row.kind = kind
    _set(row, by, text, text_zh, starts_at or row.starts_at, ends_at, audience, region, role)
    row.version += 1
    row.save()
    trail.record(by, "announcement.change", row, before=before, after=_told(row))
    return row


@transaction.atomic
def announcement_withdraw(by: By, *, announcement_id: UUID) -> Announcement:
    """Withdraw an announcement that is not over: it is shown no longer, and stays in the list."""
    row = _open(by, announcement_id)
    row.withdrawn_at = by.now
    row.version += 1
    row.save(update_fields=["withdrawn_at", "version"])
    trail.record(by, "announcement.withdraw", row)
    return row


def installation_lock(by: By) -> None:
    """Lock the installation's row, which makes what is decided about everybody one after the other, and have
    the cached settings forgotten once the transaction is committed."""
    Installation.objects.select_for_update().get_or_create(
        defaults={"name": Site.name, "languages": list(Site.languages), "created_at": by.now, "version": 0}
    )
    transaction.on_commit(installation_forget)


def _open(by: By, announcement_id: UUID) -> Announcement:
    """Return the locked row of an announcement that may still be changed."""
    row = visible(announcements_for(by.actor), pk=announcement_id)
    installation_lock(by)
    row = Announcement.objects.select_related("region").get(pk=row.pk)
    by.require_version(row.version)
    state = state_of(
        starts_at=row.starts_at, ends_at=row.ends_at, is_withdrawn=row.withdrawn_at is not None, now=by.now
    )
    if state in (PAST, WITHDRAWN):
        raise WrongState("announcement-over")
    return row


def _set(
    row: Announcement,
    by: By,
    text: str,
    text_zh: str,
    starts_at: datetime,
    ends_at: datetime,
    audience: str,
    region: Region | None,
    role: str,
) -> None:
    """Check the values of an announcement and put them into its row."""
    check_announcement(
        text=text, text_zh=text_zh, audience=audience, has_region=region is not None, role=role, roles=ROLES
    )
    check_span(starts_at=starts_at, ends_at=ends_at, now=by.now, longest=LONGEST)
    row.text, row.text_zh, row.starts_at, row.ends_at = text.strip(), text_zh.strip(), starts_at, ends_at
    row.audience, row.region, row.role = audience, region, role


def _told(row: Announcement) -> Mapping[str, Any]:
    told = {name: getattr(row, name) for name in Announcement.RECORDED}
    return told | {"region": row.region.code if row.region else None}
