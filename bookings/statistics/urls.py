"""Addresses of *statistics*: its pages, and its part of the API."""

from django.urls import path

from bookings.statistics.api import dcat, hours_exports
from bookings.statistics.api import hours as hours_api
from bookings.statistics.api import idle as idle_api
from bookings.statistics.api import reports as reports_api
from bookings.statistics.api import statistics as statistics_api
from bookings.statistics.views import behind, hours, idle, reports, statistics

pages = [
    path("hours/", hours.hours_by, name="hours"),
    path("hours/rows/", hours.rows, name="hours-rows"),
    path("hours/days/", hours.days, name="hours-days"),
    path("hours/behind/", behind.behind, name="hours-behind"),
    path("hours/weeks/", hours.weeks, name="hours-weeks"),
    path("hours/idle/", idle.idle, name="hours-idle"),
    path("hours/report/", reports.report, name="hours-report"),
    path("hours/payers/", statistics.payers_by, name="hours-payers"),
    path("hours/flows/", statistics.between_regions, name="hours-flows"),
    path("hours/demand/", statistics.unmet, name="hours-demand"),
    path("hours/definitions/", statistics.definitions, name="hours-definitions"),
    path("hours/download/", statistics.download, name="hours-download"),
    path("hours/exports/", statistics.exports, name="hours-exports"),
    path("hours/exports/new/", statistics.export_new, name="hours-export-new"),
    path("hours/exports/<uuid:export_id>/", statistics.export_file, name="hours-export-file"),
]
api = [
    path("dcat/", dcat.Dcat.as_view(), name="api-dcat"),
    path("statistics/hours/", hours_api.Hours.as_view(), name="api-statistics-hours"),
    path("statistics/idle/", idle_api.IdleTimes.as_view(), name="api-statistics-idle"),
    path("statistics/payers/", statistics_api.Payers.as_view(), name="api-statistics-payers"),
    path("statistics/bookings/", statistics_api.Bookings.as_view(), name="api-statistics-bookings"),
    path("statistics/demand/", statistics_api.Demand.as_view(), name="api-statistics-demand"),
    path("statistics/flows/", statistics_api.FlowsBetweenRegions.as_view(), name="api-statistics-flows"),
    path(
        "statistics/concentration/",
        statistics_api.Concentration.as_view(),
        name="api-statistics-concentration",
    ),
    path("statistics/report/", reports_api.YearReport.as_view(), name="api-statistics-report"),
    path("statistics/norms/", statistics_api.Norms.as_view(), name="api-statistics-norms"),
    *hours_exports.HoursExports.routes(),
    path(
        "statistics/exports/<uuid:export_id>/file/",
        hours_exports.HoursExportFile.as_view(),
        name="api-statistics-export-file",
    ),
]
