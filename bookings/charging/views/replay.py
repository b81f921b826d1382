"""A charge computed again, line by line."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.permissions import actor_of
from bookings.charging.selectors.replay import charge_replay


@login_required
@require_safe
def charge(request: HttpRequest, charge_id: UUID) -> HttpResponse:
    """What is stored of a charge beside what its inputs come to now."""
    found = charge_replay(actor_of(request.user), charge_id)
    return render(
        request,
        "bookings/charging/charges_replay.html",
        {"charge": found.charge, "replay": found.replay},
    )
