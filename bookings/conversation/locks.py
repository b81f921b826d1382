"""Locks of conversations, after the booking that one is about."""

from uuid import UUID

from bookings.conversation.models import ProposedTime, Thread


def lock_thread(thread_id: UUID) -> Thread:
    """Lock a conversation: what is written in it, and its proposed times, come one at a time."""
    return Thread.objects.select_for_update(no_key=True).get(pk=thread_id)


def lock_proposal(proposal_id: UUID) -> ProposedTime:
    """Lock the conversation of a proposed time, and return it as it is then."""
    thread_id = ProposedTime.objects.values_list("thread_id", flat=True).get(pk=proposal_id)
    lock_thread(thread_id)
    return ProposedTime.objects.select_related("thread", "comment__author").get(pk=proposal_id)
