"""Read conversations, as far as each person takes part in them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import OuterRef, Q, QuerySet, Subquery

from accounts.domain.errors import NotFound
from accounts.domain.roles import Actor
from accounts.letters.words import named
from accounts.models import User
from accounts.selectors.memberships import place_of
from accounts.selectors.rows import any_of, visible
from bookings.conversation.domain.threads import HOST, WITHDRAWABLE, state_of
from bookings.conversation.models import Comment, CommentFile, ProposedTime, Thread, ThreadRead
from bookings.conversation.models.threads import Side
from bookings.conversation.selectors.subjects import SUBJECTS, subject_of
from bookings.record.domain.periods import Period
from bookings.record.domain.reservations import effective_state, is_own
from bookings.record.models import Reservation
from bookings.record.selectors.reservations import manages
from bookings.reserving.domain import moves
from bookings.reserving.selectors.moves import Move, load_move

_WITH = [f"{kind}__{name}" for kind, names in {
    "reservation": ("instrument__facility", "user", "made_by", "organisation__region",
                    "host__region", "payer_region", "host_region"),
    "need": ("user", "organisation__region"),
    "sample": ("user", "organisation__region"),
    "bid": ("instrument__facility", "host__region", "enquiry__user", "enquiry__organisation__region"),
}.items() for name in names]  # fmt: skip


@dataclass(frozen=True)
class Conversation:
    """A conversation as a person sees it: its subject, their side, and its comments, oldest first, each with
    its files, the time it proposes, and its author as far as the person may know them. unread: comments of
    others since they last read it; may_move: whether they may propose and accept another time; offer: what
    accepting the time proposed to them would mean."""

    kind: str
    subject: Any
    side: str
    thread: Thread | None = None
    comments: Sequence[Comment] = ()
    unread: int = 0
    may_move: bool = False
    offer: Move | None = None

    @property
    def version(self) -> int:
        return self.thread.version if self.thread else 0

    @property
    def waits_for(self) -> str:
        return self.thread.waits_for if self.thread else ""

    @property
    def resolved_at(self) -> datetime | None:
        return self.thread.resolved_at if self.thread else None


def load_conversation(
    actor: Actor, kind: str, subject: Any, now: datetime, *, with_offer: bool = True
) -> Conversation | None:
    """Return the conversation about a subject that is already loaded; None if the actor takes no part in it.
    It takes one statement if nothing is written yet, otherwise three, and those of `load_move` if a time is
    proposed to the actor."""
    side = SUBJECTS[kind].side_of(actor, subject)
    if side is None:
        return None
    may_move = kind == "reservation" and _may_move(actor, subject, side, now)
    read = ThreadRead.objects.filter(thread=OuterRef("pk"), user_id=actor.person)
    threads = Thread.objects.annotate(read_at=Subquery(read.values("read_at")))
    thread = threads.filter(**{kind: subject}).first()
    if thread is None:
        return Conversation(kind, subject, side, may_move=may_move)
    comments = list(
        thread.comments.select_related("author", "proposal")
        .prefetch_related("files")
        .order_by("created_at", "id")
    )
    unread, offer = 0, None
    hidden_as = SUBJECTS[kind].hidden_as(subject) if side == HOST else None
    for comment in comments:
        is_hidden = hidden_as is not None and comment.side != side
        comment.shown_author = None if is_hidden else comment.author  # type: ignore[attr-defined]
        comment.signed = named(hidden_as) if is_hidden else str(comment.author)  # type: ignore[attr-defined]
        is_mine, is_gone = comment.author_id == actor.user_id, comment.withdrawn_at is not None
        comment.is_unread = bool(  # type: ignore[attr-defined]
            not is_mine and not is_gone and (thread.read_at is None or thread.read_at < comment.created_at)
        )
        unread += comment.is_unread  # type: ignore[attr-defined]
        comment.may_withdraw = (  # type: ignore[attr-defined]
            is_mine and not is_gone and now < comment.created_at + WITHDRAWABLE
        )
        proposal = getattr(comment, "proposal", None)
        comment.proposed = proposal  # type: ignore[attr-defined]
        if proposal is None:
            continue
        state = proposal.state_now = proposal_state(proposal, subject, now)
        proposal.shown_label = ProposedTime.State(state).label
        if may_move and with_offer and proposal.state_now == "open" and comment.side != side:
            offer = load_move(
                actor, subject, Period(proposal.start_at, proposal.end_at), now,
                asked_by=asked_by(comment.side),
            )  # fmt: skip
    return Conversation(kind, subject, side, thread, comments, unread, may_move, offer)


def conversation_by_id(
    actor: Actor, kind: str, pk: UUID, now: datetime, *, with_offer: bool = True
) -> Conversation:
    """Return the conversation about a subject given by its id; raise `NotFound` if there is none or the actor
    takes no part."""
    subject, _ = subject_of(actor, kind, pk)
    found = load_conversation(actor, kind, subject, now, with_offer=with_offer)
    if found is None:
        raise NotFound
    return found


def thread_version(actor: Actor, kind: str, pk: UUID) -> int:
    """Return the version of the conversation about a subject, 0 before the first comment."""
    subject, _ = subject_of(actor, kind, pk)
    return Thread.objects.filter(**{kind: subject}).values_list("version", flat=True).first() or 0


def threads_waiting(actor: Actor) -> QuerySet[Thread]:
    """Return the conversations that wait for the actor's answer, the longest waiting first."""
    waiting = [
        Q(subject.answering(actor, side), waits_for=side)
        for subject in SUBJECTS.values()
        for side in Side.values
    ]
    return Thread.objects.filter(any_of(waiting)).order_by("created_at", "id")


def with_subjects(threads: QuerySet[Thread]) -> list[Thread]:
    """Return conversations with the kind, the name and the address of their subject. It takes one
    statement."""
    rows = list(threads.select_related(*_WITH))
    for row in rows:
        kind = kind_of(row)
        row.kind, row.subject = kind, getattr(row, kind)  # type: ignore[attr-defined]
        subject = SUBJECTS[kind]
        row.address, row.name = subject.address(row.subject), subject.name(row.subject)  # type: ignore[attr-defined]
    return rows


def threads_told() -> QuerySet[Thread]:
    """Return conversations loaded with what messages say about their subject."""
    return Thread.objects.select_related(*_WITH)


def kind_of(thread: Thread) -> str:
    return next(kind for kind in SUBJECTS if getattr(thread, f"{kind}_id") is not None)


def people_told(thread: Thread, side: str, *, besides: Iterable[UUID] = ()) -> list[User]:
    """Return, once each, the people to tell on a side, except those in `besides`."""
    kind = kind_of(thread)
    people = {person.pk: person for person in SUBJECTS[kind].people(getattr(thread, kind), side)}
    return [person for pk, person in people.items() if pk not in set(besides)]


def comments_told(thread: Thread, side: str, since: datetime, until: datetime) -> list[Comment]:
    """Return the comments that a side wrote in an interval and that were not withdrawn. It takes one
    statement."""
    return list(
        thread.comments.filter(side=side, created_at__gte=since, created_at__lt=until, withdrawn_at=None)
        .select_related("author")
        .order_by("created_at", "id")
    )


def comment_by_id(actor: Actor, comment_id: UUID) -> Comment:
    """Return a comment with its conversation; raise `NotFound` if the actor takes no part in it."""
    row = visible(Comment.objects.select_related("thread"), pk=comment_id)
    _subject_of_thread(actor, row.thread)
    return row


def proposal_by_id(actor: Actor, proposal_id: UUID, now: datetime) -> tuple[ProposedTime, Reservation, str]:
    """Return a proposed time with its present state, the booking it is for, and the actor's side; raise
    `NotFound` if the actor takes no part in the conversation."""
    row = visible(ProposedTime.objects.select_related("comment", "thread"), pk=proposal_id)
    booking, side = _subject_of_thread(actor, row.thread)
    row.state_now = proposal_state(row, booking, now)  # type: ignore[attr-defined]
    return row, booking, side


def comment_file_by_id(actor: Actor, file_id: UUID) -> CommentFile:
    """Return a file of a comment; raise `NotFound` if the actor takes no part in its conversation."""
    row = visible(CommentFile.objects.select_related("comment__thread"), pk=file_id)
    _subject_of_thread(actor, row.comment.thread)
    return row


def proposal_state(proposal: ProposedTime, reservation: Reservation, now: datetime) -> str:
    return state_of(
        proposal.state,
        until=proposal.until,
        proposed_for=proposal.booking_version,
        version=reservation.version,
        now=now,
    )


def asked_by(side: str) -> str:
    """Return the side of a move (host or person) that a side of a conversation stands for."""
    return moves.HOST if side == HOST else moves.PERSON


def _subject_of_thread(actor: Actor, thread: Thread) -> tuple[Any, str]:
    kind = kind_of(thread)
    return subject_of(actor, kind, getattr(thread, f"{kind}_id"))


def _may_move(actor: Actor, row: Reservation, side: str, now: datetime) -> bool:
    if effective_state(row.state, row.deadline_at, now) not in {"requested", "confirmed", "in_use"}:
        return False
    if side == HOST:
        return manages(actor, row)
    return is_own(actor.user_id, person=row.user_id, maker=row.made_by_id) or actor.may(
        "book-for-members", place_of(row.organisation)
    )
