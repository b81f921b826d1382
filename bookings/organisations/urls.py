"""Addresses of *organisations*: its pages, and its part of the API."""

from django.urls import path

from bookings.organisations.api import duplicates as duplicates_api
from bookings.organisations.api import mergers as mergers_api
from bookings.organisations.api import people as people_api
from bookings.organisations.api import register_imports as register_imports_api
from bookings.organisations.views import (
    duplicates,
    mergers,
    organisation_requests,
    organisations,
    people,
    regions,
    register_imports,
)

_organisation = "organisations/<uuid:organisation_id>/"

pages = [
    path("organisations/<uuid:organisation_id>/merge/", mergers.merge, name="organisation-merge"),
    path("organisations/<uuid:organisation_id>/close/", mergers.close, name="organisation-close"),
    path("people/import/", people.people, name="people-import"),
    path("organisations/<uuid:organisation_id>/members/import/", people.members, name="members-import"),
    path(
        "organisations/<uuid:organisation_id>/members/<uuid:user_id>/limits/",
        people.limits,
        name="member-limits",
    ),
    path("manage/duplicates/", duplicates.duplicates, name="duplicates"),
    path("manage/duplicates/decide/", duplicates.decide, name="duplicates-decide"),
    path("regions/", regions.tree, name="regions"),
    path("regions/new/", regions.new, name="region-new"),
    path("regions/import/", register_imports.regions, name="regions-import"),
    path("regions/<uuid:region_id>/", regions.region, name="region"),
    path("organisations/all/", organisations.listed, name="organisations-all"),
    path("organisations/new/", organisations.new, name="organisation-new"),
    path("organisations/import/", register_imports.organisations, name="organisation-import"),
    path("organisations/missing/", organisation_requests.missing, name="organisation-missing"),
    path(
        "organisations/missing/<uuid:request_id>/withdraw/",
        organisation_requests.withdraw,
        name="organisation-request-withdraw",
    ),
    path("organisations/requests/", organisation_requests.listed, name="organisation-requests"),
    path("organisations/requests/<uuid:request_id>/", organisation_requests.one, name="organisation-request"),
    path(_organisation, organisations.organisation, name="organisation"),
    path(_organisation + "change/", organisations.change, name="organisation-change"),
]
api = [
    *mergers_api.OrganisationMerge.routes(),
    *mergers_api.OrganisationClose.routes(),
    path("duplicates/", duplicates_api.Duplicates.as_view(), name="api-duplicates"),
    *duplicates_api.DuplicateVerdicts.routes(),
    path("imports/people/", people_api.PeopleImport.as_view(), name="api-people-import"),
    *register_imports_api.RegisterImports.routes(),
]
