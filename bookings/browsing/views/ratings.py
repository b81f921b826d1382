"""The page of an instrument's ratings."""

from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.permissions import actor_of
from accounts.views.pages import reads
from bookings.browsing.forms.catalogue import RatingsForm
from bookings.browsing.selectors.ratings import ratings_of
from instruments.register.selectors.registry import instrument_to_manage


@reads
def ratings(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    """Show the ratings and remarks of an instrument to its managers."""
    instrument = instrument_to_manage(actor_of(request.user), instrument_id)
    form = RatingsForm(request.GET)
    form.is_valid()
    chosen = {name: form.cleaned_data.get(name) for name in form.fields}
    shown = ratings_of(instrument, **chosen)
    context = {
        "instrument": instrument,
        "zone": instrument.facility.time_zone,
        "form": form,
        "is_filtered": any(chosen.values()),
        "count": shown.count,
        "mean": shown.mean,
        "page": Paginator(shown.sessions, 50).get_page(request.GET.get("page")),
    }
    return render(request, "bookings/browsing/ratings.html", context)
