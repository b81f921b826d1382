"""A page to complete many drafts at once from one instrument that is fully set up, and to publish them."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.domain.errors import Refused
from accounts.domain.roles import By
from accounts.permissions import require_somewhere
from accounts.views.pages import by_of, edits, sent
from instruments.managing.domain.quality import Incomplete
from instruments.managing.forms.publishing import MOST_DRAFTS, DraftsForm
from instruments.managing.selectors.managing import DRAFTING, load_standings
from instruments.managing.services.drafts import draft_complete
from instruments.managing.services.publishing import instrument_publication
from instruments.register.models import Instrument
from instruments.register.selectors.registry import managed_instruments


@edits
def drafts(request: HttpRequest) -> HttpResponse:
    """List the reader's drafts and what each lacks. POST completes the chosen ones from a template, and
    publishes them if asked to. Each succeeds or fails by itself, and the page says which."""
    by = by_of(request)
    require_somewhere(by.actor, "manage-instruments")
    managed = managed_instruments(by.actor)
    waiting = managed.filter(publication__in=DRAFTING)
    # The first of a new facility is set up as a draft, so that all of them open on one day.
    templates = managed.filter(publication__in=(*DRAFTING, "published"), policy__isnull=False)
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
    """Complete one draft and return the outcome: what was copied, whether it is published, and what refused
    it."""
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
