"""The operators' page: queues, the timetable, what failed."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from accounts.domain.errors import Invalid
from accounts.domain.roles import Place
from accounts.permissions import actor_of, require
from accounts.services.jobs import failure_retry, failures_retry
from accounts.views.pages import by_of, reads, writes
from bookings.overview.selectors.operations import load_operations


@reads
def operations(request: HttpRequest) -> HttpResponse:
    """Show administrators how the background work is going."""
    require(actor_of(request.user), "administer", Place(None))
    now, failing = timezone.now(), request.GET.get("failing", "")[:60]
    state = load_operations(now, failing.replace("\0", ""))
    return render(
        request, "bookings/overview/operations.html", {"state": state, "failing": failing, "now": now}
    )


@writes
def retry(request: HttpRequest, failure_id: UUID) -> HttpResponse:
    """Retry one failure."""
    failure_retry(by_of(request), failure_id=failure_id)
    messages.success(request, gettext("Retrying now."))
    return redirect("bookings:operations")


@writes
def retry_all(request: HttpRequest) -> HttpResponse:
    """Retry all failures of a kind."""
    name = request.POST.get("name", "")[:60].replace("\0", "")
    try:
        count = failures_retry(by_of(request), name=name)
    except Invalid:
        messages.warning(request, gettext("No more failures of this kind."))
    else:
        text = ngettext("Retrying %(n)d now.", "Retrying %(n)d now.", count)
        messages.success(request, text % {"n": count})
    return redirect("bookings:operations")
