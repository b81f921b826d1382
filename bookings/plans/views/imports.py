"""Importing a calendar that was kept elsewhere: choosing the file, a preview of each row, the import."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts.domain.errors import Refused
from accounts.permissions import actor_of
from accounts.selectors.memberships import organisations_of
from accounts.views.pages import act, chooses, edits
from bookings.catalogue.views.payers import may_book_for, no_organisation
from bookings.plans.domain.imports import ON_REFUSED, ImportReport, RowsRefused
from bookings.plans.forms.imports import ImportForm
from bookings.plans.selectors.imports import load_shown
from bookings.plans.services.imports import bookings_import
from bookings.questions.selectors.questions import owing_at_booking

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


@edits
@chooses("preview", *ON_REFUSED)
def bring_in(request: HttpRequest, choice: str) -> HttpResponse:
    """Show the form; POST previews what would become of each row, or imports the file."""
    actor = actor_of(request.user)
    payers = [payer for payer in organisations_of(actor) if may_book_for(actor, payer)]
    if not payers:
        return no_organisation(request, None)
    is_sent = request.method == "POST"
    form = ImportForm(request.POST if is_sent else None, request.FILES if is_sent else None, payers=payers)
    manages = bool(actor.scope_where("manage-instruments"))
    is_preview = choice == "preview"

    def page(
        status: int = 200, refused: Refused | None = None, report: ImportReport | None = None, **_form: Any
    ) -> HttpResponse:
        if isinstance(refused, RowsRefused):
            report = refused.report
        context: dict[str, Any] = {
            "form": form,
            "report": report,
            "rows": (rows := _rows(report)),
            "owes_answers": bool(owing_at_booking({r["instrument"] for r in rows if r["instrument"]})),
            "is_refused": refused is not None,
            "back": "bookings:board" if manages else "bookings:mine",
        }
        return render(request, "bookings/plans/import.html", context, status=status)

    def to(report: ImportReport) -> HttpResponse:
        if is_preview:
            return page(report=report)
        is_own = {o.person for o in report.outcomes if o.person} <= {actor.user_id}
        return redirect("bookings:mine" if is_own or not manages else "bookings:board")

    return act(
        request,
        page,
        lambda by, data: bookings_import(
            by,
            content=data["bytes"],
            file_name=data["name"],
            organisation=data["organisation"],
            encoding=data["encoding"] or "utf-8",
            on_refused="refuse" if is_preview else choice,
            dry_run=is_preview,
        ),
        to=to,
        done=lambda report: "" if is_preview else _brought(report),
        form=form,
    )


def _rows(report: ImportReport | None) -> list[dict[str, Any]]:
    """Return the rows with the instruments and people that they name, in their order."""
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
    """Return a sentence that says what was imported."""
    booked, waiting = report.booked, report.waiting
    unchanged, refused = report.unchanged, report.refused
    counted = [
        (booked, ngettext("{n} row booked.", "{n} rows booked.", booked)),
        (
            waiting,
            ngettext(
                "{n} of them waits for the owner's answer.",
                "{n} of them wait for the owner's answer.",
                waiting,
            ),
        ),
        (unchanged, ngettext("{n} row was imported before.", "{n} rows were imported before.", unchanged)),
        (refused, ngettext("{n} row was refused.", "{n} rows were refused.", refused)),
    ]
    sentences = [text.format(n=number) for number, text in counted if number]
    return " ".join([*([] if booked else [gettext("Nothing new was booked.")]), *sentences])
