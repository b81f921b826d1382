"""My organisation is missing: asking for it, and deciding on it."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.domain.errors import Invalid, NotFound, NotPermitted, Refused, WrongState
from accounts.domain.roles import By, Place
from accounts.models import OrganisationRequest
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
from bookings.organisations.forms.organisations import AnswerForm, MissingForm, OrganisationForm
from bookings.organisations.views.organisations import tabs_of

PAGE = 50
ANSWERED = 10  # of one's own that were answered


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def missing(request: HttpRequest) -> HttpResponse:
    """Ask for an organisation that is not there; one's own requests."""
    now, actor = timezone.now(), actor_of(request.user)
    regions = sharing_regions().filter(closed_at=None).order_by("name", "code")
    form = MissingForm(
        request.POST if request.method == "POST" else None,
        regions=regions,
        initial={"name": request.GET.get("q", "")[:200].replace("\0", "")},
    )
    refused: Refused | None = None
    if form.is_bound and form.is_valid():
        try:
            organisation_ask(By(actor, now), **form.values())
        except Invalid as problem:
            form.refuse(problem.problems)
        except WrongState as problem:
            refused = problem
        else:
            messages.success(request, gettext("Sent. You will get a mail when it is decided."))
            return redirect("bookings:organisation-missing")
    mine = organisation_requests().filter(user_id=actor.person).order_by("-created_at")
    context = {
        "form": form,
        "refused": refused,
        "open": mine.filter(state="requested"),
        "answered": mine.exclude(state__in=("requested", "withdrawn"))[:ANSWERED],
    }
    status = 409 if refused else 400 if form.errors else 200
    return render(
        request, "bookings/organisations/organisation_missing.html", context, status=status
    )


@login_required
@require_POST
def withdraw(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Take back one's own request."""
    organisation_request_withdraw(By(actor_of(request.user), timezone.now()), request_id=request_id)
    messages.success(request, gettext("Your request is withdrawn."))
    return redirect("bookings:organisation-missing")


@login_required
@require_safe
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


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def one(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """One request: POST enters the organisation, names one that is there, or declines."""
    now, actor = timezone.now(), actor_of(request.user)
    row = organisation_request_by_id(actor, request_id)
    require(actor, "manage-organisations", Place(None, frozenset(row.region.lineage)))
    act = request.POST.get("act", "")
    initial = {name: getattr(row, name) for name in ("name", "name_zh", "kind", "ror")}
    form = OrganisationForm(
        request.POST if act == "enter" else None,
        regions=managed_regions(actor),
        initial=initial | {"region": str(row.region_id)},
    )
    answer = AnswerForm(request.POST if act in {"name", "reject"} else None)
    refused: Refused | None = None
    if request.method == "POST":
        try:
            if _decided(act, row, form, answer, By(actor, now)):
                text = gettext("Declined.") if act == "reject" else gettext("Approved.")
                messages.success(request, text)
                return redirect("bookings:organisation-requests")
        except Invalid as problem:
            (form if act == "enter" else answer).refuse(problem.problems)
        except NotFound:
            answer.add_error("organisation", gettext("There is no organisation of this code."))
        except (WrongState, NotPermitted) as problem:
            refused = problem
    is_open = row.state == OrganisationRequest.State.REQUESTED
    context = {
        "row": row,
        "is_open": is_open,
        "is_own": row.user_id == actor.user_id,
        "form": form,
        "answer": answer,
        "act": act,
        "refused": refused,
        "alike": likely_same(row.name, row.name_zh, row.ror) if is_open else [],
    }
    status = 200
    if refused:
        status = 403 if isinstance(refused, NotPermitted) else 409
    elif request.method == "POST":
        status = 400
    return render(
        request, "bookings/organisations/organisation_request.html", context, status=status
    )


def _decided(
    act: str,
    row: OrganisationRequest,
    form: OrganisationForm,
    answer: AnswerForm,
    by: By,
) -> bool:
    """Whether the request was decided; where not, the forms say why."""
    match act:
        case "enter" if form.is_valid():
            organisation_approve(by, request_id=row.pk, entered=form.values())
        case "name" if answer.is_valid():
            organisation = organisation_by_code(answer.cleaned_data["organisation"])
            organisation_approve(by, request_id=row.pk, organisation=organisation)
        case "reject" if answer.is_valid():
            organisation_reject(by, request_id=row.pk, reason=answer.cleaned_data["reason"])
        case _:
            return False
    return True
