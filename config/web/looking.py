"""Middleware for administrators who look at pages as somebody else: they see what that person sees, and
nothing is changed."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, load_backend
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.csrf import rotate_token
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from accounts.domain.administration import LOOKING, AccountRefused, check_look
from accounts.domain.errors import NotPermitted
from accounts.domain.roles import Place
from accounts.models import User, Viewing
from accounts.permissions import actor_of
from accounts.selectors.administration import viewing_of
from accounts.selectors.secrets import links_hidden
from accounts.views.pages import by_of
from bookings.operations.services.people import look_end
from config.pages.errors import bare, refused_page

READS = frozenset({"GET", "HEAD", "OPTIONS"})
# Pages with keys to an account, and what leads to them.
CLOSED = (
    "/accounts/",
    "/profile/",
    "/admin/",
    "/manage/webhooks/",
    "/bookings/calendars/",
    "/oauth/",
    "/api/v1/tokens/",
    "/api/v1/me/export/",
    "/api/v1/me/programs/",
    "/api/v1/webhooks/",
    "/api/v1/calendar-feeds/",
    "/api/v1/busy-calendar/",
    "/api/v1/result-links/",
)


class LookingMiddleware:
    """Puts the person whom an administrator looks as in place of the administrator. Requests that write,
    downloads, and pages with keys to the account are refused, other pages show no secret of a link, and the
    database refuses to write whatever another page writes besides. It lasts until it is stopped, the
    administrator signs out, its hour is over, or either of the two may no longer. Then the forms of pages
    that were opened meanwhile are refused, which would change things as the administrator."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if settings.SESSION_COOKIE_NAME not in request.COOKIES or LOOKING not in request.session:
            return self.get_response(request)
        if request.path == reverse("bookings:operations-look-stop"):
            return self.get_response(request)
        if request.path == reverse("account_logout"):
            if request.method not in READS and request.user.is_authenticated:
                look_end(by_of(request), viewing_id=viewing_id(request))
            return self.get_response(request)
        viewing = _viewing(request)
        if viewing is None:
            request.session.pop(LOOKING)
            rotate_token(request)
            return redirect("/") if request.method in READS else _refused(request, "looking-over")
        request.viewing = viewing  # type: ignore[attr-defined]
        with transaction.atomic(), links_hidden():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION READ ONLY")
            response = self.get_response(request)
            transaction.set_rollback(True)
        is_file = response.streaming or "attachment" in response.get("Content-Disposition", "")
        if is_file:
            # `close` would say that the request is over.
            for close in response._resource_closers:  # type: ignore[attr-defined]
                close()
            return _refused(request)
        return response

    def process_view(self, request: HttpRequest, *view: Any) -> HttpResponse | None:
        if not hasattr(request, "viewing"):
            return None
        is_read = request.method in READS and not request.path.startswith(CLOSED)
        return None if is_read else _refused(request)


def viewing_id(request: HttpRequest) -> UUID:
    """Return the id of the looking that the session names."""
    try:
        return UUID(request.session[LOOKING])
    except (KeyError, ValueError):
        return UUID(int=0)


def _refused(request: HttpRequest, code: str = "looking") -> HttpResponse:
    if request.path.startswith("/api/"):
        return bare(request, 403, code)
    return refused_page(request, NotPermitted(code))


def _viewing(request: HttpRequest) -> Viewing | None:
    """Return the looking that the session names, if it goes on, and put its person into the request."""
    viewer = request.user
    if not isinstance(viewer, User) or not actor_of(viewer).may("administer", Place(None)):
        return None
    viewing = viewing_of(request.session[LOOKING], viewer, timezone.now())
    if viewing is None:
        return None
    person: Any = load_backend(request.session[BACKEND_SESSION_KEY]).get_user(viewing.user_id)
    if person is None:
        return None
    try:
        check_look(
            person=person.pk,
            viewer=viewer.pk,
            roles=[grant.role for grant in actor_of(person).grants],
            is_staff=person.is_staff or person.is_superuser,
        )
    except AccountRefused:
        return None
    person.is_viewed = True
    viewing.user, request.user = person, person
    return viewing
