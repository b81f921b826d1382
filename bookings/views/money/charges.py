"""What ended bookings cost."""

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.permissions import actor_of
from bookings.selectors.charges import charges_for

PAGE = 30


@login_required
@require_safe
def charges(request: HttpRequest) -> HttpResponse:
    """One's own and those of one's organisation or regions, the newest first."""
    actor = actor_of(request.user)
    page = Paginator(charges_for(actor), PAGE).get_page(request.GET.get("page"))
    return render(request, "bookings/money/charges.html", {"page": page})
