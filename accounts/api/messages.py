"""The inbox of the person signed in, and their choices about messages."""

from datetime import time
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.pagination import Pages
from accounts.api.resource import LIST, Resource, acts, changes, lists, reads
from accounts.api.shapes import Choice as OneOf
from accounts.api.shapes import Flag, Instant, Shape
from accounts.domain.messages import RHYTHMS, Choice, Quiet
from accounts.models import Message, MessageSettings
from accounts.selectors.messages import all_topics, choices_in, inbox_of, message_by_id, settings_of
from accounts.services.messages import choices_set, message_read, messages_read

TAG = "messages"
LANGUAGES = ("", "en", "zh-hans")


class MessageQuery(Pages):
    unread = Flag(default=False, help_text="Only unread messages.")


class MessageShape(serializers.Serializer[Any]):
    """A message. `text` contains all that the mail says; `link` is the path on this site of the page it leads
    to; `about` is the id of the record it is about."""

    id = serializers.UUIDField()
    topic = serializers.ChoiceField(choices=sorted(all_topics()))
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
    """The number of messages that were marked as read."""

    read = serializers.IntegerField()


class ClockTime(serializers.TimeField):
    """A field for a time of the day, `22:00`."""

    pattern = r"^([01]\d|2[0-3]):[0-5]\d$"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="%H:%M", input_formats=["%H:%M"], **kwargs)

    def to_internal_value(self, value: Any) -> time:
        if not isinstance(value, str):
            self.fail("invalid", format="HH:MM")
        return super().to_internal_value(value)


class QuietBody(Shape):
    """The hours of the day, in the person's time zone, during which no mail is sent."""

    start = ClockTime()
    end = ClockTime()


class TopicBody(Shape):
    """How a topic reaches the person. Required topics are always `at-once` and in the inbox."""

    mail = OneOf([(name, name) for name in RHYTHMS], default="at-once")
    inbox = Flag(default=True)
    language = OneOf([(name, name) for name in LANGUAGES], default="", allow_blank=True)


TopicsBody: Any = type(
    "TopicsBody",
    (Shape,),
    {"__doc__": "The choices by topic; topics that are left out get the default.", "__module__": __name__}
    | {name: TopicBody(required=False) for name in all_topics()},
)


class MessageSettingsBody(Shape):
    topics = TopicsBody()
    quiet = QuietBody(allow_null=True, required=False)


class Messages(Resource):
    for_persons = True
    at, key, name, many, tag = "messages/", "message_id", "message", "messages", TAG
    shape = MessageShape
    write_scope = "book"
    needs_person = True

    def visible(self, pk: UUID) -> Message:
        return message_by_id(self.actor, pk)

    @lists(_("Inbox"), MessageQuery)
    def rows(self, query: dict[str, Any]) -> QuerySet[Message]:
        """List your messages of the last half year, newest first."""
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
        """Mark all of your messages as read."""
        return {"read": messages_read(self.by)}

    @reads(_("A message"))
    def detail(self, pk: UUID) -> None:
        """Return one of your messages. Reading it here does not mark it as read."""

    @changes(_("Mark a message as read or unread"), ReadBody, named="_read")
    def mark(self, pk: UUID, data: dict[str, Any]) -> None:
        """Mark one of your messages as read or unread."""
        message_read(self.by, message_id=pk, **data)


class MessageChoices(Resource):
    for_persons = True
    at, tag = "message-settings/", TAG
    name = many = "message_settings"
    shape = MessageSettingsBody
    write_scope = "book"
    needs_person = True

    def prepared(self, rows: list[Any]) -> list[Any]:
        chosen = [choices_in(row) for row in rows]
        return [
            {"topics": {name: each.of(topic) for name, topic in all_topics().items()}, "quiet": each.quiet}
            for each in chosen
        ]

    @reads(_("Message settings"), LIST, refuses=[])
    def own(self) -> MessageSettings:
        """Return the choice in force for every topic, and the quiet hours."""
        return settings_of(self.actor)

    @acts(
        _("Change message settings"),
        MessageSettingsBody,
        "put",
        LIST,
        named="_set",
        refuses=[],
        once=False,
        sends={
            "topics": {"request": {"mail": "daily"}, "reminder": {"mail": "off"}},
            "quiet": {"start": "22:00", "end": "07:00"},
        },
    )
    def set(self, data: dict[str, Any]) -> MessageSettings:
        """Replace all choices: topics that are left out return to the default. Some topics cannot be switched
        off (`required-message`)."""
        topics = {name: Choice(**values) for name, values in data["topics"].items()}
        quiet = Quiet(**data["quiet"]) if data.get("quiet") else None
        return choices_set(self.by, topics=topics, quiet=quiet)
