"""Writing in a conversation, taking it back, resolving and reopening."""

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Q, QuerySet

from accounts import trail
from accounts.domain.errors import NotPermitted, invalid
from accounts.domain.roles import By
from accounts.models import User
from accounts.notifications import Effect, enqueue
from bookings.conversation.domain.threads import (
    MOST_FILES,
    TOGETHER,
    check_room,
    check_text,
    check_withdrawable,
    other,
    told_at,
)
from bookings.conversation.locks import lock_thread
from bookings.conversation.models import Comment, CommentFile, ProposedTime, Thread, ThreadRead
from bookings.conversation.selectors.subjects import subject_of
from bookings.conversation.selectors.threads import comment_by_id
from instruments.domain import attachments as rules
from instruments.services.attachments import Upload, files_put, stored_files_delete


def comment_write(
    by: By,
    *,
    kind: str,
    subject_id: UUID,
    text: str = "",
    files: Sequence[Upload] = (),
    resolves: bool = False,
) -> Comment:
    """Write in the conversation about a subject, for one's side; the other side is expected to
    answer, unless this `resolves` it. Files are taken by the rules of those of instruments.

    `NotFound` for whoever takes no part, `Invalid`, `WrongState` (conversation-full,
    too-many-comments).
    """
    subject_of(by.actor, kind, subject_id)  # before anything is worked on
    if len(files) > MOST_FILES:
        raise invalid("file", "too-many", most=MOST_FILES)
    with files_put(CommentFile, files) as rows, transaction.atomic():
        comment = comment_store(by, kind, subject_id, check_text(text, is_needed=not rows), rows)
        if resolves:
            _resolve(by, comment.thread)
        enqueue([_told_effect(comment)], now=by.now)
    return comment


def comment_store(
    by: By, kind: str, subject_id: UUID, text: str, files: Sequence[CommentFile] = ()
) -> Comment:
    """Store a comment within the caller's transaction; the conversation stays locked."""
    subject, side = subject_of(by.actor, kind, subject_id)
    thread, _ = Thread.objects.get_or_create(**{kind: subject}, defaults={"created_at": by.now})
    thread = lock_thread(thread.pk)
    counted = thread.comments.aggregate(
        there=Count("pk"),
        lately=Count(
            "pk",
            filter=Q(author_id=by.actor.person, created_at__gt=by.now - timedelta(hours=1)),
        ),
    )
    check_room(counted["there"], counted["lately"])
    _check_files(thread, files)
    comment = Comment.objects.create(
        thread=thread,
        author_id=by.actor.person,
        side=side,
        text=text,
        digest=hashlib.sha256(text.encode()).hexdigest(),
        created_at=by.now,
    )
    for file in files:
        file.comment = comment
    CommentFile.objects.bulk_create(files)
    thread_touch(thread, waits_for=other(side), resolved_at=None, resolved_by_id=None)
    _mark_read(by, thread)
    recorded = {"comment": comment.pk, "side": side, "digest": comment.digest}
    if files:
        recorded["files"] = [file.digest for file in files]
    trail.record(by, "conversation.comment", thread, after=recorded)
    return comment


@transaction.atomic
def comment_withdraw(by: By, *, comment_id: UUID) -> Comment:
    """Take back what one wrote, for a quarter of an hour: text and files go, and a time it
    proposed; that there was a comment stays. `NotPermitted` for another's, `WrongState`
    (too-late-to-withdraw)."""
    comment = comment_by_id(by.actor, comment_id)
    thread = lock_thread(comment.thread_id)
    comment.refresh_from_db(fields=["withdrawn_at"])
    if comment.author_id != by.actor.user_id:
        raise NotPermitted
    if comment.withdrawn_at is not None:
        return comment
    check_withdrawable(comment.created_at, by.now)
    _empty(Comment.objects.filter(pk=comment.pk), by)
    ProposedTime.objects.filter(comment=comment, state="open").update(
        state=ProposedTime.State.WITHDRAWN, decided_at=by.now, decided_by=by.actor.user_id
    )
    last = thread.comments.filter(withdrawn_at=None).order_by("created_at", "id").last()
    waits_for = other(last.side) if last and thread.resolved_at is None else ""
    thread_touch(thread, waits_for=waits_for)
    recorded = {"comment": comment.pk, "digest": comment.digest}
    trail.record(by, "conversation.withdraw", thread, before=recorded)
    comment.refresh_from_db()
    return comment


@transaction.atomic
def thread_resolve(by: By, *, kind: str, subject_id: UUID) -> None:
    """Say that nothing is left to answer; twice is once."""
    if thread := _locked(by, kind, subject_id):
        _resolve(by, thread)


@transaction.atomic
def thread_reopen(by: By, *, kind: str, subject_id: UUID) -> None:
    """Say that something is left: the other side is expected to answer."""
    thread = _locked(by, kind, subject_id)
    if thread is None or thread.resolved_at is None:
        return
    _, side = subject_of(by.actor, kind, subject_id)
    thread_touch(thread, waits_for=other(side), resolved_at=None, resolved_by_id=None)
    trail.record(by, "conversation.reopen", thread)


@transaction.atomic
def thread_read(by: By, *, kind: str, subject_id: UUID) -> None:
    """Note that somebody has read a conversation up to now."""
    subject, _ = subject_of(by.actor, kind, subject_id)
    if thread := Thread.objects.filter(**{kind: subject}).first():
        _mark_read(by, thread)


def comments_forget(by: By, *, user: User) -> None:
    """Take text and files away from all that somebody wrote, within the caller's transaction, and
    the conversations about their needs, which go with these."""
    dropped = CommentFile.objects.filter(comment__thread__need__user=user)
    stored_files_delete(dropped)
    ProposedTime.objects.filter(comment__author=user, state="open").update(
        state=ProposedTime.State.WITHDRAWN, decided_at=by.now
    )
    _empty(Comment.objects.filter(author=user, withdrawn_at=None), by)
    ThreadRead.objects.filter(user=user).delete()


def thread_touch(thread: Thread, **changes: Any) -> None:
    """Change a locked conversation; whoever watches it sees another version."""
    for name, value in changes.items():
        setattr(thread, name, value)
    thread.version += 1
    thread.save(update_fields=[name.removesuffix("_id") for name in changes] + ["version"])


def _check_files(thread: Thread, files: Sequence[CommentFile]) -> None:
    """`Invalid` where a conversation would have more files of a kind than an instrument may."""
    for kind in sorted({file.kind for file in files}):
        there = CommentFile.objects.filter(comment__thread=thread, kind=kind).count()
        adding = sum(file.kind == kind for file in files)
        rules.check_room(kind, there + adding - 1)


def _locked(by: By, kind: str, subject_id: UUID) -> Thread | None:
    subject, _ = subject_of(by.actor, kind, subject_id)
    pk = Thread.objects.filter(**{kind: subject}).values_list("pk", flat=True).first()
    return lock_thread(pk) if pk else None


def _resolve(by: By, thread: Thread) -> None:
    if thread.resolved_at is None:
        thread_touch(thread, waits_for="", resolved_at=by.now, resolved_by_id=by.actor.person)
        trail.record(by, "conversation.resolve", thread)


def _mark_read(by: By, thread: Thread) -> None:
    ThreadRead.objects.update_or_create(
        thread=thread, user_id=by.actor.person, defaults={"read_at": by.now}
    )


def _empty(comments: QuerySet[Comment], by: By) -> None:
    """Take the text and files of comments away."""
    stored_files_delete(CommentFile.objects.filter(comment__in=comments.values("pk")))
    comments.update(text="", withdrawn_at=by.now)


def _told_effect(comment: Comment) -> Effect:
    """The word to the other side: one for all that a side writes in a stretch of time, at its
    end."""
    until, thread = told_at(comment.created_at), comment.thread
    booking = {"reservation": str(thread.reservation_id)} if thread.reservation_id else {}
    return Effect(
        kind="conversation.commented",
        key=f"conversation.commented:{comment.thread_id}:{comment.side}:{until.isoformat()}",
        payload={
            "thread": str(comment.thread_id),
            "side": comment.side,
            "since": (until - TOGETHER).isoformat(),
            "until": until.isoformat(),
        }
        | booking,
        due_at=until,
    )
