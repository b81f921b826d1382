"""What no page has dealt with: a refusal, or a method that an address does not know."""

from collections.abc import Callable

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from accounts.domain.errors import NotPermitted, Refused
from config.errors import page, refused_page

# Addresses that only take a form, and the page that the form stands on.
PAGE_OF = {
    "bookings:cancel": "bookings:reservation",
    "bookings:check-in": "bookings:reservation",
    "bookings:check-out": "bookings:reservation",
    "bookings:decide": "bookings:reservation",
    "bookings:feed-make": "bookings:feeds",
    "bookings:feed-revoke": "bookings:feeds",
    "bookings:busy-calendar": "bookings:feeds",
    "bookings:webhook-rotate": "bookings:webhooks",
    "bookings:webhook-ping": "bookings:webhooks",
    "bookings:webhook-delete": "bookings:webhooks",
    "bookings:webhook-replay": "bookings:webhooks",
    "bookings:closure-end": "instruments:manage",
    "bookings:closure-delete": "instruments:manage",
    "instruments:publication": "instruments:instrument-manage",
    "instruments:qualification-revoke": "instruments:manage",
    "instruments:enrol": "instruments:training",
    "instruments:enrol-withdraw": "instruments:training",
    "instruments:course-retire": "instruments:courses",
    "instruments:session-cancel": "instruments:courses",
    "instruments:session-enrol": "instruments:courses",
    "instruments:enrolment-result": "instruments:courses",
    "accounts:token-made": "accounts:token-make",
    "accounts:token-revoke": "accounts:profile",
    "accounts:language": "bookings:catalogue",
    "accounts:message": "accounts:messages",
    "accounts:messages-read": "accounts:messages",
    "accounts:join-withdraw": "accounts:organisations",
    "accounts:invitation-accept": "accounts:organisations",
    "accounts:invite": "accounts:people",
    "accounts:invitation-withdraw": "accounts:people",
    "accounts:join-decide": "accounts:people",
    "accounts:role-give": "accounts:people",
    "accounts:role-take": "accounts:people",
    "accounts:provider-remove": "accounts:providers",
}
# Of these pages there is one for each thing that the address names.
OF_ONE = {"bookings:reservation", "instruments:instrument-manage"}


class RefusalMiddleware:
    """Pages only; the API has its own handler (config/api.py)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # The database takes no NUL, so nothing has an address with one; not every page of a package
        # asks it so gently.
        if "\0" in request.path and not request.path.startswith("/api/"):
            return page(request, 404, "not-found")
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, Refused):
            return None
        if isinstance(exception, NotPermitted) and not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        return refused_page(request, exception)


class MethodMiddleware:
    """Pages only. Whoever comes to where a form is sent, as after signing in or changing the
    language, lands on the page of the form; elsewhere a page says what is wrong."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code != 405 or request.path.startswith("/api/"):
            return response
        match = request.resolver_match
        target = PAGE_OF.get(match.view_name) if match else None
        if match and target and request.method in {"GET", "HEAD"}:
            named = match.kwargs if target in OF_ONE else {}
            return HttpResponseRedirect(reverse(target, kwargs=named))
        answer = page(request, 405, "method-not-allowed")
        answer["Allow"] = response.get("Allow", "")
        return answer
