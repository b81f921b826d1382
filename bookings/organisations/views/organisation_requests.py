"""My organisation is missing: asking for it, and deciding on it."""

from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext

from accounts.domain.errors import Invalid, NotFound
from accounts.domain.roles import By, Place
from accounts.models import Organisation, OrganisationRequest
from accounts.permissions import actor_of, require, require_somewhere
from accounts.selectors.organisations import (
    likely_same,
    managed_regions,
    organisation_by_code,
    organisation_request_by_id,
    organisation_requests,
    organisation_requests_for,
    organisation_requests_to_decide,
    sharing_regions,
)
from accounts.services.organisation_requests import (
    organisation_approve,
    organisation_ask,
    organisation_reject,
    organisation_request_withdraw,
)
from accounts.views.pages import act, by_of, edits, reads, shown, writes
from bookings.organisations.forms.organisations import AnswerForm, MissingForm, OrganisationForm
from bookings.organisations.views.organisations import tabs_of

PAGE = 50
ANSWERED = 10  # of one's own that were answered


@edits
def missing(request: HttpRequest) -> HttpResponse:
    """Ask for an organisation that is not there; one's own requests."""
    form = MissingForm(
        request.POST if request.method == "POST" else None,
        regions=sharing_regions().filter(closed_at=None).order_by("name", "code"),
        initial={"name": request.GET.get("q", "")[:200].replace("\0", "")},
    )
    own = organisation_requests().filter(user_id=actor_of(request.user).person)
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
    """Take back one's own request."""
    organisation_request_withdraw(by_of(request), request_id=request_id)
    messages.success(request, gettext("Your request is withdrawn."))
    return redirect("bookings:organisation-missing")


@reads
def listed(request: HttpRequest) -> HttpResponse:
    """What waits for the reader, and what was decided."""
    actor = actor_of(request.user)
    require_somewhere(actor, "manage-organisations")
    decided = organisation_requests_for(actor).exclude(state="requested").order_by("-decided_at")
    context = {
        "waiting": organisation_requests_to_decide(actor),
        "page": Paginator(decided, PAGE).get_page(request.GET.get("page")),
        "tabs": tabs_of(request),
    }
    return render(request, "bookings/organisations/organisation_requests.html", context)


@edits
def one(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """One request: POST enters the organisation, names one that is there, or declines."""
    actor = actor_of(request.user)
    row = organisation_request_by_id(actor, request_id)
    require(actor, "manage-organisations", Place(None, frozenset(row.region.lineage)))
    choice = request.POST.get("act", "")
    initial = {name: getattr(row, name) for name in ("name", "name_zh", "kind", "ror")}
    form = OrganisationForm(
        request.POST if choice == "enter" else None,
        regions=managed_regions(actor),
        initial=initial | {"region": str(row.region_id)},
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
            "alike": likely_same(row.name, row.name_zh, row.ror) if is_open else [],
            **context,
        }
        return shown(request, "bookings/organisations/organisation_request.html", **context)

    def work(by: By, data: dict[str, Any]) -> None:
        match choice:
            case "enter":
                organisation_approve(by, request_id=row.pk, entered=form.values())
            case "name":
                organisation = _organisation_named(answer)
                organisation_approve(by, request_id=row.pk, organisation=organisation)
            case "reject":
                organisation_reject(by, request_id=row.pk, reason=data["reason"])

    if request.method == "POST" and choice not in {"enter", "name", "reject"}:
        return page(status=400)
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


def _organisation_named(answer: AnswerForm) -> Organisation:
    """The organisation of the code; `Invalid`, said at the field, where there is none."""
    try:
        return organisation_by_code(answer.cleaned_data["organisation"])
    except NotFound:
        answer.add_error("organisation", gettext("There is no organisation of this code."))
        raise Invalid([]) from None
