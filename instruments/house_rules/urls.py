"""Addresses of *house_rules*: its pages, and its part of the API."""

from django.urls import path

from instruments.house_rules.api import house_rules as house_rules_api
from instruments.house_rules.views import house_rules

_one = "manage/instruments/<uuid:instrument_id>/"

pages = [
    path(_one + "house-rules/", house_rules.instrument_rules, name="house-rules-edit"),
    path(
        "manage/facilities/<uuid:facility_id>/house-rules/",
        house_rules.facility_rules,
        name="facility-house-rules",
    ),
    path("instruments/<uuid:instrument_id>/house-rules/", house_rules.read, name="house-rules"),
]
api = [*house_rules_api.InstrumentHouseRules.routes(), *house_rules_api.FacilityHouseRules.routes()]
