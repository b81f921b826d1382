"""Importing organisations and regions from a file: a preview of each row, then all or nothing."""

from collections.abc import Callable, Mapping
from typing import Any

from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext, ngettext

from accounts.domain.errors import Refused
from accounts.domain.roles import Place
from accounts.models import Organisation
from accounts.permissions import actor_of, require, require_somewhere
from accounts.views.pages import act, chooses, edits, shown
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


@edits
@chooses("preview", "import")
def organisations(request: HttpRequest, choice: str) -> HttpResponse:
    require_somewhere(actor_of(request.user), "manage-organisations")
    back = "bookings:organisations-all"
    return _page(
        request, choice, organisations_import, OrganisationForm, "organisations", ORGANISATION_COLUMNS, back
    )


@edits
@chooses("preview", "import")
def regions(request: HttpRequest, choice: str) -> HttpResponse:
    require(actor_of(request.user), "administer", Place(None))
    return _page(request, choice, regions_import, RegionForm, "regions", REGION_COLUMNS, "bookings:regions")


def _page(
    request: HttpRequest,
    choice: str,
    service: Callable[..., RegisterReport],
    record: type[Form],
    of: str,
    columns: Mapping[str, Any],
    back: str,
) -> HttpResponse:
    is_sent = request.method == "POST"
    form = FileForm(request.POST if is_sent else None, request.FILES if is_sent else None)
    is_preview = choice == "preview"
    labels = {name: field.label for name, field in record.base_fields.items()}

    def page(report: RegisterReport | None = None, **context: Any) -> HttpResponse:
        context |= {
            "of": of,
            "back": back,
            "columns": [(labels[name], names) for name, names in columns.items()],
            "report": report,
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
        }
        return shown(request, "bookings/organisations/register_import.html", **context)

    def rows_refused(refused: Refused) -> dict[str, Any]:
        if not isinstance(refused, RegisterRefused):
            raise refused
        return {"report": refused.report, "is_refused": True}

    return act(
        request,
        page,
        lambda by, data: service(by, content=data["bytes"], dry_run=is_preview),
        to=lambda report: page(report, form=form) if is_preview else reverse(back),
        done=lambda report: "" if is_preview else _done(report),
        form=form,
        shows=rows_refused,
    )


def _shown(value: Any) -> Any:
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    return KINDS.get(value, value)


def _done(report: RegisterReport) -> str:
    """Return a sentence that says what was imported."""
    counts = (
        ngettext("{n} new", "{n} new", report.new).format(n=report.new),
        ngettext("{n} changed", "{n} changed", report.changed).format(n=report.changed),
        ngettext("{n} unchanged", "{n} unchanged", report.unchanged).format(n=report.unchanged),
    )
    return gettext("Imported: {counts}.").format(counts=gettext(", ").join(counts))
