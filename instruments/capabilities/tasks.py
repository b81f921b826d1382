"""The letters of *capabilities*."""

from accounts.work import Tasks
from instruments.capabilities.notifications import questions

TASKS = Tasks(
    letters=(questions.KINDS,),
)  # fmt: skip
