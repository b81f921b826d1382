"""Addresses of managing instruments."""

from django.urls import path

from instruments.views import opening, policies, publishing, ratecards, registry

app_name = "instruments"

_one = "manage/instruments/<uuid:instrument_id>/"

urlpatterns = [
    path("manage/", registry.manage, name="manage"),
    path("manage/facilities/new/", registry.facility_new, name="facility-new"),
    path("manage/instruments/new/", registry.instrument_new, name="instrument-new"),
    path(_one, registry.instrument_manage, name="instrument-manage"),
    path(_one + "record/", registry.instrument_edit, name="instrument-edit"),
    path(_one + "hours/", opening.opening_hours, name="opening"),
    path(_one + "policy/", policies.policy, name="policy"),
    path(_one + "rates/", ratecards.rate_cards, name="rate-cards"),
    path(_one + "publication/", publishing.publication, name="publication"),
]
