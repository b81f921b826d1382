"""Bodies of requests about failures, of pages and programs."""

from rest_framework import serializers

from accounts.api.shapes import ListOf, Shape, Text


class RetryBody(Shape):
    name = Text(60, help_text="Name of a kind of effect, or of a job; its failures are retried.")
    cause = Text(60, default="", allow_blank=True, help_text="Code of a cause: only failures with it.")
    ids = ListOf(
        child=serializers.UUIDField(),
        max_length=200,
        default=list,
        help_text="Ids of failures. Empty: all of them.",
    )


class GiveUpBody(RetryBody):
    reason = Text(500, help_text="The reason, which the trail keeps.")
