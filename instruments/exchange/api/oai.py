"""OAI-PMH 2.0: the catalogue for harvesters that know only this protocol."""

import hashlib
from collections.abc import Mapping
from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.cache import get_conditional_response, patch_cache_control
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from accounts.api.endpoint import Endpoint
from accounts.replica import from_replica
from accounts.selectors.installation import installation
from instruments.exchange.adapters import oai
from instruments.exchange.domain.oai import (
    FORMATS,
    TOKEN,
    OaiRefused,
    known_prefix,
    second,
    selection_of,
    verb_of,
)
from instruments.exchange.selectors.oai import (
    earliest_datestamp,
    load_list,
    load_one,
    named_sets,
    selection_of_token,
)

KEPT_FOR = 60  # seconds for which caches may keep an answer


class Oai(Endpoint):
    """Answers all verbs, by GET and POST, to anybody; nobody is signed in here. Errors of the protocol are
    answers with status 200, as it says; the platform's own (too many requests) are as elsewhere."""

    schema = None  # it is no part of the API's description
    only_reads = True
    http_method_names = ["get", "head", "post"]
    authentication_classes = ()

    def perform_content_negotiation(self, request: Any, force: bool = False) -> tuple[Any, str]:
        return JSONRenderer(), "application/json"

    @from_replica
    def get(self, request: Request) -> HttpResponseBase:
        return self._respond(request, dict(request._request.GET.lists()))

    @from_replica
    def post(self, request: Request) -> HttpResponseBase:
        sent = request._request
        return self._respond(request, dict(sent.POST.lists()))

    def _respond(self, request: Request, values: Mapping[str, list[str]]) -> HttpResponseBase:
        told: dict[str, str] = {}
        try:
            verb, arguments = verb_of(values)
            told = {"verb": verb, **arguments}
            content = self._content(verb, arguments)
        except OaiRefused as refused:
            told = told if refused.echoes else {}
            content = oai.error(refused.code, refused.message)
        at, base = second(self.now), settings.SITE_URL + reverse("oai")
        body = oai.answer(base, at, told, [content])
        # The moment of answering is no part of what is answered.
        etag = f'"{hashlib.sha256(body.replace(at.encode(), b"", 1)).hexdigest()[:32]}"'
        answer = HttpResponse(body, content_type="text/xml; charset=utf-8")
        if request.method != "POST":
            same = get_conditional_response(request._request, etag=etag, response=answer)
            assert same is not None
            answer = same
        answer["ETag"] = etag
        patch_cache_control(answer, public=True, max_age=KEPT_FOR)
        return answer

    def _content(self, verb: str, arguments: Mapping[str, str]) -> Any:
        match verb:
            case "Identify":
                mail = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
                return oai.identify(
                    installation().name,
                    settings.SITE_URL + reverse("oai"),
                    mail,
                    earliest_datestamp(self.now),
                )
            case "ListMetadataFormats":
                if "identifier" in arguments:
                    load_one(arguments["identifier"], "")
                return oai.metadata_formats(FORMATS)
            case "ListSets":
                if TOKEN in arguments:
                    raise OaiRefused("badResumptionToken", "Sets come in one answer.")
                return oai.sets(named_sets())
            case "GetRecord":
                prefix = known_prefix(arguments["metadataPrefix"])
                return oai.records(verb, [load_one(arguments["identifier"], prefix)])
        selection = selection_of_token(arguments[TOKEN]) if TOKEN in arguments else selection_of(arguments)
        rows, token = load_list(selection, self.now, with_metadata=verb == "ListRecords")
        return oai.records(verb, rows, token, selection.count)
