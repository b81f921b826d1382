"""Announcements and maintenance: what holds now, for everyone, and all of them, for administrators."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.memberships import PERSON, PersonShape
from accounts.api.organisations import region_named
from accounts.api.resource import OnPage, Resource, acts, changes, creates, reads, rendered
from accounts.api.schema import operation
from accounts.api.shapes import Instant, TextOrNull
from accounts.domain.announcements import AHEAD, CURRENT
from accounts.domain.roles import By, Place
from accounts.models import Announcement, Maintenance
from accounts.permissions import require
from accounts.selectors.announcements import MAY, announcements_for, announcements_shown, maintenance_for
from accounts.selectors.installation import maintenance_now
from accounts.selectors.rows import visible
from bookings.operations.forms.announcements import AnnouncementBody, MaintenanceBody, MaintenanceEndBody
from bookings.operations.selectors.announcements import ANNOUNCEMENTS, MAINTENANCE, STATES, state
from bookings.operations.services.announcements import (
    announcement_change,
    announcement_make,
    announcement_withdraw,
)
from bookings.operations.services.maintenance import (
    maintenance_announce,
    maintenance_end,
    maintenance_prolong,
)
from bookings.record.api.lists import listed

TAG = "operations"
ANNOUNCEMENT = {
    "id": "0197a1de-0000-7000-8000-000000000010",
    "kind": "warning",
    "text": "The loading bay is closed on Friday: https://campus.example.org/loading",
    "text_zh": "周五卸货区关闭：https://campus.example.org/loading",
    "starts_at": "2026-03-05T00:00:00Z",
    "ends_at": "2026-03-06T10:00:00Z",
    "audience": "region",
    "region": "CN-AH",
    "role": None,
    "state": "current",
    "entered_by": PERSON,
    "entered_at": "2026-03-04T02:00:00Z",
    "withdrawn_at": None,
    "version": 1,
}
SENT = {
    name: ANNOUNCEMENT[name]
    for name in ("kind", "text", "text_zh", "starts_at", "ends_at", "audience", "region")
}
SPELL = {
    "id": "0197a1de-0000-7000-8000-000000000011",
    "starts_at": "2026-03-06T14:00:00Z",
    "ends_at": "2026-03-06T16:00:00Z",
    "reason": "A new release is installed.",
    "reason_zh": "正在安装新版本。",
    "state": "ahead",
    "announcement": None,
    "entered_by": PERSON,
    "entered_at": "2026-03-04T02:00:00Z",
    "ended_at": None,
    "version": 1,
}


class AnnouncementShownShape(serializers.Serializer[Any]):
    """An announcement as its readers see it."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(Announcement.Kind.choices)
    text = serializers.CharField()
    text_zh = serializers.CharField()
    starts_at = Instant()
    ends_at = Instant()


class MaintenanceShownShape(serializers.Serializer[Any]):
    """Maintenance that holds: until `ends_at` every request that would change something is answered 503 with
    the code `maintenance`."""

    starts_at = Instant()
    ends_at = Instant()
    reason = serializers.CharField(allow_blank=True)
    reason_zh = serializers.CharField(allow_blank=True)


class NoticesShape(serializers.Serializer[Any]):
    """The announcements for the caller, and the maintenance that holds now."""

    maintenance = MaintenanceShownShape(allow_null=True)
    announcements = AnnouncementShownShape(many=True)


class Notices(Endpoint):
    only_reads = True

    @operation("installation_announcements", _("Current announcements"), tag=TAG, gives=NoticesShape)
    def get(self, request: Request) -> Response:
        """Return the announcements for you that are shown now, oldest first, and the maintenance that holds
        now. Without signing in these are the ones for everyone."""
        found = {
            "maintenance": maintenance_now(self.now),
            "announcements": announcements_shown(self.actor, self.now),
        }
        return Response(rendered(NoticesShape, found))


class AnnouncementShape(AnnouncementShownShape):
    """An announcement with whom it is for, its state, and who entered it."""

    audience = serializers.ChoiceField(Announcement.Audience.choices)
    region = serializers.CharField(source="region.code", allow_null=True, default=None)
    role = TextOrNull()
    state = serializers.ChoiceField(STATES)
    entered_by = PersonShape(allow_null=True)
    entered_at = Instant()
    withdrawn_at = Instant(allow_null=True)
    version = serializers.IntegerField()


def _is_open(by: By, row: Announcement | Maintenance) -> bool:
    return state(row, by.now) in (CURRENT, AHEAD)


class Announcements(Resource):
    at, key, name, many, tag = "announcements/", "announcement_id", "announcement", "announcements", TAG
    shape, order = AnnouncementShape, ("-ends_at", "-id")
    needs_person, page_at = True, "operations/announcements/"

    def visible(self, pk: UUID) -> Announcement:
        return visible(announcements_for(self.actor), pk=pk)

    def prepared(self, rows: list[Announcement]) -> list[Announcement]:
        for row in rows:
            row.state = state(row, self.now)  # type: ignore[attr-defined]
        return rows

    @listed(_("Announcements"), ANNOUNCEMENTS)
    def rows(self, query: dict[str, Any]) -> QuerySet[Announcement]:
        """List all announcements, also past and withdrawn ones; those that end last come first. Only
        administrators may read this; `GET installation/announcements/` returns what is shown now."""
        require(self.actor, MAY, Place(None))
        return announcements_for(self.actor)

    @creates(
        _("Make an announcement"), AnnouncementBody, refuses=[403, 409], sends=SENT, answers=ANNOUNCEMENT
    )
    def make(self, data: dict[str, Any]) -> UUID:
        """Show a text on all pages for a time, to everyone or to some. Only administrators may do this."""
        return announcement_make(self.by, **_read(data)).pk

    @reads(_("An announcement"), answers=ANNOUNCEMENT)
    def detail(self, pk: UUID) -> None:
        """Only administrators may read this."""

    @changes(
        _("Change an announcement"), AnnouncementBody, method="put", refuses=[404, 409], sends=SENT,
        answers=ANNOUNCEMENT | {"version": 2},
    )  # fmt: skip
    def change(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """Replace an announcement that is not over. Everyone who has closed it sees it again."""
        return announcement_change(self.by, announcement_id=pk, **_read(data)).pk

    @OnPage(
        "bookings:announcements",
        _("Withdraw"),
        done=_("The announcement is withdrawn."),
        asks=_("Withdraw this announcement? Nobody will see it any longer."),
        of="",
        offered=_is_open,
    )
    @acts(
        _("Withdraw an announcement"),
        answers=ANNOUNCEMENT | {"state": "withdrawn", "withdrawn_at": "2026-03-05T02:00:00Z", "version": 2},
    )
    def withdraw(self, pk: UUID) -> UUID:
        """Stop showing an announcement. It stays in the list."""
        return announcement_withdraw(self.by, announcement_id=pk).pk


def _read(data: dict[str, Any]) -> dict[str, Any]:
    code = data.get("region")
    read = {"region": region_named(code) if code else None, "role": data.get("role", "")}
    return {"starts_at": None} | data | read


class MaintenanceShape(MaintenanceShownShape):
    """A time of maintenance. `announcement`: what tells of it beforehand; `ended_at`: when it was ended, or
    called off, before its end."""

    id = serializers.UUIDField()
    state = serializers.ChoiceField(STATES)
    announcement = serializers.UUIDField(source="announcement_id", allow_null=True)
    entered_by = PersonShape(allow_null=True)
    entered_at = Instant()
    ended_at = Instant(allow_null=True)
    version = serializers.IntegerField()


class MaintenanceTimes(Resource):
    at, key, name, many, tag = "maintenance/", "maintenance_id", "maintenance_time", "maintenance_times", TAG
    shape, order = MaintenanceShape, ("-ends_at", "-id")
    needs_person, page_at = True, "operations/maintenance/"

    def visible(self, pk: UUID) -> Maintenance:
        return visible(maintenance_for(self.actor), pk=pk)

    def prepared(self, rows: list[Maintenance]) -> list[Maintenance]:
        for row in rows:
            row.state = state(row, self.now)  # type: ignore[attr-defined]
        return rows

    @listed(_("Maintenance"), MAINTENANCE)
    def rows(self, query: dict[str, Any]) -> QuerySet[Maintenance]:
        """List all times of maintenance; those that end last come first. Only administrators may read
        this."""
        require(self.actor, MAY, Place(None))
        return maintenance_for(self.actor)

    @creates(
        _("Turn maintenance on"),
        MaintenanceBody,
        named="_plan",
        refuses=[403, 409],
        sends={name: SPELL[name] for name in ("starts_at", "ends_at", "reason", "reason_zh")},
        answers=SPELL,
    )
    def plan(self, data: dict[str, Any]) -> UUID:
        """Let nothing be changed for a time, now or later: until its end every request that would change
        something is answered 503 `maintenance` with `Retry-After`, and background work waits. Signing in, and
        changing or ending the maintenance, go on. 409 `maintenance-overlaps` if there is other maintenance at
        the time. Only administrators may do this."""
        return maintenance_announce(self.by, **{"starts_at": None} | data).pk

    @reads(_("A time of maintenance"), answers=SPELL)
    def detail(self, pk: UUID) -> None:
        """Only administrators may read this."""

    @acts(
        _("Change the end of maintenance"), MaintenanceEndBody,
        sends={"ends_at": "2026-03-06T18:00:00Z"},
        answers=SPELL | {"ends_at": "2026-03-06T18:00:00Z", "version": 2},
    )  # fmt: skip
    def prolong(self, pk: UUID, data: dict[str, Any]) -> UUID:
        """Set another end, sooner or later, also while it holds."""
        return maintenance_prolong(self.by, maintenance_id=pk, **data).pk

    @OnPage(
        "bookings:maintenance",
        _("End it now"),
        done=_("The maintenance is over."),
        asks=_("End this maintenance? Everything can be changed again."),
        of="",
        offered=_is_open,
    )
    @acts(
        _("End maintenance"),
        answers=SPELL | {"state": "withdrawn", "ended_at": "2026-03-06T15:00:00Z", "version": 2},
    )
    def end(self, pk: UUID) -> UUID:
        """End maintenance before its end, or call it off before it begins, with its announcement."""
        return maintenance_end(self.by, maintenance_id=pk).pk
