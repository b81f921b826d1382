"""Tables of questions at booking, before and after use, and of their answers."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.domain.roles import Places
from accounts.models import User
from accounts.models.keys import new_id
from bookings.record.models import Reservation
from instruments.attachments.models import Attachment, StoredFile
from instruments.register.models import Instrument


class Moment(models.TextChoices):
    BEFORE = "before", _("before use")
    AFTER = "after", _("after use")
    BOOKING = "booking", _("when booking")


class Questionnaire(models.Model):
    """A version of the questions at the booking of an instrument, or before or after its use; it is never
    changed. `fields` are the JSON of the API; without fields nothing is asked from then on."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    instrument = models.ForeignKey(Instrument, models.PROTECT, related_name="questionnaires", db_index=False)
    moment = models.CharField(max_length=7, choices=Moment)
    version = models.PositiveIntegerField()
    fields = models.JSONField(default=list)
    valid_from = models.DateTimeField()
    made_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)

    class Meta:
        verbose_name = _("questionnaire")
        constraints = [
            models.UniqueConstraint(fields=["instrument", "moment", "version"], name="questionnaire_unique")
        ]

    def __str__(self) -> str:
        return f"{self.moment} {self.version}"

    def places(self) -> Places:
        return self.instrument.places()


class AnswerSheet(models.Model):
    """Answers at a booking, or before or after its use, to the version of the questions that was asked.
    `skipped`: the host left them out, with a reason; `owed`: the use ended without the answers, or the
    booking was made where they could not be asked."""

    class State(models.TextChoices):
        OWED = "owed", _("owed")
        ANSWERED = "answered", _("answered")
        SKIPPED = "skipped", _("skipped")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    reservation = models.ForeignKey(Reservation, models.PROTECT, related_name="answer_sheets", db_index=False)
    questionnaire = models.ForeignKey(Questionnaire, models.PROTECT, related_name="sheets")
    moment = models.CharField(max_length=7, choices=Moment)
    state = models.CharField(max_length=8, choices=State)
    answers = models.JSONField(default=dict)
    reason = models.CharField(max_length=500, blank=True)
    answered_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    answered_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("answers")
        constraints = [
            models.UniqueConstraint(fields=["reservation", "moment"], name="answersheet_once"),
            models.CheckConstraint(
                condition=Q(state="owed", answered_at=None) | ~Q(state="owed") & Q(answered_at__isnull=False),
                name="answersheet_answered",
            ),
        ]
        indexes = [models.Index(fields=["created_at"], condition=Q(state="owed"), name="answersheet_owed")]

    def places(self) -> Places:
        return self.reservation.places()


class AnswerFile(StoredFile):
    """A picture or document that answers a question (`key`) before or after a booking's use. Without a
    `sheet` it was uploaded but no answer names it yet, and it is deleted after a day."""

    reservation = models.ForeignKey(Reservation, models.PROTECT, related_name="answer_files", db_index=False)
    moment = models.CharField(max_length=7, choices=Moment)
    key = models.CharField(max_length=40)
    sheet = models.ForeignKey(AnswerSheet, models.PROTECT, null=True, related_name="files")
    added_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("file of an answer")
        indexes = [models.Index(fields=["reservation", "moment", "key"], name="answerfile_asked")]

    @property
    def url(self) -> str:
        """Return the address of the file."""
        size = "large" if self.kind == Attachment.Kind.PHOTO else "file"
        return reverse("bookings:answer-file", args=[self.pk, size])
