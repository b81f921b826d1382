"""Requests for an organisation that is not in the register, and decisions on them."""

from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.text import slugify
from django.utils.translation import gettext

from accounts.domain.errors import NotFound, invalid
from accounts.domain.roles import By, Place
from accounts.models import Organisation, OrganisationRequest
from accounts.permissions import actor_of, require, require_somewhere
from accounts.selectors import organisations
from accounts.services.organisation_requests import (
    organisation_approve,
    organisation_ask,
    organisation_reject,
    organisation_request_withdraw,
)
from accounts.views.pages import act, by_of, chooses, edits, reads, shown, writes
from bookings.organisations.forms.organisations import AnswerForm, MissingForm, OrganisationForm
from bookings.organisations.views.organisations import tabs_of

PAGE = 50
ANSWERED = 10  # answered requests of the reader that are shown


@edits
def missing(request: HttpRequest) -> HttpResponse:
    """Request an organisation that is not in the register, and list the reader's own requests."""
    form = MissingForm(
        request.POST if request.method == "POST" else None,
        regions=organisations.sharing_regions().filter(closed_at=None).order_by("name", "code"),
        initial={"name": request.GET.get("q", "")[:200].replace("\0", "")},
    )
    own = organisations.organisation_requests().filter(user_id=actor_of(request.user).person)
    own = own.order_by("-created_at")
    return act(
        request,
        partial(
            shown,
            request,
            "bookings/organisations/organisation_missing.html",
            open=own.filter(state="requested"),
            answered=own.exclude(state__in=("requested", "withdrawn"))[:ANSWERED],
        ),
        lambda by, _: organisation_ask(by, **form.values()),
        to=reverse("bookings:organisation-missing"),
        done=gettext("Sent. You will get a mail when it is decided."),
        form=form,
    )


@writes
def withdraw(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Withdraw the reader's own request."""
    organisation_request_withdraw(by_of(request), request_id=request_id)
    messages.success(request, gettext("Your request is withdrawn."))
    return redirect("bookings:organisation-missing")


@reads
def listed(request: HttpRequest) -> HttpResponse:
    """List the requests that wait for the reader, and those already decided."""
    actor = actor_of(request.user)
    require_somewhere(actor, "manage-organisations")
    decided = (
        organisations.organisation_requests_for(actor).exclude(state="requested").order_by("-decided_at")
    )
    context = {
        "waiting": organisations.organisation_requests_to_decide(actor),
        "page": Paginator(decided, PAGE).get_page(request.GET.get("page")),
        "tabs": tabs_of(request),
    }
    return render(request, "bookings/organisations/organisation_requests.html", context)


@edits
@chooses("enter", "name", "reject")
def one(request: HttpRequest, request_id: UUID, choice: str) -> HttpResponse:
    """Show one request; POST enters the organisation, names an existing one, or declines."""
    actor = actor_of(request.user)
    row = organisations.organisation_request_by_id(actor, request_id)
    require(actor, "manage-organisations", Place(None, frozenset(row.region.lineage)))
    initial = {name: getattr(row, name) for name in ("name", "name_zh", "kind", "ror")}
    form = OrganisationForm(
        request.POST if choice == "enter" else None,
        regions=organisations.managed_regions(actor),
        initial=initial | {"region": str(row.region_id), "code": slugify(row.name)[:30].strip("-")},
    )
    answer = AnswerForm(request.POST if choice in {"name", "reject"} else None)

    def page(**context: Any) -> HttpResponse:
        is_open = row.state == OrganisationRequest.State.REQUESTED
        context = {
            "row": row,
            "is_open": is_open,
            "is_own": row.user_id == actor.user_id,
            "form": form,
            "answer": answer,
            "act": choice,
            "alike": organisations.likely_same(row.name, row.name_zh, row.ror) if is_open else [],
            **context,
        }
        return shown(request, "bookings/organisations/organisation_request.html", **context)

    def work(by: By, data: dict[str, Any]) -> None:
        match choice:
            case "enter":
                organisation_approve(by, request_id=row.pk, entered=form.values())
            case "name":
                organisation_approve(by, request_id=row.pk, organisation=_organisation_of(answer))
            case "reject":
                organisation_reject(by, request_id=row.pk, reason=data["reason"])

    return act(
        request,
        page,
        work,
        to=reverse("bookings:organisation-requests"),
        done=gettext("Declined.") if choice == "reject" else gettext("Approved."),
        form=form if choice == "enter" else answer,
        name="form" if choice == "enter" else "answer",
        raises=(NotFound,),
    )


def _organisation_of(answer: AnswerForm) -> Organisation:
    """Return the organisation that the answer names; raise `Invalid` for the field if it names none."""
    organisation: Organisation | None = answer.cleaned_data["organisation"]
    if organisation is None:
        raise invalid("organisation", "required")
    return organisation
