"""Addresses of *messaging*: its pages, and its part of the API."""

from django.urls import path

from accounts.acts import posts
from bookings.messaging.api import deletions as deletions_api
from bookings.messaging.api import events as events_api
from bookings.messaging.api import feeds as feeds_api
from bookings.messaging.api import webhooks as webhooks_api
from bookings.messaging.views import feeds, webhooks

pages = [
    path("manage/webhooks/", webhooks.webhooks, name="webhooks"),
    path("manage/webhooks/<uuid:endpoint_id>/", webhooks.webhook, name="webhook"),
    path("manage/webhooks/deliveries/<uuid:delivery_id>/again/", webhooks.replay, name="webhook-replay"),
    path("calendar/<str:token>.ics", feeds.feed, name="feed"),
    path("instruments/<uuid:instrument_id>/calendar.ics", feeds.instrument_feed, name="instrument-feed"),
    path("bookings/calendars/", feeds.feeds, name="feeds"),
    path("bookings/calendars/make/", feeds.make, name="feed-make"),
    path("bookings/calendars/own/", feeds.busy, name="busy-calendar"),
    *posts(webhooks_api.Webhooks, feeds_api.Feeds),
    path("profile/access/", feeds.access, name="access"),
]
api = [
    *feeds_api.Feeds.routes(),
    *feeds_api.Busy.routes(),
    *webhooks_api.Webhooks.routes(),
    *events_api.Events.routes(),
    *deletions_api.Deletions.routes(),
]
