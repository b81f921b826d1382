"""Bringing in a calendar that was kept elsewhere: the file, what would become of each row, doing
it."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from accounts.domain.errors import Invalid
from accounts.domain.roles import By
from accounts.permissions import actor_of
from accounts.selectors.memberships import organisations_of, place_of
from bookings.plans.domain.imports import ON_REFUSED, ImportReport, RowsRefused
from bookings.plans.forms.imports import ImportForm
from bookings.plans.selectors.imports import load_shown
from bookings.plans.services.imports import bookings_import

_LABELS = {
    "instrument": _("Instrument"),
    "starts": _("Start"),
    "ends": _("End"),
    "minutes": _("Minutes"),
    "person": _("Person"),
    "service_mode": _("Service"),
    "purpose": _("Purpose"),
    "subject": _("What will you do?"),
    "options": _("Options"),
    "samples": _("Samples"),
    "quantity": _("Number of samples"),
    "reference": _("Reference"),
}


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def bring_in(request: HttpRequest) -> HttpResponse:
    """The form; POST says row by row what would happen, or with `act` skip or refuse does it."""
    now, actor = timezone.now(), actor_of(request.user)
    payers = [
        payer
        for payer in organisations_of(actor)
        if actor.may("book", place_of(payer)) or actor.may("book-for-members", place_of(payer))
    ]
    if not payers:
        return render(
            request, "bookings/reserving/no_organisation.html", {"payer": None}, status=403
        )
    is_sent = request.method == "POST"
    form = ImportForm(
        request.POST if is_sent else None, request.FILES if is_sent else None, payers=payers
    )
    manages = bool(actor.organisations_where("manage-instruments"))
    status, report, is_refused = 200, None, False
    act = request.POST.get("act", "preview")
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            report = bookings_import(
                By(actor, now),
                content=data["bytes"],
                file_name=data["name"],
                organisation=data["organisation"],
                encoding=data["encoding"] or "utf-8",
                on_refused=act if act in ON_REFUSED else "refuse",
                dry_run=act not in ON_REFUSED,
            )
            if act in ON_REFUSED:
                messages.success(request, _brought(report))
                own = {o.person for o in report.outcomes if o.person} <= {actor.user_id}
                return redirect("bookings:mine" if own or not manages else "bookings:board")
        except RowsRefused as refused:
            report, status, is_refused = refused.report, 409, True
        except Invalid as problem:
            form.refuse(problem.problems)
    if request.method == "POST" and form.errors:
        status = 400
    context: dict[str, Any] = {
        "form": form,
        "report": report,
        "rows": _rows(report),
        "is_refused": is_refused,
        "back": "bookings:board" if manages else "bookings:mine",
    }
    return render(request, "bookings/plans/import.html", context, status=status)


def _rows(report: ImportReport | None) -> list[dict[str, Any]]:
    """The rows with what they name, in their order."""
    if report is None:
        return []
    instruments, people = load_shown(report)
    blank: UUID | None = None
    return [
        {
            "outcome": outcome,
            "instrument": instruments.get(outcome.instrument or blank),
            "person": people.get(outcome.person or blank),
            "problems": [(_LABELS.get(p.field, ""), p) for p in outcome.problems],
        }
        for outcome in report.outcomes
    ]


def _brought(report: ImportReport) -> str:
    """What was done, in words."""
    said = [
        ngettext("{n} row booked.", "{n} rows booked.", report.booked).format(n=report.booked)
        if report.booked
        else gettext("Nothing new was booked.")
    ]
    if report.waiting:
        said.append(
            ngettext(
                "{n} of them waits for the owner's answer.",
                "{n} of them wait for the owner's answer.",
                report.waiting,
            ).format(n=report.waiting)
        )
    if report.unchanged:
        said.append(
            ngettext(
                "{n} row was imported before.", "{n} rows were imported before.", report.unchanged
            ).format(n=report.unchanged)
        )
    if report.refused:
        said.append(
            ngettext("{n} row was refused.", "{n} rows were refused.", report.refused).format(
                n=report.refused
            )
        )
    return " ".join(said)
