"""Photos and documents of instruments."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.models.keys import new_id
from instruments.attachments.domain.attachments import ending_of
from instruments.register.models.instruments import Instrument


class Attachment(models.Model):
    """A photo, re-encoded in two sizes, or a document as it was uploaded.

    Its files lie in the storage of uploads under the attachment's id, never under a name that somebody chose.
    """

    class Kind(models.TextChoices):
        PHOTO = "photo", _("photo")
        DOCUMENT = "document", _("document")

    class Licence(models.TextChoices):
        OWN = "", _("all rights reserved")
        CC0 = "CC0-1.0", "CC0 1.0"
        BY = "CC-BY-4.0", "CC BY 4.0"
        BY_SA = "CC-BY-SA-4.0", "CC BY-SA 4.0"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    instrument = models.ForeignKey(Instrument, models.PROTECT, related_name="attachments")
    kind = models.CharField(max_length=10, choices=Kind)
    position = models.PositiveIntegerField()
    # The text that stands in for a picture, and the title of a document.
    title = models.CharField(max_length=250)
    title_zh = models.CharField(max_length=250, blank=True)
    credit = models.CharField(max_length=200, blank=True)
    licence = models.CharField(max_length=20, choices=Licence, blank=True)
    media_type = models.CharField(max_length=40)
    size = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    # Only of photos.
    width = models.PositiveIntegerField(null=True)
    height = models.PositiveIntegerField(null=True)
    added_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    added_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("attachment")
        constraints = [
            models.UniqueConstraint(fields=["instrument", "digest"], name="attachment_once_an_instrument")
        ]
        indexes = [models.Index(fields=["instrument", "kind", "position"], name="attachment_order")]

    def __str__(self) -> str:
        return self.title


class StoredFile(models.Model):
    """A picture (re-encoded in two sizes) or a document that belongs to a row other than an instrument. Its
    rules and storage are those of `Attachment`."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=10, choices=Attachment.Kind)
    title = models.CharField(max_length=250)
    media_type = models.CharField(max_length=40)
    size = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.title

    @property
    def ending(self) -> str:
        return ending_of(self.media_type, self.title)
