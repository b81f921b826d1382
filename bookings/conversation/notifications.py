"""Messages about conversations: that somebody wrote, and what became of a proposed time.

They say who wrote, when and how much, but not what: the text is stored in one place, from which its author
can withdraw it, and is in nobody's mail.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from accounts.letters.kinds import Content, Kind, table
from accounts.letters.words import listed
from accounts.models import OutboxMessage, User
from bookings.conversation.domain.threads import REQUESTER, other
from bookings.conversation.models import Comment, ProposedTime, Thread
from bookings.conversation.selectors import threads
from bookings.conversation.selectors.subjects import SUBJECTS


@dataclass(frozen=True)
class Told:
    """The subject of a message: the comments of a side, or the time it proposed."""

    thread: Thread
    side: str
    comments: Sequence[Comment] = ()
    proposal: ProposedTime | None = None


def _comments(row: OutboxMessage, now: datetime) -> Told | None:
    """Load those comments that a side wrote in an interval and that were not withdrawn; None without any."""
    thread = threads.threads_told().filter(pk=UUID(row.payload["thread"])).first()
    if thread is None:
        return None
    since, until = (datetime.fromisoformat(row.payload[name]) for name in ("since", "until"))
    comments = threads.comments_told(thread, row.payload["side"], since, until)
    return Told(thread, row.payload["side"], comments) if comments else None


def _proposal(row: OutboxMessage, now: datetime) -> Told | None:
    rows = ProposedTime.objects.select_related("comment__author", "decided_by")
    proposal = rows.filter(pk=UUID(row.payload["proposal"])).first()
    if proposal is None:
        return None
    thread = threads.threads_told().get(pk=proposal.thread_id)
    return Told(thread, proposal.comment.side, [proposal.comment], proposal)


def _others(told: Told) -> list[User]:
    """Return the people of the other side of a conversation, except authors of the comments."""
    return threads.people_told(
        told.thread, other(told.side), besides=[one.author_id for one in told.comments]
    )


def _own(told: Told) -> list[User]:
    """Return the people of the side that proposed another time, except the person who decided."""
    decided_by = told.proposal.decided_by_id if told.proposal else None
    return threads.people_told(told.thread, told.side, besides=[decided_by] if decided_by else [])


def _own_not_moved(told: Told) -> list[User]:
    """Return the people of the side that proposed another time, except the person who decided and the person
    of the booking, who is told that it moved."""
    moved = told.thread.reservation.user_id if told.thread.reservation else None
    return [person for person in _own(told) if person.pk != moved]


def _is_open(told: Told, row: OutboxMessage, now: datetime) -> bool:
    booking = told.thread.reservation
    if told.proposal is None or booking is None:
        return False
    return threads.proposal_state(told.proposal, booking, now) == "open"


def _day(told: Told) -> list[datetime]:
    """Return the start of the proposed time, or else that of the booking; None in a conversation about a need
    or a sample."""
    when = told.proposal or told.thread.reservation
    return [when.start_at] if when else []


def _content(told: Told, row: OutboxMessage, now: datetime) -> Content:
    kind = threads.kind_of(told.thread)
    subject, about = SUBJECTS[kind], getattr(told.thread, kind)
    name = subject.name(about)
    authors = {comment.author_id: comment.author for comment in told.comments}
    if told.proposal and told.proposal.decided_by and row.kind != "conversation.proposed":
        authors = {told.proposal.decided_by.pk: told.proposal.decided_by}
    hidden_as = subject.hidden_as(about) if told.side == REQUESTER else None
    return Content(
        about.pk,
        f"{subject.address(about)}#conversation",
        {
            "about": name if not isinstance(name, str) else name[:60],
            "person": hidden_as or listed(str(author) for author in authors.values()),
        },
        {
            "number": len(told.comments),
            "reservation": told.thread.reservation,
            "proposal": told.proposal,
            "is_open": row.kind == "conversation.proposed",
        },
        days=_day(told),
        zone=told.thread.reservation.instrument.facility.time_zone if told.thread.reservation else "",
        matters_until=told.proposal.until if told.proposal and row.kind == "conversation.proposed" else None,
    )


_kind = partial(
    Kind, topic="conversation", content=_content, template="bookings/conversation/mail/conversation"
)
_decided = partial(_kind, load=_proposal, readers=_own)
KINDS = table(
    _kind(
        "conversation.commented",
        _("New comment: {about}"),
        _("{person} commented on {about}."),
        load=_comments,
        readers=_others,
    ),
    _kind(
        "conversation.proposed",
        _("Another time proposed: {about}"),
        _("{person} proposes another time. The time is not held for you: accept it soon, or decline it."),
        load=_proposal,
        readers=_others,
        is_still_true=_is_open,
    ),
    _decided(
        "conversation.accepted",
        _("Proposed time accepted: {about}"),
        _("{person} accepted the time you proposed. The booking was moved."),
        readers=_own_not_moved,
    ),
    _decided(
        "conversation.declined",
        _("Proposed time declined: {about}"),
        _("{person} declined the time you proposed. The booking stays as it is."),
    ),
)
