"""Records that look like the same instrument: keep them apart, or merge them."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from accounts.domain.errors import NotPermitted, Refused
from accounts.domain.roles import By
from accounts.permissions import actor_of
from bookings.organisations.forms.duplicates import DuplicatesForm
from bookings.organisations.services.duplicates import duplicates_merge
from bookings.record.messages import sentence
from instruments.domain.duplicates import MergedAlready, SameRecord
from instruments.domain.quality import StillBooked
from instruments.selectors.duplicates import SETTLE, load_likely_duplicates, verdicts_for
from instruments.selectors.registry import instrument_by_id
from instruments.services.duplicates import duplicates_keep

LATEST = 30  # verdicts shown


@login_required
@require_safe
def duplicates(request: HttpRequest) -> HttpResponse:
    return _page(request, status=200)


@login_required
@require_POST
def decide(request: HttpRequest) -> HttpResponse:
    now, actor = timezone.now(), actor_of(request.user)
    form = DuplicatesForm(request.POST)
    if not form.is_valid():
        return _page(request, status=400, form=form)
    data = form.cleaned_data
    ids = [data["first"], data["second"]]
    for instrument_id in ids:
        instrument_by_id(actor, instrument_id)
    try:
        if data["act"] == "apart":
            duplicates_keep(By(actor, now), instrument_ids=ids, note=data["note"])
            messages.success(
                request,
                gettext("Kept as two instruments. They are not suggested as duplicates again."),
            )
        else:
            keeper, loser = ids if data["act"] == "first" else reversed(ids)
            duplicates_merge(By(actor, now), keeper_id=keeper, loser_id=loser, note=data["note"])
            messages.success(
                request, gettext("Merged. The other record is retired and redirects to this one.")
            )
    except (StillBooked, SameRecord, MergedAlready) as refused:
        return _page(request, status=409, form=form, refused=refused)
    return redirect("bookings:duplicates")


def _page(
    request: HttpRequest,
    *,
    status: int,
    form: DuplicatesForm | None = None,
    refused: Refused | None = None,
) -> HttpResponse:
    actor = actor_of(request.user)
    if not (actor.organisations_where(SETTLE) or actor.regions_where(SETTLE)):
        raise NotPermitted(capability=SETTLE)
    context: dict[str, Any] = {
        "pairs": load_likely_duplicates(actor),
        "verdicts": list(verdicts_for(actor)[:LATEST]),
        "form": form,
        "decided": (form.data.get("first"), form.data.get("second")) if form else None,
        "refused": sentence(refused.code, refused.numbers) if refused else "",
    }
    return render(request, "bookings/organisations/duplicates.html", context, status=status)
