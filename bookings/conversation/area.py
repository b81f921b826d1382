"""The manifest of *conversation*."""

from django.db.models import Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from accounts.areas import EMPTIED, GONE, Area, Personal, Record, Told
from accounts.domain.hooks import HookEvent
from accounts.domain.messages import Topic
from accounts.domain.roles import MANAGER, RESEARCHER
from accounts.menu import Below, Waits, signed_in
from accounts.selectors.names import person
from bookings.conversation.messages import ACTS, REFUSALS
from bookings.conversation.models import Comment, CommentFile, Thread, ThreadRead
from bookings.conversation.selectors.threads import threads_waiting
from bookings.conversation.services.comments import comments_forget
from bookings.record.selectors.events import BOOKING, of_reservations

AREA = Area(
    "bookings.conversation",
    refusals=REFUSALS,
    below=(
        Below(
            "bookings:mine",
            "conversations conversation conversation-propose conversation-write conversation-resolve"
            " comment-withdraw proposal-answer",
        ),
    ),
    waits=(
        Waits(
            "conversations", 40, "bookings:conversations",
            ngettext_lazy(
                "conversation that waits for your answer", "conversations that wait for your answer"
            ),
            _("Somebody asks about a booking or a need, or proposes another time."),
            signed_in, lambda actor, now: threads_waiting(actor), entry="bookings:mine", group="waits_for",
        ),
    ),
    records=(
        Record(
            Thread,
            Coalesce(
                "reservation__instrument__name", "sample__name", "bid__instrument__name",
                person("need__user__"),
            ),
            Coalesce("reservation__instrument__name_zh", "bid__instrument__name_zh", Value("")),
            "created_at",
            acts="conversation",
        ),
    ),
    acts=ACTS,
    topics=(
        # Somebody waits for an answer.
        Topic(
            "conversation", _("Conversations"),
            _("questions about bookings and needs, other times proposed"), 40, stays_in_inbox=True,
            roles=frozenset({RESEARCHER, MANAGER}),
        ),
    ),
    personal=(
        Personal(
            "comments", Comment, {"author": EMPTIED},
            "id side text created_at withdrawn_at reservation=thread__reservation_id "
            "need=thread__need_id sample=thread__sample__code bid=thread__bid_id start=proposal__start_at "
            "end=proposal__end_at",
            order="created_at id",
        ),
        Personal(
            "comment_files", CommentFile, {},
            "id comment_id title media_type size",
            order="id", also="comment__author",
        ),
        Personal(
            "conversations_read", ThreadRead, {"user": GONE},
            "read_at reservation=thread__reservation_id need=thread__need_id "
            "sample=thread__sample__code bid=thread__bid_id",
            order="read_at id",
        ),
    ),
    official={
        "bookings.ProposedTime.decided_by": "its time and its answer are among the comments",
        "bookings.Thread.resolved_by": "what was said in it is exported as comments",
    },
    told=(Told(
            "conversation.commented", "thread", Thread,
            "reservation__user need__user sample__user bid__enquiry__user",
        ),),
    forgets=(comments_forget,),
    events=(
        HookEvent(
            "reservation.commented", _("somebody wrote a comment on a booking"), 100,
            ("conversation.commented",),
            of_reservations, BOOKING,
        ),
    ),
    files=(CommentFile.objects.values_list("pk", "kind"),),
)  # fmt: skip
