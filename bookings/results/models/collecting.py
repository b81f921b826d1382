"""How results are collected: links, receipts of what was given out, and requests to keep longer."""

from django.db import models
from django.db.models import F, Q, Value
from django.utils.translation import gettext_lazy as _

from accounts.domain.roles import Places
from accounts.models import User
from accounts.models.keys import new_id
from bookings.results.models.handoffs import HandOff


class CollectLink(models.Model):
    """A secret address under which anybody who has it collects a delivery, or one of its files, without
    signing in. Only the SHA-256 digest of the secret is kept. path: of the one file, empty for all; label:
    whom it is for, in its maker's words; uses_left: downloads that may still begin, null for no limit.
    is_delivery: its maker is a recipient, so downloads by the link count as delivered; is_of_host: its maker
    delivers the host's results."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    hand_off = models.ForeignKey(HandOff, models.PROTECT, related_name="links")
    path = models.CharField(max_length=200, blank=True)
    digest = models.BinaryField(max_length=32, unique=True)
    label = models.CharField(max_length=200)
    created_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    uses_left = models.PositiveIntegerField(null=True)
    is_delivery = models.BooleanField(default=False, db_default=False)
    is_of_host = models.BooleanField(default=False, db_default=False)
    first_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("link to results")
        constraints = [
            models.CheckConstraint(condition=Q(expires_at__gt=F("created_at")), name="collectlink_forward")
        ]

    @property
    def version(self) -> int:
        """Return the version of the link: 1, and 2 once it is revoked."""
        return 1 if self.revoked_at is None else 2

    def places(self) -> Places:
        """Return the places whose people may read it: those of the booking."""
        return self.hand_off.places()


class Receipt(models.Model):
    """A record that something of a delivery was given to `user`, who was signed in, or to somebody by `link`.
    path: of the file in the manifest; empty for the whole package.

    is_delivery: false if the host reads what it delivers itself, signed in or by its own link; is_of_host:
    the reader, or the maker of the link, delivers the host's results. way: `streamed` by the platform, which
    knows which bytes were taken (`parts`, `[start, end]` each, in order; `reached`: their number), whether
    these are all (`completed_at`), and for a link with counted downloads how many bytes were sent in all
    (`sent`); `handed_out` to a file server, which does not report how much was taken; `confirmed` by the
    person, who has compared the manifest's digest.
    """

    class Way(models.TextChoices):
        STREAMED = "streamed", _("delivered")
        HANDED_OUT = "handed_out", _("handed out")
        CONFIRMED = "confirmed", _("received and checked")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    hand_off = models.ForeignKey(HandOff, models.PROTECT, related_name="receipts", db_index=False)
    path = models.CharField(max_length=200, blank=True)
    link = models.ForeignKey(CollectLink, models.PROTECT, null=True, related_name="receipts")
    user = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    is_delivery = models.BooleanField(default=True)
    is_of_host = models.BooleanField(default=False, db_default=False)
    way = models.CharField(max_length=10, choices=Way)
    size = models.BigIntegerField()
    reached = models.BigIntegerField(default=0)
    parts = models.JSONField(default=list, db_default=Value([], models.JSONField()))
    sent = models.BigIntegerField(default=0, db_default=0)
    started_at = models.DateTimeField()
    completed_at = models.DateTimeField(null=True)
    manifest_digest = models.CharField(max_length=64, blank=True)

    class Meta:
        verbose_name = _("receipt")
        constraints = [
            models.CheckConstraint(
                condition=Q(user__isnull=False) | Q(link__isnull=False), name="receipt_somebody"
            ),
            models.CheckConstraint(
                condition=Q(reached__gte=0, reached__lte=F("size"))
                & (Q(completed_at=None) | Q(reached=F("size")) & ~Q(way="handed_out")),
                name="receipt_complete",
            ),
            models.CheckConstraint(condition=Q(sent__gte=0), name="receipt_sent"),
            models.CheckConstraint(
                condition=~Q(way="confirmed")
                | Q(user__isnull=False, completed_at__isnull=False) & ~Q(manifest_digest=""),
                name="receipt_confirmed",
            ),
        ]
        indexes = [models.Index(fields=["hand_off", "started_at"], name="receipt_handoff")]

    def places(self) -> Places:
        """Return the places whose people may read it: those of the booking."""
        return self.hand_off.places()


class KeepRequest(models.Model):
    """A person's request that the host keep results for some days longer."""

    class State(models.TextChoices):
        OPEN = "open", _("not answered yet")
        GRANTED = "granted", _("granted")
        DECLINED = "declined", _("declined")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    hand_off = models.ForeignKey(HandOff, models.PROTECT, related_name="keep_requests")
    days = models.PositiveSmallIntegerField()
    reason = models.CharField(max_length=500, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    asked_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("request to keep results longer")
        constraints = [
            models.UniqueConstraint(fields=["hand_off"], condition=Q(state="open"), name="keeprequest_once"),
            models.CheckConstraint(
                condition=Q(days__range=(1, 3650))
                & (Q(state="open", decided_at=None) | ~Q(state="open") & Q(decided_at__isnull=False)),
                name="keeprequest_decided",
            ),
        ]

    def places(self) -> Places:
        """Return the places whose people may read it: those of the booking."""
        return self.hand_off.places()
