"""Pages for auditors: the trail, and the story of one record."""

from datetime import date, datetime, time, timedelta
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext

from accounts.domain.errors import NotFound
from accounts.letters.words import named
from accounts.permissions import actor_of
from accounts.views.pages import reads
from bookings.audit.acts import act_choices
from bookings.audit.forms.trail import TrailForm
from bookings.audit.selectors import trail as trail_selectors
from bookings.audit.selectors.trail_records import called_of, has_page


@reads
def trail(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request.user)
    regions = [(region.code, named(region)) for region in trail_selectors.audited_regions(actor)]
    form = TrailForm(request.GET, acts=act_choices(), regions=regions)
    form.is_valid()
    data = form.cleaned_data
    act = data.get("action", "")
    query = trail_selectors.TrailQuery(
        object_id=data.get("record"),
        actor=data.get("person", ""),
        action=act,
        is_exact=not act.endswith("."),
        region=data.get("region", ""),
        since=midnight(data.get("since")),
        until=midnight(data.get("until")),
    )
    after = request.GET.get("after", "")
    page = trail_selectors.trail_page(trail_selectors.entries_where(actor, query), after, until=query.until)
    today = timezone.localdate()  # the reader's, as `midnight` is
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


def midnight(day: date | None) -> datetime | None:
    """Return the beginning of a day in the reader's time zone."""
    return timezone.make_aware(datetime.combine(day, time())) if day else None


@reads
def story(request: HttpRequest, object_id: UUID) -> HttpResponse:
    actor = actor_of(request.user)
    steps = trail_selectors.readable_story(actor, object_id)
    if not steps:
        raise NotFound
    kinds = {step.entry.object_id: step.entry.object_type for step in steps}
    kind = kinds.get(object_id, "reservation")
    context = {
        "object_id": object_id,
        "kind": kind,
        "names": called_of([(kind, object_id)]),
        "has_page": has_page(actor, kind, object_id),
        "story": steps,
    }
    return render(request, "bookings/audit/story.html", context)
