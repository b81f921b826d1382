"""The page that recomputes a charge, line by line."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.permissions import actor_of
from accounts.views.pages import reads
from bookings.charging.selectors.replay import charge_replay


@reads
def charge(request: HttpRequest, charge_id: UUID) -> HttpResponse:
    """Show what is stored of a charge beside the result of recomputing it from its inputs."""
    replayed = charge_replay(actor_of(request.user), charge_id)
    return render(
        request,
        "bookings/charging/charges_replay.html",
        {"charge": replayed.charge, "replay": replayed.replay},
    )
