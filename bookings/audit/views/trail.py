"""The trail and the story of one record, for auditors."""

from datetime import datetime, time, timedelta
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext

from accounts.domain.errors import NotFound
from accounts.letters.words import named
from accounts.permissions import actor_of
from bookings.audit.acts import act_choices
from bookings.audit.forms.trail import TrailForm
from bookings.audit.selectors.trail import (
    TrailQuery,
    audited_regions,
    entries_where,
    readable_story,
    trail_page,
)
from bookings.audit.selectors.trail_records import called_of, has_page


@login_required
def trail(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request.user)
    regions = [(region.code, named(region)) for region in audited_regions(actor)]
    form = TrailForm(request.GET, acts=act_choices(), regions=regions)
    form.is_valid()
    data = form.cleaned_data
    act = data.get("action", "")
    wanted = TrailQuery(
        object_id=data.get("record"),
        actor=data.get("person", ""),
        action=act,
        is_exact=not act.endswith("."),
        region=data.get("region", ""),
        since=_midnight(data["since"]) if data.get("since") else None,
        until=_midnight(data["until"]) if data.get("until") else None,
    )
    after = request.GET.get("after", "")
    page = trail_page(entries_where(actor, wanted), after, until=wanted.until)
    today = timezone.now().date()
    context = {
        "form": form,
        "page": page,
        "steps": page.steps,
        "names": called_of((step.entry.object_type, step.entry.object_id) for step in page.steps),
        "is_first": not after,
        "is_narrowed": any(data.get(name) for name in form.fields),
        "spans": [
            (gettext("today"), today),
            (gettext("last 7 days"), today - timedelta(days=6)),
            (gettext("last 30 days"), today - timedelta(days=29)),
        ],
    }
    return render(request, "bookings/audit/trail.html", context)


def _midnight(day: datetime) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()))


@login_required
def story(request: HttpRequest, object_id: UUID) -> HttpResponse:
    actor = actor_of(request.user)
    found = readable_story(actor, object_id)
    if not found:
        raise NotFound
    kinds = {step.entry.object_id: step.entry.object_type for step in found}
    kind = kinds.get(object_id, "reservation")
    context = {
        "object_id": object_id,
        "kind": kind,
        "names": called_of([(kind, object_id)]),
        "has_page": has_page(actor, kind, object_id),
        "story": found,
    }
    return render(request, "bookings/audit/story.html", context)
