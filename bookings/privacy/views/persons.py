"""Pages for a person's own data: export it, or have it erased."""

from tempfile import SpooledTemporaryFile
from typing import Any, cast

from allauth.account.decorators import reauthentication_required
from django.contrib.auth import logout
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.permissions import actor_of
from accounts.views.pages import act, edits, reads, shown, writes
from accounts.views.profile import person
from bookings.audit.adapters.archive import archive_write
from bookings.privacy.forms.persons import CloseForm
from bookings.privacy.selectors.leaving import bookings_ahead, with_costs
from bookings.privacy.selectors.persons import load_obstacles
from bookings.privacy.services.persons import person_close, person_export

IN_MEMORY = 4_000_000  # bytes; a larger archive is written to a file


@reads
def data(request: HttpRequest) -> HttpResponse:
    return render(request, "bookings/privacy/person_data.html")


@writes
def export(request: HttpRequest) -> FileResponse:
    """Return the archive at once; it is written to memory or, if it is large, to a temporary file that is
    deleted once it is sent."""
    user, now = person(request), timezone.now()
    tables = person_export(user=user, now=now)
    out = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115  the response closes it
    archive_write(cast(Any, out), tables, email=user.email, now=now)
    out.seek(0)
    name = f"instrument-commons-{now:%Y-%m-%d}.zip"
    return FileResponse(out, as_attachment=True, filename=name, content_type="application/zip")


@edits
@never_cache
@reauthentication_required  # type: ignore[untyped-decorator]
def close(request: HttpRequest) -> HttpResponse:
    """Show what is deleted, what stays and what prevents closing the account; POST confirms and closes it."""
    user = person(request)

    def page(**context: Any) -> HttpResponse:
        now = timezone.now()
        context |= {
            "obstacles": load_obstacles(user, now),
            "ahead": with_costs(actor_of(user), bookings_ahead(user.pk, now), now),
        }
        return shown(request, "bookings/privacy/person_close.html", **context)

    def gone(_: int) -> HttpResponse:
        logout(request)
        return redirect("bookings:person-closed")

    return act(
        request,
        page,
        lambda by, _: person_close(user=user, now=by.now),
        to=gone,
        form=CloseForm(request.POST or None, address=user.email),
    )


@require_safe
def closed(request: HttpRequest) -> HttpResponse:
    """Show a last page to somebody whose account has just been closed."""
    return render(request, "bookings/privacy/person_closed.html")
