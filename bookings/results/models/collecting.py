"""How results are collected: links, receipts of what was given out, and requests to keep longer."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.domain.roles import Places
from accounts.models import User
from accounts.models.keys import new_id
from bookings.results.models.handoffs import HandOff


class CollectLink(models.Model):
    """A secret address under which whoever has it collects a hand-off, or one of its files, without
    signing in. Only the SHA-256 digest of the secret is kept. path: of the one file, empty for all;
    label: whom it is for; uses_left: downloads that may still begin, null for any number."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    hand_off = models.ForeignKey(HandOff, models.PROTECT, related_name="links")
    path = models.CharField(max_length=200, blank=True)
    digest = models.BinaryField(max_length=32, unique=True)
    label = models.CharField(max_length=200)
    created_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    uses_left = models.PositiveIntegerField(null=True)
    first_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("link to results")
        constraints = [
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("created_at")), name="collectlink_forward"
            )
        ]

    @property
    def version(self) -> int:
        """It changes once."""
        return 1 if self.revoked_at is None else 2

    def places(self) -> Places:
        """Those of the booking."""
        return self.hand_off.places()


class Receipt(models.Model):
    """That something of a hand-off was given to somebody: to `user`, who was signed in, or to
    whoever had `link`. path: of the file, which the manifest has; empty for all as one package.

    is_delivery: not where the host reads what it has handed over itself. way: `streamed` by the
    platform, which knows how far (`reached`, in bytes) and whether to the end (`completed_at`), and
    of a link with counted downloads how many bytes were sent in all (`sent`);
    `handed_out` to a file server, which does not say what became of it; `confirmed` by the person,
    who has compared the manifest's digest."""

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
    way = models.CharField(max_length=10, choices=Way)
    size = models.BigIntegerField()
    reached = models.BigIntegerField(default=0)
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
        """Those of the booking."""
        return self.hand_off.places()


class KeepRequest(models.Model):
    """That a person asks the host to keep results for some days longer."""

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
            models.UniqueConstraint(
                fields=["hand_off"], condition=Q(state="open"), name="keeprequest_once"
            ),
            models.CheckConstraint(
                condition=Q(days__range=(1, 3650))
                & (
                    Q(state="open", decided_at=None)
                    | ~Q(state="open") & Q(decided_at__isnull=False)
                ),
                name="keeprequest_decided",
            ),
        ]

    def places(self) -> Places:
        """Those of the booking."""
        return self.hand_off.places()
