from bookings.conversation.models.threads import Comment, CommentFile, ProposedTime, Thread, ThreadRead

__all__ = ["Comment", "CommentFile", "ProposedTime", "Thread", "ThreadRead"]
