"""Conversations about bookings, needs, samples and bids, and the other times proposed in them."""

from typing import Any
from uuid import UUID

from django.http.response import HttpResponseBase
from django.urls import URLPattern
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request

from accounts.api.endpoint import Endpoint
from accounts.api.memberships import PersonShape
from accounts.api.resource import Resource, acts, reads, tells
from accounts.api.schema import operation
from accounts.api.shapes import Flag, Instant, Shape, Text
from bookings.catalogue.api.asking import period_of
from bookings.conversation.domain.threads import LONGEST_TEXT
from bookings.conversation.models import ProposedTime
from bookings.conversation.models.threads import Side
from bookings.conversation.selectors import threads
from bookings.conversation.services.comments import (
    comment_withdraw,
    comment_write,
    thread_reopen,
    thread_resolve,
)
from bookings.conversation.services.proposals import proposal_accept, proposal_decline, proposal_make
from bookings.record.domain.periods import Period
from bookings.reserving.api.moves import MoveShape
from bookings.reserving.selectors.moves import Move, load_move
from instruments.attachments.api.attachments import StoredFileShape, Upload, binary


class CommentFileShape(StoredFileShape):
    """A picture, re-encoded, or a document. `files` are its addresses in the API by size: `large` and `small`
    for a picture (WebP), `file` for a document (PDF)."""

    address = "api-comment-file"


class ProposedTimeShape(serializers.Serializer[Any]):
    """Another time that a comment proposes. The time is not held. The proposal lapses when the booking
    changes, and at `until`."""

    id = serializers.UUIDField()
    start = Instant(source="start_at")
    end = Instant(source="end_at")
    until = Instant()
    state = serializers.ChoiceField(ProposedTime.State.choices, source="state_now")
    decided_at = Instant(allow_null=True)


class CommentShape(serializers.Serializer[Any]):
    """A comment that a person wrote for their side. A withdrawn comment has no text and no files. `author` is
    null for the host of a bid before it is accepted: it does not learn yet who enquires."""

    id = serializers.UUIDField()
    author = PersonShape(source="shown_author", allow_null=True)
    side = serializers.ChoiceField(Side.choices)
    text = serializers.CharField()
    created_at = Instant()
    withdrawn_at = Instant(allow_null=True)
    is_unread = serializers.BooleanField()
    files = CommentFileShape(many=True)
    proposal = ProposedTimeShape(allow_null=True, source="proposed")


class ConversationShape(serializers.Serializer[Any]):
    """All comments of a conversation, oldest first. `side` is the caller's; `waits_for` is the side whose
    answer is awaited, empty if none is."""

    side = serializers.ChoiceField(Side.choices)
    waits_for = serializers.CharField()
    resolved_at = Instant(allow_null=True)
    unread = serializers.IntegerField()
    version = serializers.IntegerField()
    comments = CommentShape(many=True)


class CommentBody(Shape):
    text = Text(LONGEST_TEXT, help_text="Plain text.")
    resolves = Flag(default=False, help_text="Marks the conversation as resolved.")


class CommentFileBody(Shape):
    file = Upload(help_text="JPEG, PNG or WebP up to 15 MB; PDF up to 25 MB.")
    name = Text(250, help_text="File name shown to readers.")
    text = Text(LONGEST_TEXT, required=False, allow_blank=True)


class ProposedTimeBody(Shape):
    """Another time to propose, and a comment on it."""

    start = Instant()
    end = Instant()
    text = Text(LONGEST_TEXT, required=False, allow_blank=True)


def of_kind(kind: str, at: str, key: str, tag: str) -> list[URLPattern]:
    """Return the addresses of conversations about one kind of subject."""

    class Conversations(Resource):
        shape, write_scope, needs_person = ConversationShape, "book", True

        def visible(self, pk: UUID) -> threads.Conversation:
            return threads.conversation_by_id(self.actor, kind, pk, self.now, with_offer=False)

        def location(self, row: Any) -> str:
            return ""

        @tells(_("The conversation"), ConversationShape, below="conversation")
        def conversation(self, pk: UUID) -> threads.Conversation:
            """Return the conversation about a subject, to those who take part in it. About a booking: its
            person, whoever made it, and the managers and finance of payer and host. About a need: its author,
            the payer's managers, and the readers whom its author named. About a bid: the person who enquired,
            the payer's managers, and the managers of the host."""
            return self.visible(pk)

        @acts(
            _("Write a comment"),
            CommentBody,
            below="conversation",
            named="_comment",
            status=201,
            versioned=False,
            sends={"text": "Is the sample holder for 3 mm grids there?"},
        )
        def comment(self, pk: UUID, data: dict[str, Any]) -> None:
            """Add a comment. The other side is told once of all comments written within five minutes. A
            comment cannot be edited, but its author can withdraw it for fifteen minutes. A person can write
            thirty comments per hour."""
            comment_write(self.by, kind=kind, subject_id=pk, **data)

        @acts(
            _("Resolve a conversation"),
            below="conversation/resolve",
            named="_conversation_resolve",
            address=f"api-{kind}-conversation-resolve",
            versioned=False,
        )
        def resolve(self, pk: UUID) -> None:
            """Mark the conversation as resolved: it needs no more answers. The next comment reopens it."""
            thread_resolve(self.by, kind=kind, subject_id=pk)

        @acts(
            _("Reopen a conversation"),
            below="conversation/reopen",
            named="_conversation_reopen",
            address=f"api-{kind}-conversation-reopen",
            versioned=False,
        )
        def reopen(self, pk: UUID) -> None:
            """Reopen a resolved conversation; the other side is expected to answer."""
            thread_reopen(self.by, kind=kind, subject_id=pk)

    class Attached(Resource):
        shape, write_scope, needs_person = ConversationShape, "book", True
        parser_classes = [MultiPartParser]

        def visible(self, pk: UUID) -> threads.Conversation:
            return threads.conversation_by_id(self.actor, kind, pk, self.now, with_offer=False)

        def location(self, row: Any) -> str:
            return ""

        @acts(
            _("Write a comment with a file"),
            CommentFileBody,
            below="conversation/attachments",
            named="_comment_file",
            address=f"api-{kind}-conversation-attachments",
            status=201,
            versioned=False,
        )
        def attach(self, pk: UUID, data: dict[str, Any]) -> None:
            """Add a comment with a file, sent as `multipart/form-data`. The type of the file is determined
            from its content, as for attachments of instruments."""
            files = [(data["name"], data["file"])]
            comment_write(self.by, kind=kind, subject_id=pk, text=data.get("text", ""), files=files)

    for each in (Conversations, Attached):
        each.at, each.key, each.tag, each.name, each.many = at, key, tag, kind, kind + "s"
    return [*Conversations.routes(), *Attached.routes()]


class Proposing(Resource):
    """The operation that proposes another time for a booking to the other side."""

    at, key, tag = "reservations/", "reservation_id", "reservations"
    name, many, shape = "reservation", "reservations", ProposedTimeShape
    write_scope, needs_person = "book", True

    @acts(
        _("Propose another time"),
        ProposedTimeBody,
        below="conversation/proposals",
        named="_propose",
        address="api-reservation-proposals",
        gives=ProposedTimeShape,
        status=201,
        refuses=[403, 404, 409, 422],
        sends={"start": "2026-03-06T13:00:00+08:00", "end": "2026-03-06T15:00:00+08:00"},
    )
    def propose(self, pk: UUID, data: dict[str, Any]) -> ProposedTime:
        """Propose another time for a booking. Whoever may move the booking may do this. All rules are checked
        at once, as for a move. A proposal holds nothing, replaces an open one, and lapses after three days,
        when either time begins, or when the booking changes."""
        proposal = proposal_make(
            self.by, reservation_id=pk, period=period_of(data), text=data.get("text", "")
        )
        proposal.state_now = proposal.state  # type: ignore[attr-defined]
        return proposal


class Proposals(Resource):
    at, key, tag = "proposals/", "proposal_id", "reservations"
    name, many, shape = "proposal", "proposals", ProposedTimeShape
    write_scope, needs_person = "book", True

    def visible(self, pk: UUID) -> ProposedTime:
        return threads.proposal_by_id(self.actor, pk, self.now)[0]

    @reads(_("A proposed time"))
    def detail(self, pk: UUID) -> None:
        """Return a proposed time, to participants of the conversation."""

    @tells(_("Preview of accepting a proposed time"), MoveShape, below="move")
    def preview(self, pk: UUID) -> Move:
        """Return what accepting would cost, and what would refuse it now. A time that the host proposes never
        costs a late fee; one that the person proposes costs the same as if they moved the booking
        themselves."""
        row, booking, _side = threads.proposal_by_id(self.actor, pk, self.now)
        period, idea = Period(row.start_at, row.end_at), threads.asked_by(row.comment.side)
        return load_move(self.actor, booking, period, self.now, asked_by=idea)

    @acts(_("Accept a proposed time"), refuses=[403, 404, 409, 422], versioned=False)
    def accept(self, pk: UUID) -> UUID:
        """Accept a proposed time, as a person of the other side who may move the booking: this moves it. If
        the slot is taken by now nothing changes, and the refusal names the nearest time."""
        return proposal_accept(self.by, proposal_id=pk).pk

    @acts(_("Decline a proposed time"), refuses=[403, 404, 409], versioned=False)
    def decline(self, pk: UUID) -> UUID:
        """Decline a proposed time, as a person of the other side; the booking stays as it is."""
        return proposal_decline(self.by, proposal_id=pk).pk


class Comments(Resource):
    at, key, tag = "comments/", "comment_id", "reservations"
    name, many, shape = "comment", "comments", ConversationShape
    write_scope, needs_person = "book", True

    @acts(_("Withdraw a comment"), gives=ConversationShape, versioned=False)
    def withdraw(self, pk: UUID) -> threads.Conversation:
        """Withdraw your own comment, within fifteen minutes. Text and files are deleted; that there was a
        comment remains visible."""
        thread = comment_withdraw(self.by, comment_id=pk).thread
        kind = threads.kind_of(thread)
        subject_id = getattr(thread, f"{kind}_id")
        return threads.conversation_by_id(self.actor, kind, subject_id, self.now, with_offer=False)


class CommentFiles(Endpoint):
    only_reads, needs_person = True, True
    http_method_names = ["get", "head"]

    @operation(
        "comment_file",
        _("A file of a comment"),
        tag="reservations",
        gives=OpenApiTypes.BINARY,
        media=["image/webp", "application/pdf"],
        refuses=[404],
    )
    def get(self, request: Request, file_id: UUID, size: str) -> HttpResponseBase:
        """Return the file as a download, to participants of the conversation."""
        return binary(threads.comment_file_by_id(self.actor, file_id), size)
