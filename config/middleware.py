"""A refusal that no page has dealt with becomes the page that says so."""

from collections.abc import Callable

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse

from accounts.domain.errors import NotPermitted, Refused
from config.errors import refused_page


class RefusalMiddleware:
    """Pages only; the API has its own handler (config/api.py)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, Refused):
            return None
        if isinstance(exception, NotPermitted) and not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        return refused_page(request, exception)
