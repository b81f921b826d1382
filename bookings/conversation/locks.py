"""Locks of conversations, taken after the lock of the booking that one is about."""

from uuid import UUID

from bookings.conversation.models import ProposedTime, Thread


def lock_thread(thread_id: UUID) -> Thread:
    """Lock a conversation, so that its comments and proposed times are written one at a time."""
    return Thread.objects.select_for_update(no_key=True).get(pk=thread_id)


def lock_proposal(proposal_id: UUID) -> ProposedTime:
    """Lock the conversation of a proposed time, and return the proposed time as it then is."""
    thread_id = ProposedTime.objects.values_list("thread_id", flat=True).get(pk=proposal_id)
    lock_thread(thread_id)
    return ProposedTime.objects.select_related("thread", "comment__author").get(pk=proposal_id)
