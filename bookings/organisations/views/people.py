"""Inviting the people of a file: what becomes of each row, then all of them or nobody."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from accounts.domain.errors import NotPermitted
from accounts.domain.people import PeopleRefused, Verdict
from accounts.domain.roles import By
from accounts.models import Organisation
from accounts.permissions import actor_of, require_somewhere
from accounts.selectors.memberships import place_of
from accounts.selectors.organisations import organisation_by_id
from accounts.services.people import people_invite
from bookings.plans.adapters.tables import read_people
from bookings.plans.forms.imports import FileForm
from bookings.record.messages import sentence
from instruments.domain.delimited import FileRefused


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def members(request: HttpRequest, organisation_id: UUID) -> HttpResponse:
    """People of one organisation."""
    actor = actor_of(request.user)
    organisation = organisation_by_id(organisation_id)
    place = place_of(organisation)
    if not (actor.may("manage-members", place) or actor.may("manage-organisations", place)):
        raise NotPermitted
    return _page(request, organisation)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def people(request: HttpRequest) -> HttpResponse:
    """People of several organisations, which each row names."""
    try:
        require_somewhere(actor_of(request.user), "manage-members")
    except NotPermitted:
        require_somewhere(actor_of(request.user), "manage-organisations")
    return _page(request, None)


def _page(request: HttpRequest, organisation: Organisation | None) -> HttpResponse:
    actor, is_sent = actor_of(request.user), request.method == "POST"
    form = FileForm(request.POST if is_sent else None, request.FILES if is_sent else None)
    status, report, is_refused = 200, None, False
    if is_sent and form.is_valid():
        try:
            report = people_invite(
                By(actor, timezone.now()),
                rows=read_people(form.cleaned_data["bytes"]),
                organisation=organisation,
                dry_run=request.POST.get("act") != "invite",
            )
        except FileRefused as refused:
            form.add_error("file", sentence(refused.code, refused.numbers))
        except PeopleRefused as refused:
            report, status, is_refused = refused.report, 409, True
        else:
            if request.POST.get("act") == "invite":
                n = report.count(Verdict.INVITE)
                text = ngettext("{n} person is invited.", "{n} people are invited.", n)
                messages.success(request, text.format(n=n))
                if organisation is not None and actor.may("read-members", place_of(organisation)):
                    return redirect("accounts:members", organisation.pk)
                return redirect(request.path)
    if form.errors:
        status = 400
    context: dict[str, Any] = {
        "form": form,
        "organisation": organisation,
        "report": report,
        "counts": {verdict.value: report.count(verdict) for verdict in Verdict} if report else {},
        "is_refused": is_refused,
        "reads": organisation is not None and actor.may("read-members", place_of(organisation)),
    }
    return render(request, "bookings/organisations/people_import.html", context, status=status)
