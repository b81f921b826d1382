"""One's inbox, and what one chooses about messages."""

from datetime import time
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.pagination import Pages
from accounts.api.resource import Resource, acts, changes, lists, reads, rendered
from accounts.api.schema import operation
from accounts.api.shapes import Choice as OneOf
from accounts.api.shapes import Flag, Instant, Shape, checked
from accounts.api.versions import etag, expected_version
from accounts.domain.messages import RHYTHMS, TOPICS, Choice, Quiet
from accounts.models import Message, MessageSettings
from accounts.selectors.messages import choices_in, inbox_of, message_by_id, settings_of
from accounts.services.messages import choices_set, message_read, messages_read

TAG = "messages"
LANGUAGES = ("", "en", "zh-hans")


class MessageQuery(Pages):
    unread = Flag(default=False, help_text="Only those not read.")


class MessageShape(serializers.Serializer[Any]):
    """A message. `text` says all that the mail says; `link`: the page of the thing, below this
    site's address; `about`: the id of the thing."""

    id = serializers.UUIDField()
    topic = serializers.ChoiceField(choices=sorted(TOPICS))
    kind = serializers.CharField()
    language = serializers.CharField()
    subject = serializers.CharField()
    text = serializers.CharField()
    link = serializers.CharField()
    about = serializers.UUIDField(allow_null=True)
    created_at = Instant()
    read_at = Instant(allow_null=True)
    mailed_at = Instant(allow_null=True)


class ReadBody(Shape):
    is_read = Flag()


class ReadShape(serializers.Serializer[Any]):
    """How many were marked."""

    read = serializers.IntegerField()


class ClockTime(serializers.TimeField):
    """A time of the day, `22:00`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="%H:%M", input_formats=["%H:%M"], **kwargs)

    def to_internal_value(self, value: Any) -> time:
        if not isinstance(value, str):
            self.fail("invalid", format="HH:MM")
        return super().to_internal_value(value)


class QuietBody(Shape):
    """Hours of the day, in the person's zone, in which no mail leaves."""

    start = ClockTime()
    end = ClockTime()


class TopicBody(Shape):
    """How a topic reaches the person. Those that are required are `at-once` and in the inbox."""

    mail = OneOf([(name, name) for name in RHYTHMS], default="at-once")
    inbox = Flag(default=True)
    language = OneOf([(name, name) for name in LANGUAGES], default="", allow_blank=True)


TopicsBody: Any = type(
    "TopicsBody",
    (Shape,),
    {"__doc__": "By topic; one that is not named is as usual.", "__module__": __name__}
    | {name: TopicBody(required=False) for name in TOPICS},
)


class MessageSettingsBody(Shape):
    topics = TopicsBody()
    quiet = QuietBody(allow_null=True, required=False)


class Messages(Resource):
    at, key, name, many, tag = "messages/", "message_id", "message", "messages", TAG
    shape = MessageShape
    write_scope = "book"
    needs_person = True

    def visible(self, pk: UUID) -> Message:
        return message_by_id(self.actor, pk)

    @lists(_("Inbox"), MessageQuery)
    def rows(self, query: dict[str, Any]) -> QuerySet[Message]:
        """One's own messages, the newest first; half a year of them."""
        return inbox_of(self.actor, unread=query["unread"])

    @acts(
        _("Mark all as read"),
        Shape,
        below="*read",
        address="api-messages-read",
        named="messages_read",
        gives=ReadShape,
        refuses=[],
        versioned=False,
        once=False,
    )
    def read(self, data: dict[str, Any]) -> dict[str, int]:
        """All one's own."""
        return {"read": messages_read(**self.by)}

    @reads(_("A message"))
    def detail(self, pk: UUID) -> None:
        """Reading it here does not mark it."""

    @changes(_("Mark a message"), ReadBody, named="_read")
    def mark(self, pk: UUID, data: dict[str, Any]) -> None:
        """As read, or as not read."""
        self.meant(pk)
        message_read(message_id=pk, **data, **self.by)


class MessageChoices(Endpoint):
    write_scope = "book"
    needs_person = True

    @operation("message_settings", _("Message settings"), tag=TAG, gives=MessageSettingsBody)
    def get(self, request: Request) -> Response:
        """Every topic as it is in force, and the quiet hours."""
        return self._shown(settings_of(self.actor))

    @operation(
        "message_settings_set",
        _("Change message settings"),
        tag=TAG,
        takes=MessageSettingsBody,
        gives=MessageSettingsBody,
        versioned=True,
        sends={
            "topics": {"request": {"mail": "daily"}, "reminder": {"mail": "off"}},
            "quiet": {"start": "22:00", "end": "07:00"},
        },
    )
    def put(self, request: Request) -> Response:
        """Whole: what is not named is as usual. Some topics cannot be switched off
        (`required-message`)."""
        body = checked(MessageSettingsBody, request.data)
        quiet = body.get("quiet")
        made = choices_set(
            actor=self.actor,
            topics={name: Choice(**said) for name, said in body["topics"].items()},
            quiet=Quiet(quiet["start"], quiet["end"]) if quiet else None,
            now=self.now,
            expected_version=expected_version(request),
        )
        return self._shown(made)

    @staticmethod
    def _shown(row: MessageSettings) -> Response:
        chosen = choices_in(row)
        shown = {"topics": {name: chosen.of(name) for name in TOPICS}, "quiet": chosen.quiet}
        return Response(rendered(MessageSettingsBody, shown), headers=etag(row.version))
