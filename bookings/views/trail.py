"""The trail and the story of one record, for auditors."""

from datetime import datetime, time
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts.domain.errors import NotFound
from accounts.models import User
from accounts.permissions import actor_of
from bookings.forms import TrailForm
from bookings.selectors.trail import entries_for, readable_story, reservation_named, steps_of


@login_required
def trail(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request.user)
    form = TrailForm(request.GET)
    entries = entries_for(actor)
    if form.is_valid():
        data = form.cleaned_data
        if data["action"]:
            entries = entries.filter(action__startswith=data["action"])
        if data["person"]:
            entries = entries.filter(
                actor_id__in=User.objects.filter(email__iexact=data["person"]).values("pk")
            )
        if data["since"]:
            entries = entries.filter(at__gte=_midnight(data["since"]))
        if data["until"]:
            entries = entries.filter(at__lt=_midnight(data["until"]))
    page = Paginator(entries, 50).get_page(request.GET.get("page"))
    context = {"form": form, "page": page, "steps": steps_of(list(page.object_list))}
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
