"""Bringing in organisations and regions from a file: a preview of each row, then all or nothing."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_http_methods

from accounts.domain.errors import Invalid
from accounts.domain.roles import By, Place
from accounts.models import Organisation
from accounts.permissions import actor_of, require, require_somewhere
from bookings.organisations.domain.register_files import (
    ORGANISATION_COLUMNS,
    REGION_COLUMNS,
    RegisterRefused,
    RegisterReport,
)
from bookings.organisations.forms.organisations import OrganisationForm, RegionForm
from bookings.organisations.services.register_imports import organisations_import, regions_import
from bookings.plans.forms.imports import FileForm

KINDS = dict(Organisation.Kind.choices)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def organisations(request: HttpRequest) -> HttpResponse:
    require_somewhere(actor_of(request.user), "manage-organisations")
    context = {
        "of": "organisations",
        "columns": ORGANISATION_COLUMNS,
        "back": "bookings:organisations-all",
    }
    return _page(request, organisations_import, OrganisationForm, context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def regions(request: HttpRequest) -> HttpResponse:
    require(actor_of(request.user), "administer", Place(None))
    context = {"of": "regions", "columns": REGION_COLUMNS, "back": "bookings:regions"}
    return _page(request, regions_import, RegionForm, context)


def _page(
    request: HttpRequest,
    act: Callable[..., RegisterReport],
    record: type[Form],
    context: dict[str, Any],
) -> HttpResponse:
    now, actor = timezone.now(), actor_of(request.user)
    is_sent = request.method == "POST"
    form = FileForm(request.POST if is_sent else None, request.FILES if is_sent else None)
    dry_run = request.POST.get("act") != "import"
    status, report, is_refused = 200, None, False
    if is_sent and form.is_valid():
        try:
            content = form.cleaned_data["bytes"]
            report = act(By(actor, now), content=content, dry_run=dry_run)
            if not dry_run:
                messages.success(request, _done(report))
                return redirect(context["back"])
        except RegisterRefused as refused:
            report, status, is_refused = refused.report, 409, True
        except Invalid as problem:
            form.refuse(problem.problems)
    if is_sent and form.errors:
        status = 400
    labels = {name: field.label for name, field in record.base_fields.items()}
    context |= {
        "form": form,
        "report": report,
        "is_refused": is_refused,
        "rows": [
            {
                "outcome": outcome,
                "changes": [
                    (labels.get(name, name), _shown(before), _shown(after))
                    for name, before, after in outcome.changes
                ],
                "problems": [(labels.get(p.field, ""), p) for p in outcome.problems],
            }
            for outcome in (report.outcomes if report else ())
        ],
        "columns": [(labels[name], names) for name, names in context["columns"].items()],
    }
    return render(request, "bookings/organisations/register_import.html", context, status=status)


def _shown(value: Any) -> Any:
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    return KINDS.get(value, value)


def _done(report: RegisterReport) -> str:
    """What was done, in words."""
    counts = (
        ngettext("{n} new", "{n} new", report.new).format(n=report.new),
        ngettext("{n} changed", "{n} changed", report.changed).format(n=report.changed),
        ngettext("{n} unchanged", "{n} unchanged", report.unchanged).format(n=report.unchanged),
    )
    return gettext("Imported: {counts}.").format(counts=gettext(", ").join(counts))
