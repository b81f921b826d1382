"""Addresses of *conversation*: its pages, and its part of the API."""

from django.urls import path

from bookings.conversation.api import threads as threads_api
from bookings.conversation.views import threads

_conversation = "conversations/<slug:kind>/<uuid:subject_id>/"

pages = [
    path("bookings/<uuid:reservation_id>/propose/", threads.propose, name="conversation-propose"),
    path("conversations/", threads.conversations, name="conversations"),
    path(_conversation, threads.conversation, name="conversation"),
    path(_conversation + "attachments/", threads.write, name="conversation-write"),
    path(_conversation + "resolve/", threads.resolve, name="conversation-resolve"),
    path(_conversation + "read/", threads.read, name="conversation-read"),
    path("conversations/comments/<uuid:comment_id>/withdraw/", threads.withdraw, name="comment-withdraw"),
    path("conversations/proposals/<uuid:proposal_id>/answer/", threads.answer, name="proposal-answer"),
    path("conversations/files/<uuid:file_id>/<slug:size>/", threads.file, name="comment-file"),
]
api = [
    *threads_api.of_kind("reservation", "reservations/", "reservation_id", "reservations"),
    *threads_api.of_kind("need", "needs/", "need_id", "instruments"),
    *threads_api.of_kind("sample", "samples/", "item_id", "samples"),
    *threads_api.of_kind("bid", "bids/", "bid_id", "instruments"),
    *threads_api.Proposing.routes(),
    *threads_api.Proposals.routes(),
    *threads_api.Comments.routes(),
    path(
        "comments/files/<uuid:file_id>/<slug:size>/",
        threads_api.CommentFiles.as_view(),
        name="api-comment-file",
    ),
]
