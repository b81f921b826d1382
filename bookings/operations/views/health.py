"""The page that says how the installation is."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext

from accounts.domain.roles import Place
from accounts.permissions import actor_of, require
from accounts.views.pages import reads, shown, writes
from bookings.operations.services.health import examine, load_health


@reads
def health(request: HttpRequest) -> HttpResponse:
    """Show administrators what `manage.py doctor` finds."""
    require(actor_of(request.user), "administer", Place(None))
    now = timezone.now()
    return shown(request, "bookings/operations/health.html", health=load_health(now), now=now)


@writes
def health_examine(request: HttpRequest) -> HttpResponse:
    """Examine the installation now."""
    require(actor_of(request.user), "administer", Place(None))
    examine()
    messages.success(request, gettext("Examined."))
    return redirect("bookings:operations-health")
