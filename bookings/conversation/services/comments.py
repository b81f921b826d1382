"""Write and withdraw comments; resolve and reopen conversations."""

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Q, QuerySet

from accounts import trail
from accounts.domain.errors import NotPermitted, invalid
from accounts.domain.roles import PLATFORM, By
from accounts.models import User
from accounts.notifications import Effect, enqueue
from bookings.conversation.domain import threads
from bookings.conversation.locks import lock_thread
from bookings.conversation.models import Comment, CommentFile, ProposedTime, Thread, ThreadRead
from bookings.conversation.selectors.subjects import subject_of
from bookings.conversation.selectors.threads import comment_by_id
from instruments.attachments.domain import attachments as rules
from instruments.attachments.services.attachments import Upload, files_put, stored_files_delete


def comment_write(
    by: By,
    *,
    kind: str,
    subject_id: UUID,
    text: str = "",
    files: Sequence[Upload] = (),
    resolves: bool = False,
) -> Comment:
    """Write a comment for the actor's side in the conversation about a subject. The other side is then
    expected to answer, unless the comment `resolves` it. Files are checked by the rules for attachments of
    instruments.

    Raise `NotFound` if the actor takes no part, `Invalid`, `WrongState` (conversation-full,
    too-many-comments).
    """
    subject_of(by.actor, kind, subject_id)  # checked before the files are processed
    if len(files) > threads.MOST_FILES:
        raise invalid("file", "too-many", most=threads.MOST_FILES)
    with files_put(CommentFile, files) as rows, transaction.atomic():
        comment = comment_store(by, kind, subject_id, threads.check_text(text, is_needed=not rows), rows)
        if resolves:
            _resolve(by, comment.thread, comment.side)
        enqueue([_told_effect(comment)], now=by.now)
    return comment


def comment_store(
    by: By, kind: str, subject_id: UUID, text: str, files: Sequence[CommentFile] = ()
) -> Comment:
    """Store a comment in the caller's transaction; the conversation remains locked."""
    subject, side = subject_of(by.actor, kind, subject_id)
    thread, _ = Thread.objects.get_or_create(**{kind: subject}, defaults={"created_at": by.now})
    thread = lock_thread(thread.pk)
    counted = thread.comments.aggregate(
        there=Count("pk"),
        lately=Count("pk", filter=Q(author_id=by.actor.person, created_at__gt=by.now - timedelta(hours=1))),
    )
    threads.check_room(counted["there"], counted["lately"])
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
    thread_touch(thread, waits_for=threads.other(side), resolved_at=None, resolved_by_id=None)
    _mark_read(by, thread)
    recorded = {"comment": comment.pk, "side": side, "digest": comment.digest}
    if files:
        recorded["files"] = [file.digest for file in files]
    trail.record(_seen(by, thread, side), "conversation.comment", thread, after=recorded)
    return comment


@transaction.atomic
def comment_withdraw(by: By, *, comment_id: UUID) -> Comment:
    """Withdraw a comment of the actor's own within a quarter of an hour: text and files are deleted, and a
    time that it proposes is withdrawn; that there was a comment remains visible. Raise `NotPermitted` for
    another person's, `WrongState` (too-late-to-withdraw)."""
    comment = comment_by_id(by.actor, comment_id)
    thread = lock_thread(comment.thread_id)
    comment.refresh_from_db(fields=["withdrawn_at"])
    if comment.author_id != by.actor.user_id:
        raise NotPermitted
    if comment.withdrawn_at is not None:
        return comment
    threads.check_withdrawable(comment.created_at, by.now)
    _empty(Comment.objects.filter(pk=comment.pk), by)
    ProposedTime.objects.filter(comment=comment, state="open").update(
        state=ProposedTime.State.WITHDRAWN, decided_at=by.now, decided_by=by.actor.user_id
    )
    last = thread.comments.filter(withdrawn_at=None).order_by("created_at", "id").last()
    waits_for = threads.other(last.side) if last and thread.resolved_at is None else ""
    thread_touch(thread, waits_for=waits_for)
    recorded = {"comment": comment.pk, "digest": comment.digest}
    trail.record(_seen(by, thread, comment.side), "conversation.withdraw", thread, before=recorded)
    comment.refresh_from_db()
    return comment


@transaction.atomic
def thread_resolve(by: By, *, kind: str, subject_id: UUID) -> None:
    """Resolve a conversation, so that no answer is awaited any more. Do nothing if it is resolved already."""
    _, side = subject_of(by.actor, kind, subject_id)
    if thread := _locked(by, kind, subject_id):
        _resolve(by, thread, side)


@transaction.atomic
def thread_reopen(by: By, *, kind: str, subject_id: UUID) -> None:
    """Reopen a resolved conversation: the other side is expected to answer. Do nothing if it is open."""
    thread = _locked(by, kind, subject_id)
    if thread is None or thread.resolved_at is None:
        return
    _, side = subject_of(by.actor, kind, subject_id)
    thread_touch(thread, waits_for=threads.other(side), resolved_at=None, resolved_by_id=None)
    trail.record(_seen(by, thread, side), "conversation.reopen", thread)


@transaction.atomic
def thread_read(by: By, *, kind: str, subject_id: UUID) -> None:
    """Record that the actor has read a conversation up to now."""
    subject, _ = subject_of(by.actor, kind, subject_id)
    if thread := Thread.objects.filter(**{kind: subject}).first():
        _mark_read(by, thread)


def comments_forget(by: By, *, user: User) -> None:
    """Delete the text and the files of everything that a person wrote, and the files in conversations about
    their needs, which go when the needs are deleted; withdraw the times they propose. In the caller's
    transaction."""
    dropped = CommentFile.objects.filter(comment__thread__need__user=user)
    stored_files_delete(dropped)
    ProposedTime.objects.filter(comment__author=user, state="open").update(
        state=ProposedTime.State.WITHDRAWN, decided_at=by.now
    )
    _empty(Comment.objects.filter(author=user, withdrawn_at=None), by)


def thread_touch(thread: Thread, **changes: Any) -> None:
    """Change fields of a locked conversation and raise its version, which those who watch it notice."""
    for name, value in changes.items():
        setattr(thread, name, value)
    thread.version += 1
    thread.save(update_fields=[name.removesuffix("_id") for name in changes] + ["version"])


def _check_files(thread: Thread, files: Sequence[CommentFile]) -> None:
    """Raise `Invalid` if a conversation would have more files of a kind than an instrument may have."""
    for kind in sorted({file.kind for file in files}):
        there = CommentFile.objects.filter(comment__thread=thread, kind=kind).count()
        adding = sum(file.kind == kind for file in files)
        rules.check_room(kind, there + adding - 1)


def _locked(by: By, kind: str, subject_id: UUID) -> Thread | None:
    subject, _ = subject_of(by.actor, kind, subject_id)
    pk = Thread.objects.filter(**{kind: subject}).values_list("pk", flat=True).first()
    return lock_thread(pk) if pk else None


def _resolve(by: By, thread: Thread, side: str) -> None:
    if thread.resolved_at is None:
        thread_touch(thread, waits_for="", resolved_at=by.now, resolved_by_id=by.actor.person)
        trail.record(_seen(by, thread, side), "conversation.resolve", thread)


def _seen(by: By, thread: Thread, side: str) -> By:
    """Return who the trail says acted: nobody, if it was a requester about a bid. The host reads that trail,
    and may not learn who enquired."""
    return By(PLATFORM, by.now) if thread.bid_id and side == threads.REQUESTER else by


def _mark_read(by: By, thread: Thread) -> None:
    ThreadRead.objects.update_or_create(thread=thread, user_id=by.actor.person, defaults={"read_at": by.now})


def _empty(comments: QuerySet[Comment], by: By) -> None:
    """Delete the text and the files of comments."""
    stored_files_delete(CommentFile.objects.filter(comment__in=comments.values("pk")))
    comments.update(text="", withdrawn_at=by.now)


def _told_effect(comment: Comment) -> Effect:
    """Return the message to the other side: a single one for all comments of a side within an interval, sent
    at its end."""
    until, thread = threads.told_at(comment.created_at), comment.thread
    booking = {"reservation": str(thread.reservation_id)} if thread.reservation_id else {}
    return Effect(
        kind="conversation.commented",
        key=f"conversation.commented:{comment.thread_id}:{comment.side}:{until.isoformat()}",
        payload={
            "thread": str(comment.thread_id),
            "side": comment.side,
            "since": (until - threads.TOGETHER).isoformat(),
            "until": until.isoformat(),
        }
        | booking,
        due_at=until,
    )
