"""Export an organisation's instruments as files."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.schema import operation
from accounts.api.shapes import Choice, Query, Text, query_values
from accounts.api.versions import etag
from accounts.selectors.organisations import organisation_by_code
from instruments.exchange.adapters import datacite
from instruments.exchange.adapters.pidinst import xml_of
from instruments.exchange.messages import FIELD_LABELS
from instruments.exchange.selectors.exports import (
    FORMATS,
    TEMPLATES,
    Export,
    datacite_of,
    export_for,
    pidinst_of,
    template_for,
)
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
        return sent_file(export_for(self.actor, organisation, query["format"], self.now))


class TemplateQuery(Query):
    organisation = Text(40, help_text="Code of the organisation.")
    format = Choice(list(TEMPLATES), default="csv")


class ImportTemplate(File):
    needs_person = True

    @operation(
        "import_template",
        _("A table to fill in"),
        tag="imports",
        query=TemplateQuery,
        gives=BINARY,
        media=sorted({media.partition(";")[0] for _, media in TEMPLATES.values()}),
        refuses=[404],
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Returns a table to fill in and import, for the organisation's managers, with heads in the reader's
        language and an example row that imports leave out. XLSX has the allowed values on a second sheet."""
        query = query_values(TemplateQuery, request.query_params)
        organisation = organisation_by_code(query["organisation"])
        return sent_file(template_for(self.actor, organisation, query["format"], FIELD_LABELS))


def sent_file(file: Export) -> StreamingHttpResponse:
    """Return the answer that sends a file."""
    answer = StreamingHttpResponse(file.content, content_type=file.media)
    answer["Content-Disposition"] = f'attachment; filename="{file.name}"'
    return answer


def _xml(record: bytes, version: int) -> HttpResponse:
    """Return the answer that is an instrument's record in XML."""
    content = b'<?xml version="1.0" encoding="UTF-8"?>\n' + record
    return HttpResponse(content, content_type="application/xml", headers=etag(version))


class InstrumentDatacite(Endpoint):
    @operation(
        "instrument_datacite",
        _("The record as DataCite 4.5"),
        tag="instruments",
        gives={"type": "object", "additionalProperties": True},
        refuses=[404],
    )
    def get(self, request: Request, instrument_id: UUID) -> Response:
        """Returns the instrument's record as DataCite JSON."""
        instrument = instrument_by_id(self.actor, instrument_id)
        return Response(datacite_of(instrument), headers=etag(instrument.version))


class InstrumentDataciteXml(File):
    @operation(
        "instrument_datacite_xml",
        _("The record as DataCite 4.5 XML"),
        tag="instruments",
        gives={"type": "string"},
        media="application/xml",
        refuses=[404],
    )
    def get(self, request: Request, instrument_id: UUID) -> HttpResponseBase:
        """Returns the instrument's record as DataCite XML."""
        instrument = instrument_by_id(self.actor, instrument_id)
        return _xml(datacite.xml_of(datacite_of(instrument)), instrument.version)


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
        return _xml(xml_of(pidinst_of(instrument)), instrument.version)
