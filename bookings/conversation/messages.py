"""Sentences of the refusals of *conversation*."""

from django.utils.translation import gettext_lazy as _

from accounts.areas import Sentence, Words

REFUSALS: dict[str, Sentence] = {
    "conversation-full": _("This conversation has reached its limit of comments ({most})."),
    "too-many-comments": _("Too many comments within an hour (at most {most}): wait a little."),
    "too-late-to-withdraw": _("A comment can be withdrawn only within 15 minutes."),
    "same-time": _("The booking already has this time."),
    "proposal-lapsed": _("The proposed time has lapsed: its time is over, or the booking changed."),
    "proposal-decided": _("This proposal has already been answered, withdrawn or replaced."),
    "proposer-gone": _("Whoever proposed it may no longer move this booking. Propose a new time."),
}

# What the trail calls acts.
ACTS: dict[str, Words] = {
    "conversation.comment": _("Comment written"),
    "conversation.withdraw": _("Comment withdrawn"),
    "conversation.resolve": _("Conversation resolved"),
    "conversation.reopen": _("Conversation reopened"),
    "conversation.propose": _("Another time proposed"),
    "conversation.accept": _("Proposed time accepted"),
    "conversation.decline": _("Proposed time declined"),
}
