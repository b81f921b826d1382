"""Requests that wait for a manager's word: a list, and one of them with all there is to know."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.domain.errors import Invalid, NotPermitted, WrongState, WrongVersion
from accounts.domain.roles import Actor, By
from accounts.permissions import actor_of
from bookings.record.domain.refusals import RulesRefuse
from bookings.record.messages import sentence
from bookings.record.models import Reservation
from bookings.record.selectors.reservations import requests_to_decide
from bookings.reserving.forms.reservations import DecideForm, DecideManyForm
from bookings.reserving.selectors.requests import load_quotes, load_request
from bookings.reserving.services.reservations import requests_decide, reservation_decide

MOST = 200  # in the list, the most urgent


@login_required
@require_safe
def requests(request: HttpRequest) -> HttpResponse:
    """The inbox, the most urgent first. `of` is the one that is opened."""
    return _page(request, status=200, of=request.GET.get("of", ""))


@login_required
@require_POST
def decide(request: HttpRequest, reservation_id: UUID) -> HttpResponse:
    """The word on one; the next one is opened after it."""
    now, actor = timezone.now(), actor_of(request.user)
    form = DecideForm(request.POST)
    shown: dict[str, Any] = {"of": str(reservation_id), "form": form}
    if not form.is_valid():
        return _page(request, status=400, **shown)
    data = form.cleaned_data
    following = _following(actor, reservation_id, now)
    try:
        made = reservation_decide(
            By(actor, now, data["version"]),
            reservation_id=reservation_id,
            approve=data["approve"],
            reason=data["reason"],
        )
    except WrongState as refused:
        text = sentence(refused.code, refused.numbers)
        return _page(request, status=409, refused=text, **shown)
    except WrongVersion as refused:
        text = sentence(refused.code, refused.numbers)
        return _page(request, status=412, refused=text, **shown)
    except RulesRefuse as refused:
        text = " ".join(sentence(r.code, r.numbers) for r in refused.refusals)
        return _page(request, status=409, refused=text, **shown)
    except Invalid as refused:
        form.refuse(refused.problems)
        return _page(request, status=400, **shown)
    if made.state == "confirmed":
        text = gettext("Accepted. {person} is notified by mail.")
    else:
        text = gettext("Declined. {person} is notified by mail, with your reason.")
    messages.success(request, text.format(person=made.user))
    query = {"of": following} if following else {}
    return redirect(reverse("bookings:requests", query=query))


@login_required
@require_POST
def decide_many(request: HttpRequest) -> HttpResponse:
    """One word on several; what could not be decided is named, and stays in the list."""
    now, actor = timezone.now(), actor_of(request.user)
    waiting = _waiting(actor, now)
    form = DecideManyForm(request.POST, waiting=waiting)
    if not form.is_valid():
        return _page(request, status=400, many=form)
    data = form.cleaned_data
    done, refused = requests_decide(
        By(actor, now), requests=form.asked(), approve=data["approve"], reason=data["reason"]
    )
    if done and data["approve"]:
        text = ngettext("{n} request accepted.", "{n} requests accepted.", len(done))
        messages.success(request, text.format(n=len(done)))
    elif done:
        text = ngettext("{n} request declined.", "{n} requests declined.", len(done))
        messages.success(request, text.format(n=len(done)))
    by_id = {row.pk: row for row in waiting}
    for pk, error in refused:
        row = by_id[pk]
        rules = error.refusals if isinstance(error, RulesRefuse) else [error]
        text = " ".join(sentence(rule.code, rule.numbers) for rule in rules)
        messages.error(request, f"{row.user}, {row.instrument}: {text}")
    return redirect("bookings:requests")


def _waiting(actor: Actor, now: Any) -> list[Reservation]:
    if not actor.organisations_where("manage-instruments"):
        raise NotPermitted(capability="manage-instruments")
    found = requests_to_decide(actor, now).select_related(
        "instrument__policy", "instrument__schedule"
    )
    return list(found[:MOST])


def _following(actor: Actor, reservation_id: UUID, now: Any) -> UUID | None:
    """The request that is next in the list, from the top again after the last."""
    ids = list(requests_to_decide(actor, now).values_list("pk", flat=True)[:MOST])
    if reservation_id not in ids:
        return None
    at = ids.index(reservation_id)
    return next(iter(ids[at + 1 :] + ids[:at]), None)


def _page(request: HttpRequest, *, status: int, of: str = "", **more: Any) -> HttpResponse:
    now, actor = timezone.now(), actor_of(request.user)
    rows = _waiting(actor, now)
    quotes = load_quotes(rows)
    at = next((n for n, row in enumerate(rows) if str(row.pk) == of), None)
    chosen = rows[at or 0] if rows else None
    context = {
        "rows": [(row, quotes.get(row.pk)) for row in rows],
        "most": MOST,
        "item": load_request(chosen, quotes.get(chosen.pk), now) if chosen else None,
        "is_chosen": at is not None,
        "number": (at or 0) + 1,
        "before": rows[at - 1] if at else None,
        "after": rows[(at or 0) + 1] if (at or 0) + 1 < len(rows) else None,
        "now": now,
        **more,
    }
    return render(request, "bookings/reserving/requests.html", context, status=status)
