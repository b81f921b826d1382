"""Addresses of *results*: its pages, and its part of the API."""

from django.urls import path

from accounts.acts import posts
from bookings.results.api import collecting as collecting_api
from bookings.results.api import handoffs as handoffs_api
from bookings.results.api import uploads
from bookings.results.views import collecting, handoffs

pages = [
    path("results/", handoffs.results, name="results"),
    path("results/storage/", handoffs.storage, name="result-storage"),
    path("results/storage/<uuid:organisation_id>/", handoffs.storage_change, name="result-storage-change"),
    path("results/<uuid:hand_off_id>/", handoffs.result, name="result"),
    path("results/<uuid:hand_off_id>/upload/", handoffs.upload, name="result-upload"),
    path(
        "results/<uuid:hand_off_id>/files/<uuid:file_id>/remove/",
        handoffs.file_remove,
        name="result-file-remove",
    ),
    path("results/<uuid:hand_off_id>/package/", collecting.package, name="result-package"),
    path("results/<uuid:hand_off_id>/files/<uuid:file_id>/", collecting.file, name="result-file"),
    path("results/<uuid:hand_off_id>/links/", collecting.link_new, name="result-link"),
    path("results/<uuid:hand_off_id>/keep/", collecting.keep, name="result-keep"),
    path("results/keep/<uuid:request_id>/", collecting.keep_answer, name="result-keep-answer"),
    *posts(handoffs_api.Results, collecting_api.Collecting, collecting_api.CollectLinks),
    path("collect/<str:token>/", collecting.collect, name="collect"),
    path("collect/<str:token>/package/", collecting.collect_package, name="collect-package"),
    path("collect/<str:token>/<uuid:file_id>/", collecting.collect_file, name="collect-file"),
    path("bookings/<uuid:reservation_id>/results/", handoffs.announce, name="result-announce"),
    path("manage/instruments/<uuid:instrument_id>/results/", handoffs.terms, name="result-terms"),
]
api = [
    *handoffs_api.ResultTermsOf.routes(),
    *handoffs_api.Results.routes(),
    *collecting_api.Collecting.routes(),
    *collecting_api.CollectLinks.routes(),
    *collecting_api.KeepRequests.routes(),
    path(
        "results/<uuid:hand_off_id>/package/",
        collecting_api.ResultPackage.as_view(),
        name="api-result-package",
    ),
    path(
        "results/<uuid:hand_off_id>/files/<uuid:file_id>/",
        collecting_api.ResultContent.as_view(),
        name="api-result-content",
    ),
    *handoffs_api.ResultStorage.routes(),
    path("uploads/", uploads.Uploads.as_view(), name="api-uploads"),
    path("uploads/<uuid:file_id>/", uploads.Upload.as_view(), name="api-upload"),
]
