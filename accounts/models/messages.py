"""Messages to people: the inbox, what is sent by mail, and what each person has chosen."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models.keys import new_id
from accounts.models.users import User


class Message(models.Model):
    """A message to one person, as it was written. `text` says everything; `html` and `calendar` (iCalendar)
    are only for the mail and are emptied once it has been sent. `link` is a path on this site; `about` is the
    id of the row it is about."""

    class Mail(models.TextChoices):
        AT_ONCE = "at-once", _("at once")
        DAILY = "daily", _("in a daily digest")
        WEEKLY = "weekly", _("in a weekly digest")
        OFF = "off", _("not by mail")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="inbox", db_index=False)
    topic = models.CharField(max_length=20)
    kind = models.CharField(max_length=40)
    language = models.CharField(max_length=10)
    subject = models.CharField(max_length=300)
    text = models.TextField()
    html = models.TextField(blank=True)
    calendar = models.TextField(blank=True)
    link = models.CharField(max_length=500, blank=True)
    about = models.UUIDField(null=True)
    created_at = models.DateTimeField()
    is_in_inbox = models.BooleanField(default=True)
    read_at = models.DateTimeField(null=True)
    mail = models.CharField(max_length=10, choices=Mail)
    mail_due_at = models.DateTimeField(null=True)
    mailed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("message")
        indexes = [
            models.Index(fields=["user", "-created_at", "-id"], name="message_of_user"),
            # The count in the navigation of every page.
            models.Index(fields=["user"], condition=Q(is_in_inbox=True, read_at=None), name="message_unread"),
            models.Index(
                fields=["user", "mail_due_at"],
                condition=Q(mail__in=["daily", "weekly"], mailed_at=None),
                name="message_for_digest",
            ),
            models.Index(fields=["created_at"], name="message_age"),
        ]

    def __str__(self) -> str:
        return self.subject

    @property
    def is_unread(self) -> bool:
        return self.read_at is None

    @property
    def version(self) -> int:
        """Return the version: 2 once the message is read, since nothing else of it ever changes."""
        return 1 if self.read_at is None else 2


class MessageSettings(models.Model):
    """A person's choices about messages; without a row, all have their defaults. `choices` holds only what
    differs from them, by topic, as `domain/messages.Choice` describes it."""

    user = models.OneToOneField(User, models.CASCADE, primary_key=True, related_name="message_settings")
    choices = models.JSONField(default=dict)
    quiet_from = models.TimeField(null=True)
    quiet_until = models.TimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(quiet_from=None, quiet_until=None)
                | Q(quiet_from__isnull=False, quiet_until__isnull=False),
                name="quiet_hours_have_both_ends",
            )
        ]

    def __str__(self) -> str:
        return str(self.user_id)
