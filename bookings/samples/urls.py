"""Addresses of *samples*: its pages, and its part of the API."""

from django.urls import path

from bookings.samples.api import receiving as receiving_api
from bookings.samples.api import samples as samples_api
from bookings.samples.views import receiving, samples

pages = [
    path("samples/", samples.samples, name="sample-items"),
    path("samples/new/", samples.new, name="sample-new"),
    path("samples/queue/", samples.queue, name="sample-queue"),
    path("samples/steps/", samples.step_many, name="sample-steps"),
    path("samples/own/steps/", samples.step_own, name="sample-own-steps"),
    path("samples/labels/", samples.labels, name="sample-labels"),
    path("samples/photos/<uuid:photo_id>/", samples.photo_remove, name="sample-photo-remove"),
    path("samples/photos/<uuid:photo_id>/<str:size>/", samples.photo, name="sample-photo"),
    path("samples/sheets/<uuid:file_id>/<slug:size>/", samples.sheet_file, name="sample-sheet-file"),
    path("samples/<str:code>/", samples.sample, name="sample-item"),
    path("samples/<str:code>/change/", samples.change, name="sample-change"),
    path("samples/<str:code>/step/", samples.step, name="sample-step"),
    path("samples/<uuid:sample_id>/sheet/", samples.sheet, name="sample-sheet"),
    path("samples/<str:code>/join/", samples.join, name="sample-join"),
    path("samples/<str:code>/attachments/", samples.photo_new, name="sample-photo-new"),
    path("manage/facilities/<uuid:facility_id>/samples/", receiving.receiving, name="sample-receiving"),
    path("bookings/<uuid:reservation_id>/samples/", samples.join_many, name="sample-join-many"),
]
api = [
    path("samples/labels/", samples_api.SampleLabels.as_view(), name="api-sample-labels"),
    path(
        "samples/sheets/<uuid:file_id>/<slug:size>/",
        samples_api.SheetFiles.as_view(),
        name="api-sample-sheet-file",
    ),
    *samples_api.Samples.routes(),
    *samples_api.SampleSheets.routes(),
    *receiving_api.SampleReceivings.routes(),
]
