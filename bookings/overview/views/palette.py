"""The command palette: pages, instruments, bookings, money, organisations and people by a few letters."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from accounts.views.pages import by_of
from bookings.overview.selectors.palette import load_hits


@require_safe
def palette(request: HttpRequest) -> HttpResponse:
    """Return the palette's options for a text; without a text, the pages of the reader's navigation."""
    by, text = by_of(request), request.GET.get("q", "").strip()
    pages = [(gettext("Map of instruments"), reverse("bookings:map"))]
    if by.actor.user_id:
        pages += [
            (gettext("My lists"), reverse("bookings:lists")),
            (gettext("Saved searches"), reverse("bookings:searches")),
            (gettext("Messages"), reverse("accounts:messages")),
            (gettext("Profile and tokens"), reverse("accounts:profile")),
        ]
    context = {"text": text, "pages": pages, "hits": load_hits(by, text)}
    return render(request, "bookings/overview/palette.html", context)
