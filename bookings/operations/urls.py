"""Addresses of *operations*: its pages, and its part of the API."""

from django.urls import path

from accounts.acts import posts
from bookings.operations.api import announcements as announcements_api
from bookings.operations.api import health as health_api
from bookings.operations.api import operations as operations_api
from bookings.operations.api import people as people_api
from bookings.operations.api import settings as settings_api
from bookings.operations.views import address_changes, announcements, health, operations, people, settings

pages = [
    path("address/<str:token>/", address_changes.address_change, name="address-change"),
    path("operations/", operations.operations, name="operations"),
    path("operations/health/", health.health, name="operations-health"),
    path("operations/health/examine/", health.health_examine, name="operations-health-examine"),
    path("operations/failures/", operations.failures, name="operations-failures"),
    path("operations/give-up/", operations.give_up, name="operations-give-up"),
    path("operations/announcements/", announcements.announcements, name="announcements"),
    path("operations/announcements/<uuid:announcement_id>/", announcements.announcement, name="announcement"),
    *posts(announcements_api.Announcements),
    path("operations/maintenance/", announcements.maintenance, name="maintenance"),
    path(
        "operations/maintenance/<uuid:maintenance_id>/prolong/",
        announcements.prolong,
        name="maintenance-prolong",
    ),
    *posts(announcements_api.MaintenanceTimes),
    path("operations/retry/", operations.retry_all, name="operations-retry-all"),
    path("operations/<uuid:failure_id>/retry/", operations.retry, name="operations-retry"),
    path("operations/settings/", settings.settings, name="operations-settings"),
    path("operations/people/", people.people, name="operations-people"),
    path("operations/people/<uuid:user_id>/", people.person, name="operations-person"),
    path("operations/people/<uuid:user_id>/look/", people.look, name="operations-look"),
    path("operations/look/stop/", people.look_stop, name="operations-look-stop"),
    *people.all_recently(posts(people_api.People)),
]
api = [
    *people_api.People.routes(),
    path(
        "installation/announcements/",
        announcements_api.Notices.as_view(),
        name="api-installation-announcements",
    ),
    *announcements_api.Announcements.routes(),
    *announcements_api.MaintenanceTimes.routes(),
    path("operations/", operations_api.OperationsState.as_view(), name="api-operations"),
    path("operations/settings/", settings_api.Settings.as_view(), name="api-operations-settings"),
    path("operations/health/", health_api.Health.as_view(), name="api-operations-health"),
    path("operations/failures/", operations_api.Failures.as_view(), name="api-operations-failures"),
    path("operations/failures/groups/", operations_api.FailureGroups.as_view(), name="api-operations-groups"),
    path(
        "operations/failures/give-up/", operations_api.FailuresGiveUp.as_view(), name="api-operations-give-up"
    ),
    path(
        "operations/failures/<uuid:failure_id>/retry/",
        operations_api.FailureRetry.as_view(),
        name="api-operations-retry",
    ),
]
