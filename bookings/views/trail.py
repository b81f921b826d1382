"""The trail and the story of one record, for auditors."""

from datetime import datetime, time
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts.domain.errors import NotFound
from accounts.permissions import actor_of
from bookings.forms import TrailForm
from bookings.selectors.trail import (
    TrailQuery,
    entries_where,
    readable_story,
    reservation_named,
    trail_page,
)


@login_required
def trail(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request.user)
    form = TrailForm(request.GET)
    data = form.cleaned_data if form.is_valid() else {}
    wanted = TrailQuery(
        object_id=data.get("record"),
        actor=data.get("person", ""),
        action=data.get("action", ""),
        region=data.get("region", ""),
        since=_midnight(data["since"]) if data.get("since") else None,
        until=_midnight(data["until"]) if data.get("until") else None,
    )
    after = request.GET.get("after", "")
    page = trail_page(entries_where(actor, wanted), after)
    context = {"form": form, "page": page, "steps": page.steps, "is_first": not after}
    return render(request, "bookings/trail.html", context)


def _midnight(day: datetime) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()))


@login_required
def story(request: HttpRequest, object_id: UUID) -> HttpResponse:
    actor = actor_of(request.user)
    found = readable_story(actor, object_id)
    if not found:
        raise NotFound
    context = {
        "object_id": object_id,
        "reservation": reservation_named(actor, object_id),
        "story": found,
    }
    return render(request, "bookings/story.html", context)
