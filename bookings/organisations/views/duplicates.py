"""Records that look like the same instrument, to be kept apart or merged."""

from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext

from accounts.domain.errors import NotPermitted
from accounts.domain.roles import By
from accounts.permissions import actor_of
from accounts.views.pages import act, chooses, reads, writes
from bookings.organisations.forms.duplicates import DuplicatesForm
from bookings.organisations.services.duplicates import duplicates_merge
from instruments.managing.selectors.duplicates import SETTLE, load_likely_duplicates, verdicts_for
from instruments.managing.services.duplicates import duplicates_keep

LATEST = 30  # verdicts shown


@reads
def duplicates(request: HttpRequest) -> HttpResponse:
    return _page(request)


@writes
@chooses("apart", "first", "second")
def decide(request: HttpRequest, choice: str) -> HttpResponse:
    keeps_both = choice == "apart"

    def work(by: By, data: dict[str, Any]) -> None:
        ids = [data["first"], data["second"]]
        if keeps_both:
            duplicates_keep(by, instrument_ids=ids, note=data["note"])
        else:
            keeper, loser = ids if choice == "first" else reversed(ids)
            duplicates_merge(by, keeper_id=keeper, loser_id=loser, note=data["note"])

    return act(
        request,
        partial(_page, request),
        work,
        to=reverse("bookings:duplicates"),
        done=gettext("Kept as two instruments. They are not suggested as duplicates again.")
        if keeps_both
        else gettext("Merged. The other record is retired and redirects to this one."),
        form=DuplicatesForm(request.POST),
    )


def _page(
    request: HttpRequest, *, status: int = 200, form: DuplicatesForm | None = None, **context: Any
) -> HttpResponse:
    actor = actor_of(request.user)
    if not (actor.organisations_where(SETTLE) or actor.regions_where(SETTLE)):
        raise NotPermitted(capability=SETTLE)
    context |= {
        "pairs": load_likely_duplicates(actor),
        "verdicts": list(verdicts_for(actor)[:LATEST]),
        "form": form,
        "decided": (form.data.get("first"), form.data.get("second")) if form else None,
    }
    return render(request, "bookings/organisations/duplicates.html", context, status=status)
