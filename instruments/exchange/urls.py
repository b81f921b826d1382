"""Addresses of *exchange*: its pages, and its part of the API."""

from django.urls import path

from accounts.acts import posts
from instruments.exchange.api import exports
from instruments.exchange.api import harvests as harvests_api
from instruments.exchange.api import imports as imports_api
from instruments.exchange.views import harvests, imports

_instrument = "instruments/<uuid:instrument_id>/"

pages = [
    path("manage/imports/", imports.imports, name="imports"),
    path("manage/imports/<uuid:import_id>/", imports.one, name="import"),
    path("manage/imports/<uuid:import_id>/columns/", imports.columns, name="import-columns"),
    *posts(imports_api.OneImport, imports_api.ImportMappings, harvests_api.Harvests),
    path("manage/harvests/", harvests.harvests, name="harvests"),
    path("manage/harvests/<uuid:harvest_id>/", harvests.one, name="harvest"),
    path("manage/export/", imports.export, name="export"),
]
api = [
    path(
        _instrument + "pidinst/xml/",
        exports.InstrumentPidinstXml.as_view(),
        name="api-instrument-pidinst-xml",
    ),
    path(
        _instrument + "provenance/",
        imports_api.InstrumentProvenance.as_view(),
        name="api-instrument-provenance",
    ),
    *imports_api.Imports.routes(),
    *imports_api.OneImport.routes(),
    *harvests_api.Harvests.routes(),
    *imports_api.ImportMappings.routes(),
    path("exports/", exports.Exports.as_view(), name="api-exports"),
]
