"""Requests that wait for a manager's word."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from accounts.domain.errors import Invalid, NotPermitted, WrongState, WrongVersion
from accounts.permissions import actor_of
from bookings.domain.refusals import RulesRefuse
from bookings.forms import DecideForm
from bookings.messages import sentence
from bookings.selectors.requests import load_requests
from bookings.selectors.reservations import requests_to_decide
from bookings.services.reservations import reservation_decide

PAGE = 20


@login_required
@require_safe
def requests(request: HttpRequest) -> HttpResponse:
    """The inbox, the most urgent first."""
    return _page(request, status=200)


@login_required
@require_POST
def decide(request: HttpRequest, reservation_id: UUID) -> HttpResponse:
    now, actor = timezone.now(), actor_of(request.user)
    form = DecideForm(request.POST)
    if not form.is_valid():
        return _page(request, status=400, decided=reservation_id, form=form)
    data = form.cleaned_data
    try:
        made = reservation_decide(
            actor=actor,
            reservation_id=reservation_id,
            approve=data["approve"],
            reason=data["reason"],
            expected_version=data["version"],
            now=now,
        )
    except WrongState as refused:
        text = sentence(refused.code, refused.numbers)
        return _page(request, status=409, decided=reservation_id, form=form, refused=text)
    except WrongVersion as refused:
        text = sentence(refused.code, refused.numbers)
        return _page(request, status=412, decided=reservation_id, form=form, refused=text)
    except RulesRefuse as refused:
        text = " ".join(sentence(r.code, r.numbers) for r in refused.refusals)
        return _page(request, status=409, decided=reservation_id, form=form, refused=text)
    except Invalid as refused:
        form.refuse(refused.problems)
        return _page(request, status=400, decided=reservation_id, form=form)
    if made.state == "confirmed":
        text = gettext("Accepted. {person} is told by mail.")
    else:
        text = gettext("Declined. {person} is told by mail, with your reason.")
    messages.success(request, text.format(person=made.user))
    return redirect("bookings:requests")


def _page(request: HttpRequest, *, status: int, **more: Any) -> HttpResponse:
    now, actor = timezone.now(), actor_of(request.user)
    if not actor.organisations_where("manage-instruments"):
        raise NotPermitted(capability="manage-instruments")
    found = requests_to_decide(actor, now).select_related("instrument__policy")
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    items = load_requests(list(page.object_list), now)
    context = {"page": page, "items": items, "now": now, **more}
    return render(request, "bookings/requests.html", context, status=status)
