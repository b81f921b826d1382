"""Describe the endpoints in OpenAPI 3.1, from the shapes that check their requests."""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.http import http_date
from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    PolymorphicProxySerializer,
    extend_schema,
    inline_serializer,
)
from rest_framework import serializers
from rest_framework.permissions import SAFE_METHODS

from accounts.api.shapes import Instant, Money, Query

PROBLEM = "application/problem+json"


class FieldProblemShape(serializers.Serializer[Any]):
    """One field of the request that is wrong."""

    field = serializers.CharField(
        help_text="Path of the field, such as `bands[1].opens`. Empty: the body as a whole."
    )
    code = serializers.CharField()
    message = serializers.CharField()
    nearest = serializers.CharField(
        required=False, help_text="With `unknown-field`: the name that exists and is most like it."
    )
    choices = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="With `organisation-needed`: codes of the organisations of which one must be named.",
    )


class PeriodShape(serializers.Serializer[Any]):
    """A half-open period."""

    start = Instant()
    end = Instant()


class EquivalentShape(PeriodShape):
    """Another instrument with the same techniques, and its free period that is nearest to the one
    requested."""

    instrument = serializers.UUIDField()
    name = serializers.CharField()
    name_zh = serializers.CharField()
    host = serializers.CharField()
    region = serializers.CharField()
    time_zone = serializers.CharField()
    price_group = serializers.CharField()
    payable = Money(allow_null=True, help_text="What the booking would cost there, after vouchers.")


class WayShape(PeriodShape):
    """Another way of working, and the nearest period in which it could be booked."""

    service_mode = serializers.CharField()


class RefusalShape(serializers.Serializer[Any]):
    """A rule that refuses: its code, and beside it the numbers that it compared."""

    code = serializers.CharField()
    message = serializers.CharField()
    nearest = PeriodShape(
        allow_null=True, help_text="The nearest period that could be booked, if there is one."
    )
    booking = serializers.IntegerField(
        required=False, help_text="Position of the booking, from 0, if several were requested at once."
    )
    equivalents = EquivalentShape(
        many=True, required=False, help_text="With `slot-taken`: equivalent instruments that are free."
    )
    ways = WayShape(
        many=True,
        required=False,
        help_text="Where a certificate is lacking: the ways of working that need none, as on `/quotes/`.",
    )


class Problem(serializers.Serializer[Any]):
    """Why a request was not carried out (RFC 9457)."""

    type = serializers.CharField(help_text="Address of an explanation of the code.")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField(help_text="An explanation in the requested language.")
    code = serializers.CharField(help_text="Code of the problem, the same in every language.")
    errors = FieldProblemShape(many=True, required=False)  # type: ignore[assignment]
    errors_left_out = serializers.IntegerField(
        required=False, help_text="Number of further errors: `errors` lists at most 50."
    )
    refusals = RefusalShape(many=True, required=False)


ABOUT = {
    400: _("The request is malformed: see `errors`."),
    401: _("Nobody is signed in, or the token is unknown, expired or revoked."),
    403: _("The person, or the token, may not do this."),
    404: _("It does not exist, or you may not see it."),
    406: _("Responses are JSON only."),
    409: _("The current state does not allow this, or it conflicts with something else."),
    410: _("It was removed after its time."),
    411: _("A chunked body is not accepted."),
    412: _("Somebody changed the record since `If-Match`."),
    413: _("The body is too large."),
    415: _("The body must be JSON."),
    422: _("The request is refused by rules: see `refusals`."),
    429: _("Too many requests: see `Retry-After`."),
    500: _("Something went wrong on the server."),
    503: _("Too many simultaneous requests: see `Retry-After`."),
}
READS = (400, 401, 403, 406, 429, 500, 503)
WRITES = (*READS, 411, 413, 415)

IF_MATCH = OpenApiParameter(
    "If-Match",
    {"type": "string", "pattern": r'^(\*|(W/)?"[!#-~]*")$'},
    OpenApiParameter.HEADER,
    description='The version that was read, as `ETag` named it: `"3"`. Optional.',
)
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 100},
    OpenApiParameter.HEADER,
    description="A name for this request. Sent again within 24 hours it is not carried out "
    "again; the first answer comes back.",
)


@dataclass(frozen=True, slots=True)
class Deprecation:
    """An operation that another one replaces goes on until `sunset` at least: a year, as promised in
    docs/api-changes.md."""

    since: date
    sunset: date

    def __post_init__(self) -> None:
        if self.sunset - self.since < timedelta(days=365):
            raise ValueError(f"{self.sunset} is less than a year after {self.since}")

    def headers(self) -> dict[str, str]:
        """Return the headers by which programs are told (RFC 9745, RFC 8594)."""
        since, sunset = (
            int(datetime.combine(day, time(), UTC).timestamp()) for day in (self.since, self.sunset)
        )
        address = settings.SITE_URL + reverse("doc", args=["api-changes"])
        return {
            "Deprecation": f"@{since}",
            "Sunset": http_date(sunset),
            "Link": f'<{address}>; rel="deprecation"; type="text/html"',
        }


def operation(
    name: str,
    summary: Any,
    *,
    tag: str,
    gives: Any,
    status: int = 200,
    takes: Any = None,
    query: type[Query] | None = None,
    refuses: Sequence[int] = (),
    versioned: bool = False,
    once: bool = False,
    sends: Any = None,
    answers: Any = None,
    also: Mapping[int, Any] | None = None,
    media: str | Sequence[str] = "",
    files: Sequence[str] = (),
    deprecated: Deprecation | None = None,
) -> Callable[[Any], Any]:
    """Describe a method: what it takes and gives, and every status with which it refuses.

    `versioned`: it honours `If-Match`; `once`: it honours `Idempotency-Key`; `sends` and `answers`: examples
    of the request and the response body; `also`: what it gives with other statuses; `media`: the media types
    of the response, if that is a file; `files`: the types of files that it can give as well; `deprecated`:
    until when it goes on, if another replaces it.
    """
    writes = takes is not None or versioned or once
    codes = {*(WRITES if writes else READS), *refuses}
    if versioned:
        codes.add(412)
    if once:
        codes |= {409, 422}
    answer: Any = OpenApiResponse(description=_("Done.")) if gives is None else OpenApiResponse(gives)
    types = [media] if isinstance(media, str) else media
    responses: dict[Any, Any] = {(status, each) if each else status: answer for each in types}
    if files:
        responses = {(status, "application/json"): answer} | {
            (status, each): OpenApiResponse(OpenApiTypes.BINARY) for each in files
        }
    for code, shape in (also or {}).items():
        responses[code] = OpenApiResponse(shape)
    for code in sorted(codes):
        responses[code, PROBLEM] = OpenApiResponse(Problem, description=ABOUT[code])
    parameters: list[Any] = [query] if query else []
    if versioned:
        parameters.append(IF_MATCH)
    if once:
        parameters.append(IDEMPOTENCY_KEY)
    examples = []
    if sends is not None:
        examples.append(OpenApiExample("request", value=sends, request_only=True))
    if answers is not None:
        examples.append(
            OpenApiExample("answer", value=answers, response_only=True, status_codes=[str(status)])
        )
    described = extend_schema(
        operation_id=name,
        summary=summary,
        tags=[tag],
        request=takes,
        responses=responses,
        parameters=parameters,
        examples=examples,
        deprecated=deprecated is not None or None,
    )

    def mark(method: Any) -> Any:
        # `Endpoint` refuses what is not in query and body.
        method.query, method.takes, method.makes, method.once = query, takes, status == 201, once
        method.deprecated = deprecated
        return described(method)

    return mark


def one_of(name: str, *shapes: type[serializers.Serializer[Any]]) -> Any:
    """Return a field that is described as a value of one of several shapes."""
    return PolymorphicProxySerializer(
        component_name=name, serializers=list(shapes), resource_type_field_name=None
    )


@functools.cache
def page(shape: type[serializers.Serializer[Any]], **more: Any) -> Any:
    """Return the shape of a page of a list of this shape, with `more` fields."""
    return inline_serializer(
        f"{shape.__name__}Page",
        {
            "next": serializers.URLField(allow_null=True),
            "previous": serializers.URLField(allow_null=True),
            "results": shape(many=True),
        }
        | more,
    )


class EndpointSchema(AutoSchema):
    """Adds what all operations have in common, and states that bodies allow no other fields."""

    def get_override_parameters(self) -> list[Any]:
        lang = OpenApiParameter(
            "lang",
            str,
            OpenApiParameter.QUERY,
            description="The language of sentences: `en` or `zh-hans`. Codes have none.",
        )
        return [*super().get_override_parameters(), lang]

    def _map_serializer_field(self, field: Any, *args: Any, **kwargs: Any) -> Any:
        schema = super()._map_serializer_field(field, *args, **kwargs)  # type: ignore[no-untyped-call]
        if isinstance(field, serializers.ListSerializer) and (most := vars(field)["max_length"]):
            schema["maxItems"] = most
        if pattern := getattr(field, "pattern", ""):
            schema.pop("format", None)  # a time of JSON Schema has seconds and an offset
            schema["pattern"] = pattern
        if isinstance(field, serializers.DecimalField) and "pattern" in schema:
            schema["pattern"] = _decimal(field)
        if names := field.style.get("replaced_by"):
            schema = {"allOf": [schema]} if "$ref" in schema else schema
            schema |= {"deprecated": True, "description": _replaced(names)}
        return schema

    def _map_basic_serializer(self, serializer: Any, direction: Any) -> Any:
        schema = super()._map_basic_serializer(serializer, direction)  # type: ignore[no-untyped-call]
        if type(serializer).__doc__ is None:
            schema.pop("description", None)  # it would be that of its base
        if direction == "request":
            schema["additionalProperties"] = False
        return schema

    def get_auth(self) -> list[Any]:
        view: Any = self.view
        writes = self.method not in SAFE_METHODS and not view.only_reads
        nobody: list[Any] = [] if writes or view.needs_person else [{}]
        return [*super().get_auth(), *nobody]


def _replaced(names: Sequence[str]) -> str:
    return _("For one version and a year; read %(names)s instead.") % {
        "names": ", ".join(f"`{name}`" for name in names)
    }


def _decimal(field: serializers.DecimalField) -> str:
    """Return the pattern of a decimal in a string: with a digit before the point, and after it, if there is
    one."""
    places = field.decimal_places or 0
    whole = max(1, (field.max_digits or 40) - places)
    sign = "" if field.min_value is not None and field.min_value >= 0 else "-?"
    return rf"^{sign}\d{{1,{whole}}}(\.\d{{1,{places}}})?$" if places else rf"^{sign}\d{{1,{whole}}}$"


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "accounts.api.authentication.BearerAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A personal token, made on the profile page or by `manage.py issue_token EMAIL`.",
        }


class BrowserScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "accounts.api.authentication.BrowserAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": "sessionid",
            "description": "The browser's session; what writes also sends `X-CSRFToken`.",
        }
