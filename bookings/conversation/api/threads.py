"""Conversations about bookings and needs, and other times proposed in them."""

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
from bookings.conversation.selectors.threads import (
    Conversation,
    asked_by,
    comment_file_by_id,
    conversation_by_id,
    kind_of,
    proposal_by_id,
)
from bookings.conversation.services.comments import (
    comment_withdraw,
    comment_write,
    thread_reopen,
    thread_resolve,
)
from bookings.conversation.services.proposals import (
    proposal_accept,
    proposal_decline,
    proposal_make,
)
from bookings.record.domain.periods import Period
from bookings.reserving.api.moves import MoveShape
from bookings.reserving.selectors.moves import Move, load_move
from instruments.api.attachments import StoredFileShape, Upload, binary


class CommentFileShape(StoredFileShape):
    """A picture, re-encoded, or a document. `files` are its addresses in the API by size: `large`
    and `small` of a picture (WebP), `file` of a document (PDF)."""

    address = "api-comment-file"


class ProposedTimeShape(serializers.Serializer[Any]):
    """Another time that a comment proposes. It is not held. It lapses as the booking changes, and
    at `until`."""

    id = serializers.UUIDField()
    start = Instant(source="start_at")
    end = Instant(source="end_at")
    until = Instant()
    state = serializers.ChoiceField(ProposedTime.State.choices, source="state_now")
    decided_at = Instant(allow_null=True)


class CommentShape(serializers.Serializer[Any]):
    """What somebody wrote for their side. One that was withdrawn has no text and no files."""

    id = serializers.UUIDField()
    author = PersonShape()
    side = serializers.ChoiceField(Side.choices)
    text = serializers.CharField()
    created_at = Instant()
    withdrawn_at = Instant(allow_null=True)
    is_unread = serializers.BooleanField()
    files = CommentFileShape(many=True)
    proposal = ProposedTimeShape(allow_null=True, source="proposed")


class ConversationShape(serializers.Serializer[Any]):
    """All comments, the oldest first. `side` is the caller's; `waits_for` the one whose answer is
    awaited, empty where nobody's is."""

    side = serializers.ChoiceField(Side.choices)
    waits_for = serializers.CharField()
    resolved_at = Instant(allow_null=True)
    unread = serializers.IntegerField()
    version = serializers.IntegerField()
    comments = CommentShape(many=True)


class CommentBody(Shape):
    text = Text(LONGEST_TEXT, help_text="Plain text.")
    resolves = Flag(default=False, help_text="Nothing is left to answer.")


class CommentFileBody(Shape):
    file = Upload(help_text="JPEG, PNG or WebP up to 15 MB; PDF up to 25 MB.")
    name = Text(250, help_text="What readers see it called.")
    text = Text(LONGEST_TEXT, required=False, allow_blank=True)


class ProposedTimeBody(Shape):
    """Another time, and a word about it."""

    start = Instant()
    end = Instant()
    text = Text(LONGEST_TEXT, required=False, allow_blank=True)


def of_kind(kind: str, at: str, key: str, tag: str) -> list[URLPattern]:
    """The addresses of conversations about one kind of subject."""

    class Conversations(Resource):
        shape, write_scope, needs_person = ConversationShape, "book", True

        def visible(self, pk: UUID) -> Conversation:
            return conversation_by_id(self.actor, kind, pk, self.now, with_offer=False)

        def location(self, row: Any) -> str:
            return ""

        @tells(_("The conversation"), ConversationShape, below="conversation")
        def conversation(self, pk: UUID) -> Conversation:
            """For those who take part: the person, who booked, the payer's and the host's
            managers and finance; of a need its author, the payer's managers and its readers."""
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
            """For the other side to answer, who are told of all that is written within five
            minutes at once. It is not edited; its author can withdraw it for fifteen minutes.
            Thirty an hour."""
            comment_write(self.by, kind=kind, subject_id=pk, **data)

        @acts(
            _("Resolve a conversation"),
            below="conversation/resolve",
            named="_conversation_resolve",
            address=f"api-{kind}-conversation-resolve",
            versioned=False,
        )
        def resolve(self, pk: UUID) -> None:
            """Nothing is left to answer. The next comment opens it again."""
            thread_resolve(self.by, kind=kind, subject_id=pk)

        @acts(
            _("Reopen a conversation"),
            below="conversation/reopen",
            named="_conversation_reopen",
            address=f"api-{kind}-conversation-reopen",
            versioned=False,
        )
        def reopen(self, pk: UUID) -> None:
            """The other side is expected to answer."""
            thread_reopen(self.by, kind=kind, subject_id=pk)

    class Attached(Resource):
        shape, write_scope, needs_person = ConversationShape, "book", True
        parser_classes = [MultiPartParser]

        def visible(self, pk: UUID) -> Conversation:
            return conversation_by_id(self.actor, kind, pk, self.now, with_offer=False)

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
            once=False,
        )
        def attach(self, pk: UUID, data: dict[str, Any]) -> None:
            """As `multipart/form-data`. What it is is told by its content, as of instruments'
            attachments."""
            files = [(data["name"], data["file"])]
            comment_write(self.by, kind=kind, subject_id=pk, text=data.get("text", ""), files=files)

    for each in (Conversations, Attached):
        each.at, each.key, each.tag, each.name, each.many = at, key, tag, kind, kind + "s"
    return [*Conversations.routes(), *Attached.routes()]


class Proposing(Resource):
    """Another time for a booking, proposed to the other side."""

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
        """For whoever may move the booking. All rules are asked at once, as for a move. It holds
        nothing, takes the place of one that is open, and lapses after three days, when either
        time begins, or as the booking changes."""
        proposal = proposal_make(
            self.by,
            reservation_id=pk,
            period=period_of(data),
            text=data.get("text", ""),
        )
        proposal.state_now = proposal.state  # type: ignore[attr-defined]
        return proposal


class Proposals(Resource):
    at, key, tag = "proposals/", "proposal_id", "reservations"
    name, many, shape = "proposal", "proposals", ProposedTimeShape
    write_scope, needs_person = "book", True

    def visible(self, pk: UUID) -> ProposedTime:
        return proposal_by_id(self.actor, pk, self.now)[0]

    @reads(_("A proposed time"))
    def detail(self, pk: UUID) -> None:
        """For those who take part in the conversation."""

    @tells(_("What taking a proposed time would come to"), MoveShape, below="move")
    def preview(self, pk: UUID) -> Move:
        """The price, and what refuses it now. A time that the host proposes never costs a late
        fee; one that the person proposes costs what moving there themselves does."""
        row, booking, _side = proposal_by_id(self.actor, pk, self.now)
        period, idea = Period(row.start_at, row.end_at), asked_by(row.comment.side)
        return load_move(self.actor, booking, period, self.now, asked_by=idea)

    @acts(_("Take a proposed time"), refuses=[403, 404, 409, 422], versioned=False)
    def accept(self, pk: UUID) -> UUID:
        """For the other side, by whoever may move the booking there: it moves. Where the slot is
        gone by now nothing changes, and the refusal names the nearest time."""
        return proposal_accept(self.by, proposal_id=pk).pk

    @acts(_("Decline a proposed time"), refuses=[403, 404, 409], versioned=False)
    def decline(self, pk: UUID) -> UUID:
        """For the other side; the booking stays as it is."""
        return proposal_decline(self.by, proposal_id=pk).pk


class Comments(Resource):
    at, key, tag = "comments/", "comment_id", "reservations"
    name, many, shape = "comment", "comments", ConversationShape
    write_scope, needs_person = "book", True

    @acts(_("Withdraw a comment"), gives=ConversationShape, versioned=False)
    def withdraw(self, pk: UUID) -> Conversation:
        """For its author, within fifteen minutes: text and files are gone, the place stays."""
        thread = comment_withdraw(self.by, comment_id=pk).thread
        kind = kind_of(thread)
        subject_id = getattr(thread, f"{kind}_id")
        return conversation_by_id(self.actor, kind, subject_id, self.now, with_offer=False)


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
        """The bytes, always to be saved; for those who take part in the conversation."""
        return binary(comment_file_by_id(self.actor, file_id), size)
