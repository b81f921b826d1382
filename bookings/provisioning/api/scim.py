"""The door of organisations' directories: SCIM 2.0 at one base address for each organisation."""

import json
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from accounts.api.authentication import BearerAuthentication
from accounts.api.endpoint import Endpoint
from accounts.domain.roles import PROVISION
from accounts.selectors.installation import maintenance_now
from bookings.provisioning.selectors.directory import organisation_to_provision
from bookings.provisioning.services.directory import directory_touch, directory_writing

MEDIA_TYPE = "application/scim+json"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
# What SCIM calls refusals of the platform, by their code, or else by their status.
SCIM_TYPES: Mapping[str, str] = {
    "directory-name-taken": "uniqueness",
    "directory-person-known": "uniqueness",
    "directory-group-known": "uniqueness",
    "invalid": "invalidValue",
    "malformed": "invalidSyntax",
}
# Limits of a day: the directory tries again by itself.
LATER = {"too-many-invitations", "too-many-invitations-today", "invited-too-often"}
AGAIN_AFTER = 3600  # seconds


@cache
def _served() -> Any:
    return import_module("bookings.provisioning.api.storage")


class Scim(Endpoint):
    """Answers all of SCIM for one organisation, to a token with the scope `provision` of somebody who manages
    the members of the whole organisation."""

    schema = None  # it describes itself, as SCIM says
    needs_person = True
    read_scope = write_scope = PROVISION
    authentication_classes = (BearerAuthentication,)

    def perform_content_negotiation(self, request: Any, force: bool = False) -> tuple[Any, str]:
        return JSONRenderer(), "application/json"

    def get(self, request: Request, organisation_id: UUID, rest: str = "") -> HttpResponseBase:
        organisation = organisation_to_provision(self.actor, organisation_id)
        if not maintenance_now(self.now):
            directory_touch(organisation=organisation, now=self.now)
        return self._answered(organisation, rest)

    def post(self, request: Request, organisation_id: UUID, rest: str = "") -> HttpResponseBase:
        try:
            with directory_writing(self.by, organisation_id=organisation_id) as organisation:
                return self._answered(organisation, rest)
        except _served().SCIMException as refused:
            return _response(_served().refused(refused))

    put = patch = delete = post

    def _answered(self, organisation: Any, rest: str) -> HttpResponseBase:
        served, sent = _served(), self.request._request
        request = served.ScimRequest(
            method="GET" if sent.method == "HEAD" else str(sent.method),
            base_url=address_of(organisation.pk),
            path=f"/{rest}",
            query=sent.GET.dict(),
            headers=dict(sent.headers),
            body=sent.body,
        )
        try:
            return _response(served.answer(self.by, organisation, request))
        except served.SCIMException as refused:
            if request.method != "GET":
                raise  # so that nothing of it stays
            return _response(served.refused(refused))

    def handle_exception(self, exc: Exception) -> Any:
        """Say what the platform's API would say in the words of SCIM."""
        problem = super().handle_exception(exc)
        told, status = problem.data, problem.status_code
        if told["code"] in LATER:
            status = 429
            problem.headers["Retry-After"] = str(AGAIN_AFTER)
        content = {"schemas": [ERROR], "status": str(status), "detail": told["detail"]}
        if scim_type := SCIM_TYPES.get(told["code"]):
            content["scimType"] = scim_type
        answer = HttpResponse(json.dumps(content), status=status, content_type=MEDIA_TYPE)
        for name in ("WWW-Authenticate", "Retry-After", "Allow"):
            if name in problem.headers:
                answer[name] = problem.headers[name]
        return answer


def address_of(organisation_id: UUID) -> str:
    """Return the base address of an organisation's directory."""
    return settings.SITE_URL + reverse("scim", args=[organisation_id])


def _response(answer: Any) -> HttpResponse:
    body = b"" if answer.body is None else json.dumps(answer.body).encode()
    return HttpResponse(body, status=int(answer.status), headers=answer.headers)
