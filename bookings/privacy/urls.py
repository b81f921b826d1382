"""Addresses of *privacy*: its pages, and its part of the API."""

from django.urls import path

from bookings.privacy.api import leaving as leaving_api
from bookings.privacy.api import periods as periods_api
from bookings.privacy.api import persons as persons_api
from bookings.privacy.views import leaving, periods, persons

pages = [
    path("profile/data/", persons.data, name="person-data"),
    path("profile/data/export/", persons.export, name="person-export"),
    path("profile/close/", persons.close, name="person-close"),
    path("closed/", persons.closed, name="person-closed"),
    path("operations/settings/periods/", periods.periods, name="holding-periods"),
    path("memberships/<uuid:membership_id>/end/", leaving.end, name="member-end"),
]
api = [
    *leaving_api.MembershipEnd.routes(),
    path("operations/holding-periods/", periods_api.HoldingPeriods.as_view(), name="api-holding-periods"),
    path("me/export/", persons_api.OwnExport.as_view(), name="api-own-export"),
    path("me/erasure/", persons_api.OwnErasure.as_view(), name="api-own-erasure"),
]
