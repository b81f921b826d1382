"""Addresses of *exchange*: its pages, and its part of the API."""

from django.urls import path

from accounts.acts import posts
from instruments.exchange.api import exports
from instruments.exchange.api import harvests as harvests_api
from instruments.exchange.api import imports as imports_api
from instruments.exchange.api import many as many_api
from instruments.exchange.views import harvests, imports, many

_instrument = "instruments/<uuid:instrument_id>/"

pages = [
    path("manage/imports/", imports.imports, name="imports"),
    path("manage/imports/template/", imports.template, name="import-template"),
    path("manage/imports/photos/", many.photos, name="import-photos"),
    path("manage/imports/capabilities/", many.capabilities, name="import-capabilities"),
    path("manage/imports/<uuid:import_id>/", imports.one, name="import"),
    path("manage/imports/<uuid:import_id>/columns/", imports.columns, name="import-columns"),
    path("manage/imports/<uuid:import_id>/terms/", imports.terms, name="import-terms"),
    path("manage/imports/<uuid:import_id>/undoing/", imports.undo, name="import-undoing"),
    *posts(imports_api.OneImport, imports_api.ImportMappings, imports_api.ImportTerms, harvests_api.Harvests),
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
    path(_instrument + "datacite/", exports.InstrumentDatacite.as_view(), name="api-instrument-datacite"),
    path(
        _instrument + "datacite/xml/",
        exports.InstrumentDataciteXml.as_view(),
        name="api-instrument-datacite-xml",
    ),
    path(
        _instrument + "provenance/",
        imports_api.InstrumentProvenance.as_view(),
        name="api-instrument-provenance",
    ),
    path("imports/template/", exports.ImportTemplate.as_view(), name="api-import-template"),
    path("imports/photos/", many_api.Photos.as_view(), name="api-import-photos"),
    path("imports/photos/matches/", many_api.PhotosMatches.as_view(), name="api-import-photos-matches"),
    path("imports/capabilities/", many_api.CapabilitiesTable.as_view(), name="api-import-capabilities"),
    *imports_api.Imports.routes(),
    *imports_api.OneImport.routes(),
    *harvests_api.Harvests.routes(),
    *imports_api.ImportMappings.routes(),
    *imports_api.ImportTerms.routes(),
    path("exports/", exports.Exports.as_view(), name="api-exports"),
]
