"""The page of all settings that are data."""

from itertools import groupby

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts.permissions import actor_of
from accounts.views.pages import reads
from bookings.operations.selectors.settings import GROUPS, load_settings


@reads
def settings(request: HttpRequest) -> HttpResponse:
    """List the settings that are data with today's values, and lead to where each is changed."""
    rows = load_settings(actor_of(request.user), timezone.now())
    by_group = groupby(rows, key=lambda row: row.group)
    groups = [(group, *GROUPS[group], list(held)) for group, held in by_group]
    return render(request, "bookings/operations/settings.html", {"groups": groups})
