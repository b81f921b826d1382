"""Export an organisation's instruments as files."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from accounts.api.endpoint import Endpoint
from accounts.api.schema import operation
from accounts.api.shapes import Choice, Query, Text, query_values
from accounts.api.versions import etag
from accounts.selectors.organisations import organisation_by_code
from instruments.exchange.adapters.pidinst import xml_of
from instruments.exchange.selectors.exports import FORMATS, export_for, pidinst_of
from instruments.register.selectors.registry import instrument_by_id

BINARY = {"type": "string", "format": "binary"}


class ExportQuery(Query):
    organisation = Text(40, help_text="Code of the organisation.")
    format = Choice(list(FORMATS), default="csv")


class File(Endpoint):
    """An endpoint that answers with a file; its errors are JSON like those of other endpoints."""

    only_reads = True
    http_method_names = ["get", "head"]

    def perform_content_negotiation(self, request: Any, force: bool = False) -> tuple[Any, str]:
        return JSONRenderer(), "application/json"


class Exports(File):
    needs_person = True

    @operation(
        "instruments_export",
        _("All instruments as a file"),
        tag="imports",
        query=ExportQuery,
        gives=BINARY,
        media=sorted({media.partition(";")[0] for _, media in FORMATS.values()}),
        refuses=[404],
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Returns the instruments of an organisation, for its managers, as a table (CSV, XLSX), UNIQUIP,
        PIDINST 1.0 or the fields of China's national inventory. A table or PIDINST file can be edited and
        imported again."""
        query = query_values(ExportQuery, request.query_params)
        organisation = organisation_by_code(query["organisation"])
        file = export_for(self.actor, organisation, query["format"], self.now)
        answer = StreamingHttpResponse(file.content, content_type=file.media)
        answer["Content-Disposition"] = f'attachment; filename="{file.name}"'
        return answer


class InstrumentPidinstXml(File):
    @operation(
        "instrument_pidinst_xml",
        _("The record as PIDINST 1.0 XML"),
        tag="instruments",
        gives={"type": "string"},
        media="application/xml",
        refuses=[404],
    )
    def get(self, request: Request, instrument_id: UUID) -> HttpResponseBase:
        """Returns the instrument's record as PIDINST 1.0 XML."""
        instrument = instrument_by_id(self.actor, instrument_id)
        content = b'<?xml version="1.0" encoding="UTF-8"?>\n' + xml_of(pidinst_of(instrument))
        headers = etag(instrument.version)
        return HttpResponse(content, content_type="application/xml", headers=headers)
