"""Addresses of *attachments*: its pages, and its part of the API."""

from django.urls import path

from accounts.acts import posts
from instruments.attachments.api import attachments as attachments_api
from instruments.attachments.views import attachments

_one = "manage/instruments/<uuid:instrument_id>/"
_instrument = "instruments/<uuid:instrument_id>/"

pages = [
    path(_one + "attachments/", attachments.attachments, name="attachments"),
    path("manage/attachments/<uuid:attachment_id>/", attachments.change, name="attachment-change"),
    *posts(attachments_api.Attachments),
    path("files/<uuid:attachment_id>/<slug:size>/", attachments.file, name="file"),
]
api = [
    path(
        _instrument + "attachments/", attachments_api.InstrumentAttachments.as_view(), name="api-attachments"
    ),
    *attachments_api.Attachments.routes(),
]
