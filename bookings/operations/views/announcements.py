"""Administrators' pages of announcements and of maintenance."""

from functools import partial
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext

from accounts.domain.announcements import AHEAD, CURRENT
from accounts.domain.roles import By, Place
from accounts.permissions import actor_of, require
from accounts.selectors.announcements import MAY, announcements_for, maintenance_for
from accounts.selectors.installation import maintenance_file, maintenance_now
from accounts.selectors.rows import visible
from accounts.views.pages import act, bare, by_of, edits, sent, shown, writes
from bookings.operations.forms.announcements import AnnouncementForm, MaintenanceEndForm, MaintenanceForm
from bookings.operations.selectors.announcements import ANNOUNCEMENTS, MAINTENANCE, state
from bookings.operations.services.announcements import announcement_change, announcement_make
from bookings.operations.services.maintenance import maintenance_announce, maintenance_prolong
from bookings.record.views.lists import ListPage


def _with_state(row: Any, by: By) -> tuple[Any, str, bool]:
    """Return a row with its state, and whether it may still be changed."""
    found = state(row, by.now)
    return row, found, found in (CURRENT, AHEAD)


LIST = ListPage("bookings/operations/announcements.html", ANNOUNCEMENTS, shown=_with_state)
TIMES = ListPage("bookings/operations/maintenance.html", MAINTENANCE, shown=_with_state)


@edits
def announcements(request: HttpRequest, status: int = 200, **more: Any) -> HttpResponseBase:
    """List all announcements; POST makes one."""
    by = by_of(request)
    require(by.actor, MAY, Place(None))
    # A refused act of a row comes here with its refusal, and has another form's data.
    form = AnnouncementForm(None if more else sent(request), zone=by.actor.time_zone)
    page = partial(_listed, request, by, LIST)
    if more:
        return page(status=status, entry=form, **more)
    return act(
        request,
        page,
        lambda by, data: announcement_make(by, **data),
        to=reverse("bookings:announcements"),
        done=gettext("Announced."),
        form=form,
        name="entry",
    )


def _listed(
    request: HttpRequest, by: By, page: ListPage, *, status: int = 200, **context: Any
) -> HttpResponseBase:
    rows = page.listing.rows(by.actor).order_by("-ends_at", "-id")
    return page.answer(request, by, rows, status=status, **context)


@edits
def announcement(request: HttpRequest, announcement_id: UUID) -> HttpResponseBase:
    """Change one announcement."""
    by = by_of(request)
    row = visible(announcements_for(by.actor), pk=announcement_id)
    names = ("kind", "text", "text_zh", "starts_at", "ends_at", "audience", "role", "version")
    initial = {name: getattr(row, name) for name in names}
    initial["region"] = row.region.code if row.region else ""
    form = AnnouncementForm(sent(request), zone=by.actor.time_zone, initial=initial)
    _row, found, is_open = _with_state(row, by)
    return act(
        request,
        partial(
            shown, request, "bookings/operations/announcement.html", row=row, state=found, is_open=is_open
        ),
        lambda by, data: announcement_change(by, announcement_id=announcement_id, **data),
        to=reverse("bookings:announcements"),
        done=gettext("Saved."),
        form=form,
    )


@edits
def maintenance(request: HttpRequest, status: int = 200, **more: Any) -> HttpResponseBase:
    """List all times of maintenance, and what holds now; POST turns maintenance on, or plans it."""
    by = by_of(request)
    require(by.actor, MAY, Place(None))
    form = MaintenanceForm(None if more else sent(request), zone=by.actor.time_zone)
    coming = maintenance_for(by.actor).filter(ended_at=None, ends_at__gt=by.now)
    row = coming.order_by("starts_at", "id").first()
    page = partial(
        _listed,
        request,
        by,
        TIMES,
        spell=maintenance_now(by.now),
        filed=maintenance_file(by.now),
        coming=row,
        end_form=MaintenanceEndForm(zone=by.actor.time_zone, initial=_end_of(row)) if row else None,
    )
    if more:
        return page(status=status, entry=form, **more)
    return act(
        request,
        page,
        lambda by, data: maintenance_announce(by, **data),
        to=reverse("bookings:maintenance"),
        done=gettext("Maintenance is entered."),
        form=form,
        name="entry",
    )


def _end_of(row: Any) -> dict[str, Any]:
    return {"ends_at": row.ends_at, "version": row.version}


@writes
def prolong(request: HttpRequest, maintenance_id: UUID) -> HttpResponseBase:
    """Set another end of maintenance."""
    row = visible(maintenance_for(actor_of(request.user)), pk=maintenance_id)
    return act(
        request,
        partial(bare(maintenance), request),
        lambda by, data: maintenance_prolong(by, maintenance_id=maintenance_id, **data),
        to=reverse("bookings:maintenance"),
        done=gettext("The end is changed."),
        form=MaintenanceEndForm(request.POST, initial=_end_of(row), zone=actor_of(request.user).time_zone),
        name="end_form",
    )
