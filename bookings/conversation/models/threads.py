"""Comments that a person and a host write to each other about a subject."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.domain.roles import Places
from accounts.models import User
from accounts.models.keys import new_id
from bookings.board.models import Bid
from bookings.conversation.domain.threads import HOST, LONGEST_TEXT, REQUESTER
from bookings.needs.models import Need
from bookings.record.models import Reservation
from bookings.samples.models import SampleItem
from instruments.attachments.models import StoredFile


class Side(models.TextChoices):
    HOST = HOST, _("host")
    REQUESTER = REQUESTER, _("requester")


class Thread(models.Model):
    """The conversation about one subject. It is created with the first comment.

    waits_for: the side whose answer is awaited, empty if it is resolved; version: raised by everything that
    changes what a reader sees of it.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    reservation = models.OneToOneField(Reservation, models.PROTECT, null=True, related_name="conversation")
    need = models.OneToOneField(Need, models.CASCADE, null=True, related_name="conversation")
    sample = models.OneToOneField(SampleItem, models.CASCADE, null=True, related_name="conversation")
    # Bids are never deleted; adding a foreign key would lock both tables at once.
    bid = models.OneToOneField(
        Bid, models.PROTECT, null=True, related_name="conversation", db_constraint=False
    )
    waits_for = models.CharField(max_length=10, choices=Side, blank=True)
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    created_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("conversation")
        constraints = [
            models.CheckConstraint(
                condition=Q(reservation__isnull=False, need=None, sample=None, bid=None)
                | Q(reservation=None, need__isnull=False, sample=None, bid=None)
                | Q(reservation=None, need=None, sample__isnull=False, bid=None)
                | Q(reservation=None, need=None, sample=None, bid__isnull=False),
                name="thread_of_one_subject",
            ),
            models.CheckConstraint(
                condition=Q(resolved_at=None) | Q(waits_for=""), name="thread_resolved_waits_not"
            ),
        ]
        indexes = [models.Index(fields=["waits_for"], condition=~Q(waits_for=""), name="thread_waits")]

    def places(self) -> Places:
        """Return the organisations and regions whose people may read it: those of its subject."""
        subject = self.reservation or self.need or self.sample or self.bid
        return subject.places() if subject else ((), ())


class Comment(models.Model):
    """A comment, written for the side that its author was on; it is never edited. digest: SHA-256 of the
    text. withdrawn_at: when its author withdrew it or was forgotten, which deletes text and files."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    thread = models.ForeignKey(Thread, models.CASCADE, related_name="comments", db_index=False)
    author = models.ForeignKey(User, models.PROTECT, related_name="+")
    side = models.CharField(max_length=10, choices=Side)
    text = models.CharField(max_length=LONGEST_TEXT, blank=True)
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("comment")
        constraints = [
            models.CheckConstraint(
                condition=Q(withdrawn_at=None) | Q(text=""), name="comment_withdrawn_is_empty"
            )
        ]
        indexes = [models.Index(fields=["thread", "created_at", "id"], name="comment_order")]


class CommentFile(StoredFile):
    """A picture or a document of a comment."""

    comment = models.ForeignKey(Comment, models.CASCADE, related_name="files")

    class Meta:
        verbose_name = _("file of a comment")


class ProposedTime(models.Model):
    """Another time for a booking that a comment proposes to the other side. It holds nothing.

    booking_version: the version of the booking it was proposed for; the proposal lapses when the booking
    changes, and at `until`.
    """

    class State(models.TextChoices):
        OPEN = "open", pgettext_lazy("proposed time", "open")
        ACCEPTED = "accepted", _("accepted")
        DECLINED = "declined", _("declined")
        REPLACED = "replaced", _("replaced")
        WITHDRAWN = "withdrawn", _("withdrawn")
        LAPSED = "lapsed", _("lapsed")  # never stored: what is open and out of time

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    thread = models.ForeignKey(Thread, models.CASCADE, related_name="proposals")
    comment = models.OneToOneField(Comment, models.CASCADE, related_name="proposal")
    start_at = models.DateTimeField()
    end_at = models.DateTimeField()
    until = models.DateTimeField()
    booking_version = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("proposed time")
        constraints = [
            models.CheckConstraint(condition=Q(end_at__gt=F("start_at")), name="proposed_forward"),
            models.UniqueConstraint(fields=["thread"], condition=Q(state="open"), name="proposed_one_open"),
        ]


class ThreadRead(models.Model):
    """The moment up to which a person has read a conversation."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    thread = models.ForeignKey(Thread, models.CASCADE, related_name="+", db_index=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    read_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["thread", "user"], name="read_once_a_person")]
