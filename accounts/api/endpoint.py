"""What every address of the API shares."""

from collections.abc import Callable
from datetime import datetime
from functools import cached_property
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.cache import patch_cache_control, patch_vary_headers
from rest_framework.exceptions import APIException
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.throttling import exceeded
from accounts.domain.errors import Refused
from accounts.domain.roles import Actor, By
from accounts.permissions import actor_of
from accounts.services.idempotency import Answer, idempotent

KEPT_HEADERS = ("ETag", "Location", "Retry-After", "WWW-Authenticate")


class LengthRequired(APIException):
    """A body in chunks: servers hand it on without its length, and it would read as empty."""

    status_code = 411


class Endpoint(APIView):
    """An address. `write_scope` is what a token needs for its methods that write, `read_scope` for
    the others; `only_reads` says that none writes; `needs_person`, that nobody in particular has
    nothing to read there."""

    http_method_names = ["get", "head", "post", "put", "patch", "delete"]
    write_scope, read_scope = "manage", "read"
    only_reads = False
    needs_person = False
    now: datetime
    expected: int | None = None

    def initialize_request(self, request: Any, *args: Any, **kwargs: Any) -> Request:
        self.now = timezone.now()
        return super().initialize_request(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if "Transfer-Encoding" in request.headers and not request.headers.get("Content-Length"):
            raise LengthRequired
        super().initial(request, *args, **kwargs)

    def check_throttles(self, request: Request) -> None:
        if refusing := exceeded(self.get_throttles(), request, self):
            self.throttled(request, max(throttle.wait() for throttle in refusing))

    @cached_property
    def actor(self) -> Actor:
        """Who asks."""
        return actor_of(self.request.user)

    @property
    def by(self) -> By:
        """Who writes, when, and which version they mean."""
        return By(self.actor, self.now, self.expected)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        final = super().finalize_response(request, response, *args, **kwargs)
        # An answer is for one person in one language.
        patch_vary_headers(final, ["Accept-Language", "Authorization", "Cookie"])
        if not final.has_header("Cache-Control"):
            patch_cache_control(final, private=True, no_cache=True)
        return final

    def once(self, act: Callable[[], Response]) -> HttpResponseBase:
        """`act()`, or its first answer again if the request's `Idempotency-Key` came before.

        A refusal is answered from inside the transaction, which then ends well: what a service
        has to remember of a refusal (unmet demand) stays, the refusal itself is not kept.
        """
        key = self.request.headers.get("Idempotency-Key")
        if key is None:
            return act()
        kept = idempotent(
            user_id=self.actor.person,
            method=str(self.request.method),
            path=self.request.path,
            key=key,
            body=JSONRenderer().render(_sorted(self.request.data)),
            now=self.now,
            answer=lambda: self._answer(act),
        )
        return HttpResponse(kept.body, status=kept.status, headers=kept.headers)

    def _answer(self, act: Callable[[], Response]) -> Answer:
        try:
            response = act()
        except Refused as refused:
            response = self.handle_exception(refused)
        headers = {name: response[name] for name in KEPT_HEADERS if response.has_header(name)}
        headers["Content-Type"] = response.content_type or "application/json"
        return Answer(response.status_code, JSONRenderer().render(response.data).decode(), headers)


def _sorted(data: Any) -> Any:
    """The same body whatever the order of its fields."""
    if isinstance(data, dict):
        return {name: _sorted(data[name]) for name in sorted(data)}
    return [_sorted(item) for item in data] if isinstance(data, list) else data
