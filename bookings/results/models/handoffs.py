"""Results on their way from a host to the people whom a booking was for."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.domain.roles import Places
from accounts.models import Organisation, User
from accounts.models.keys import new_id
from bookings.record.models import Reservation
from bookings.record.models.copies import Copied
from instruments.register.models import Instrument


class HandOff(Copied):
    """The results of one booking: files stored here, or the place where they are at the host.

    manifest: `{path, size, sha256}` of each file once it is sealed; manifest_digest: SHA-256 of its canonical
    JSON, also in the trail. pointer_*: for the state `pointed`. held_*: a legal hold, during which nothing is
    deleted. told_days: the last warning that was sent, in days before `retain_until`.
    """

    class State(models.TextChoices):
        EXPECTED = "expected", _("expected")
        UPLOADING = "uploading", _("uploading")
        SEALED = "sealed", _("sealed")
        RELEASED = "released", _("ready to collect")
        COLLECTED = "collected", _("collected")
        EXPIRING = "expiring", _("expiring soon")
        PURGED = "purged", _("deleted after retention")
        POINTED = "pointed", _("kept at the host")
        WITHDRAWN = "withdrawn", _("withdrawn")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    reservation = models.ForeignKey(Reservation, models.PROTECT, related_name="hand_offs", db_index=False)
    host = models.ForeignKey(Organisation, models.PROTECT, related_name="+", db_index=False)
    state = models.CharField(max_length=10, choices=State, default=State.EXPECTED)
    due_at = models.DateTimeField()
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    manifest = models.JSONField(default=list)
    manifest_digest = models.CharField(max_length=64, blank=True)
    sealed_at = models.DateTimeField(null=True)
    sealed_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    released_at = models.DateTimeField(null=True)
    collected_at = models.DateTimeField(null=True)  # first
    retain_until = models.DateTimeField(null=True)
    told_days = models.PositiveSmallIntegerField(null=True)
    ended_at = models.DateTimeField(null=True)  # purged or withdrawn
    overdue_told_at = models.DateTimeField(null=True)

    hold_reason = models.CharField(max_length=500, blank=True)
    held_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    held_at = models.DateTimeField(null=True)

    pointer_protocol = models.CharField(max_length=20, blank=True)
    pointer_host = models.CharField(max_length=253, blank=True)
    pointer_path = models.CharField(max_length=1000, blank=True)
    pointer_checksums = models.TextField(max_length=20000, blank=True)  # lines of `sha256sum`

    note = models.CharField(max_length=1000, blank=True)  # from the host to the recipients
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("delivery of results")
        constraints = [
            models.UniqueConstraint(
                fields=["reservation"], condition=~Q(state="withdrawn"), name="handoff_once"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["expected", "uploading", "pointed", "withdrawn"])
                | ~Q(manifest_digest="") & Q(sealed_at__isnull=False),
                name="handoff_sealed",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["released", "collected", "expiring"])
                | Q(released_at__isnull=False, retain_until__isnull=False),
                name="handoff_released",
            ),
            models.CheckConstraint(
                condition=Q(held_at=None) | ~Q(hold_reason="") & Q(held_by__isnull=False), name="handoff_hold"
            ),
        ]
        indexes = [
            models.Index(fields=["reservation"], name="handoff_reservation"),
            models.Index(fields=["host", "-created_at"], name="handoff_host"),
            models.Index(
                fields=["due_at"],
                condition=Q(state__in=["expected", "uploading", "sealed"]),
                name="handoff_awaited",
            ),
            models.Index(
                fields=["retain_until"],
                condition=Q(state__in=["released", "collected", "expiring"]),
                name="handoff_retained",
            ),
            models.Index(fields=["modified", "id"], name="handoff_modified"),
        ]

    def places(self) -> Places:
        """Return the places whose people may read it: those of the booking."""
        return self.reservation.places()


class ResultFile(models.Model):
    """A file of a delivery. path_key: `path` in the form in which it is compared; storage: its name in the
    store, which reveals nothing of `path`; received: bytes that are stored durably; sha256: computed from
    what is stored. upload_id and parts (`{number, etag, size}`): for a store that takes parts; what was
    received after the last part is in an object beside it."""

    class State(models.TextChoices):
        UPLOADING = "uploading", _("uploading")
        CHECKING = "checking", _("being checked")
        CHECKED = "checked", _("complete")
        DIFFERS = "differs", _("differs from its checksum")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    hand_off = models.ForeignKey(HandOff, models.PROTECT, related_name="files", db_index=False)
    path = models.CharField(max_length=200)
    path_key = models.CharField(max_length=600)
    size = models.BigIntegerField()
    received = models.BigIntegerField(default=0)
    sha256_stated = models.CharField(max_length=64, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    crc32 = models.BigIntegerField(null=True)  # for packages, of the same bytes
    state = models.CharField(max_length=10, choices=State, default=State.UPLOADING)
    storage = models.CharField(max_length=120)
    upload_id = models.CharField(max_length=1024, blank=True)
    parts = models.JSONField(default=list)
    uploaded_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)  # when an upload that has stopped expires; null: complete

    class Meta:
        verbose_name = _("result file")
        constraints = [
            models.UniqueConstraint(fields=["hand_off", "path_key"], name="resultfile_path"),
            models.CheckConstraint(
                condition=Q(size__gte=0, received__gte=0, received__lte=F("size")), name="resultfile_size"
            ),
            models.CheckConstraint(
                condition=Q(state="uploading", expires_at__isnull=False)
                | ~Q(state="uploading") & Q(received=F("size"), expires_at=None),
                name="resultfile_complete",
            ),
            models.CheckConstraint(condition=~Q(state="checked") | ~Q(sha256=""), name="resultfile_checked"),
        ]
        indexes = [
            models.Index(
                fields=["expires_at"], condition=Q(expires_at__isnull=False), name="resultfile_expires"
            ),
            models.Index(fields=["created_at"], condition=Q(state="checking"), name="resultfile_unchecked"),
        ]

    def places(self) -> Places:
        """Return the places whose people may read it: those of the booking."""
        return self.hand_off.places()


class HostStorage(models.Model):
    """The storage of a host: space is reserved before the first byte of a file. quota: in bytes, null for
    `RESULTS_QUOTA`; reserved: the bytes of all files that are not deleted."""

    organisation = models.OneToOneField(Organisation, models.PROTECT, primary_key=True, related_name="+")
    quota = models.BigIntegerField(_("storage for results, in bytes"), null=True, blank=True)
    reserved = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = _("storage of a host")
        constraints = [
            models.CheckConstraint(
                condition=Q(reserved__gte=0) & (Q(quota=None) | Q(quota__gte=0)), name="hoststorage_positive"
            )
        ]


class ResultTerms(models.Model):
    """Terms for the results of an instrument, if its host does not use the usual ones: in how many days after
    a booking they are due, how long they are kept, and after which service modes they are expected."""

    instrument = models.OneToOneField(Instrument, models.CASCADE, primary_key=True, related_name="+")
    due_days = models.PositiveSmallIntegerField()
    keep_days = models.PositiveSmallIntegerField()
    modes = ArrayField(models.CharField(max_length=10, choices=Instrument.ServiceMode), default=list)

    class Meta:
        verbose_name = _("terms of results")
        constraints = [
            models.CheckConstraint(
                condition=Q(due_days__range=(1, 365), keep_days__range=(1, 3650)), name="resultterms_days"
            )
        ]
