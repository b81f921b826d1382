"""Addresses of *managing*: its pages, and its part of the API."""

from django.urls import path

from instruments.managing.api import facilities, records
from instruments.managing.api import publishing as publishing_api
from instruments.managing.api import registry as registry_api
from instruments.managing.views import drafts, opening, policies, publishing, ratecards, registry

_one = "manage/instruments/<uuid:instrument_id>/"
_instrument = "instruments/<uuid:instrument_id>/"

pages = [
    path("manage/", registry.manage, name="manage"),
    path("manage/drafts/", drafts.drafts, name="drafts"),
    path("manage/facilities/", registry.facility_list, name="facilities"),
    path("manage/facilities/<uuid:facility_id>/", registry.facility_edit, name="facility-edit"),
    path("manage/facilities/new/", registry.facility_new, name="facility-new"),
    path("manage/instruments/new/", registry.instrument_new, name="instrument-new"),
    path(_one, publishing.instrument_manage, name="instrument-manage"),
    path(_one + "copy/", registry.instrument_duplicate, name="instrument-copy"),
    path(_one + "record/", registry.instrument_edit, name="instrument-edit"),
    path(_one + "hours/", opening.opening_hours, name="opening"),
    path(_one + "policy/", policies.policy, name="policy"),
    path(_one + "rates/", ratecards.rate_cards, name="rate-cards"),
    path(_one + "rates/<int:version>/delete/", ratecards.delete, name="rate-card-delete"),
    path(_one + "confirm/", publishing.confirm, name="confirm"),
    path(_one + "publication/", publishing.publication, name="publication"),
]
api = [
    *registry_api.InstrumentRecord.routes(),
    *facilities.Facilities.routes(),
    path("catalogue/", records.CatalogueRecords.as_view(), name="api-catalogue-records"),
    path(_instrument + "pidinst/", registry_api.InstrumentPidinst.as_view(), name="api-instrument-pidinst"),
    *publishing_api.Publication.routes(),
]
