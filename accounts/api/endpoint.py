"""The base class of all addresses of the API: it holds who asks, when, and which version they mean."""

import hashlib
from collections.abc import Callable
from datetime import datetime
from functools import cached_property
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.cache import patch_cache_control, patch_vary_headers
from rest_framework.exceptions import APIException
from rest_framework.permissions import SAFE_METHODS
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.shapes import names_of, object_of
from accounts.api.throttling import exceeded
from accounts.domain.errors import Invalid, Refused, unknown_fields
from accounts.domain.roles import Actor, By
from accounts.permissions import actor_of
from accounts.services.idempotency import StoredResponse, idempotent

OF_ALL = ("lang", "format")  # parameters of all operations; clients ask for `format=json` everywhere
KEPT_HEADERS = ("ETag", "Location", "Retry-After", "WWW-Authenticate")


class LengthRequired(APIException):
    """The body is sent in chunks. Servers pass it on without its length, so it would be read as empty."""

    status_code = 411


def body_length(request: Any) -> int:
    """Return how many bytes a request says that it sends. A malformed length counts as 0, and nothing is
    read."""
    length = str(request.META.get("CONTENT_LENGTH") or "")
    return int(length) if length.isdecimal() and length.isascii() else 0


def _is_readable(request: Request) -> bool:
    negotiator: Any = request.negotiator
    return body_length(request) > 0 and negotiator.select_parser(request, request.parsers) is not None


class Endpoint(APIView):
    """The base class of addresses. A token needs `write_scope` for methods that write and `read_scope` for
    others. `only_reads`: no method writes. `needs_person`: visitors who are not signed in have nothing to
    read here. `takes_chunks`: it reads bodies whose length is not known beforehand. `for_persons`: what is
    written here is a person's own, so no service account writes."""

    http_method_names = ["get", "head", "post", "put", "patch", "delete"]
    write_scope, read_scope = "manage", "read"
    only_reads = False
    needs_person = takes_chunks = for_persons = False
    now: datetime
    expected: int | None = None

    def initialize_request(self, request: Any, *args: Any, **kwargs: Any) -> Request:
        self.now = timezone.now()
        return super().initialize_request(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        chunked = "Transfer-Encoding" in request.headers and not request.headers.get("Content-Length")
        if chunked and not self.takes_chunks:
            raise LengthRequired
        super().initial(request, *args, **kwargs)
        # Here, as who asks is known and nothing of the body is read.
        if not request.user.is_authenticated and body_length(request) > settings.STRANGERS_MOST:
            raise RequestDataTooBig
        self.refuse_unknown(request)

    def refuse_unknown(self, request: Request) -> None:
        """Refuse parameters that the operation does not have, so that nobody believes they had an effect, and
        the fields of a body where it takes none. The shape of a body refuses the others."""
        method: Any = getattr(self, str(request.method).lower(), None)
        if not hasattr(method, "takes"):
            return
        known = [*(names_of(method.query) if method.query else ()), *OF_ALL]
        problems = unknown_fields(request.query_params, known)
        if method.takes is None and request.method not in SAFE_METHODS and _is_readable(request):
            problems += unknown_fields(object_of(request.data), ())
        if problems:
            raise Invalid(problems)

    def check_throttles(self, request: Request) -> None:
        if refusing := exceeded(self.get_throttles(), request, self):
            self.throttled(request, max(throttle.wait() for throttle in refusing))

    @cached_property
    def actor(self) -> Actor:
        """Return the person who sends the request."""
        return actor_of(self.request.user)

    @property
    def by(self) -> By:
        """Return the person who writes, the moment, and the version of the record that they expect."""
        return By(self.actor, self.now, self.expected)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        final = super().finalize_response(request, response, *args, **kwargs)
        # An answer is for one person in one language.
        patch_vary_headers(final, ["Accept-Language", "Authorization", "Cookie"])
        if not final.has_header("Cache-Control"):
            patch_cache_control(final, private=True, no_cache=True)
        method = getattr(self, str(request.method).lower(), None)
        if deprecated := getattr(method, "deprecated", None):
            for name, value in deprecated.headers().items():
                final[name] = value
        return final

    def once(self, act: Callable[[], Response]) -> HttpResponseBase:
        """Carry out `act`, or return its first answer again if a request with the same `Idempotency-Key` came
        before.

        A refusal is answered inside the transaction, which is then committed: what a service records of a
        refusal (unmet demand) stays, but the refusal itself is not kept as an answer.
        """
        key = self.request.headers.get("Idempotency-Key")
        if key is None:
            return act()
        kept = idempotent(
            user_id=self.actor.person,
            method=str(self.request.method),
            path=self.request.path,
            key=key,
            body=JSONRenderer().render(_comparable(self.request.data)),
            now=self.now,
            answer=lambda: self._answer(act),
        )
        return HttpResponse(kept.body, status=kept.status, headers=kept.headers)

    def _answer(self, act: Callable[[], Response]) -> StoredResponse:
        try:
            response = act()
        except Refused as refused:
            response = self.handle_exception(refused)
        headers = {name: response[name] for name in KEPT_HEADERS if response.has_header(name)}
        headers["Content-Type"] = response.content_type or "application/json"
        return StoredResponse(response.status_code, JSONRenderer().render(response.data).decode(), headers)


def _comparable(data: Any) -> Any:
    """Return the body with its fields sorted, so that their order does not matter, and files by what is in
    them."""
    if isinstance(data, QueryDict):  # a form
        data = dict(data.lists())
    if isinstance(data, dict):
        return {name: _comparable(data[name]) for name in sorted(data)}
    if isinstance(data, UploadedFile):
        data.seek(0)
        digest = hashlib.file_digest(data, "sha256").hexdigest()
        data.seek(0)
        return [data.name, digest]
    return [_comparable(item) for item in data] if isinstance(data, list) else data
