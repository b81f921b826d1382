"""Many drafts at once: what they lack from one instrument that is set up, then published."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.domain.errors import NotPermitted, Refused
from accounts.domain.roles import By
from accounts.views.pages import by_of, edits, sent
from instruments.domain.quality import Incomplete
from instruments.forms.publishing import MOST_DRAFTS, DraftsForm
from instruments.models import Instrument
from instruments.selectors.managing import DRAFTING, load_standings
from instruments.selectors.registry import managed_instruments
from instruments.services.drafts import draft_complete
from instruments.services.publishing import instrument_publication


@edits
def drafts(request: HttpRequest) -> HttpResponse:
    """List one's drafts and what each lacks; POST completes those chosen from a template, and
    publishes them if asked to. Each is done, or refused, by itself: the page says which."""
    by = by_of(request)
    if not by.actor.organisations_where("manage-instruments"):
        raise NotPermitted(capability="manage-instruments")
    managed = managed_instruments(by.actor)
    waiting = managed.filter(publication__in=DRAFTING)
    templates = managed.filter(publication="published", policy__isnull=False)
    form = DraftsForm(sent(request), drafts=waiting, templates=templates)
    results: dict[UUID, dict[str, Any]] = {}
    if form.is_bound and form.is_valid():
        results = {row.pk: _done(by, row, form.cleaned_data) for row in form.cleaned_data["drafts"]}
    left = list(waiting[:MOST_DRAFTS])
    shown = [*(row for row in managed.filter(pk__in=results) if row not in left), *left]
    context = {
        "form": form,
        "rows": [(each, results.get(each.instrument.pk)) for each in load_standings(shown, by.now)],
        "number": waiting.count(),
        "most": MOST_DRAFTS,
        "published": sum(one["is_published"] for one in results.values()),
        "results": results,
    }
    status = 400 if form.is_bound and not form.is_valid() else 200
    return render(request, "instruments/drafts.html", context, status=status)


def _done(by: By, row: Instrument, data: dict[str, Any]) -> dict[str, Any]:
    """What became of one: what it got, whether it is published, and what refused it."""
    result: dict[str, Any] = {"got": (), "is_published": False, "lacks": (), "refused": None}
    try:
        if data["template"]:
            template = data["template"].pk
            result["got"] = draft_complete(by, instrument_id=row.pk, template_id=template)
        if data["publish"]:
            instrument_publication(by, instrument_id=row.pk, act="publish")
            result["is_published"] = True
    except Incomplete as refused:
        result["lacks"] = refused.missing
    except Refused as refused:
        result["refused"] = refused
    return result
