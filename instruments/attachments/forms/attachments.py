"""Forms for photos and documents: the file, and its title and credits."""

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.api.shapes import Choice, Shape, Text, Whole
from instruments.attachments.models import Attachment
from instruments.reading.forms.fields import VersionForm
from instruments.reading.forms.shapes import field_of


class AttachmentWords(Shape):
    """The titles, the maker and the licence of a photo or document."""

    title = Text(
        250,
        required=False,
        allow_blank=True,
        help_text="What the picture shows, in English.",
        label=_("Title in English"),
        style={"help": _("What it shows. People who cannot see the picture read this.")},
    )
    title_zh = Text(250, required=False, allow_blank=True, label=_("Title in Chinese"))
    credit = Text(200, required=False, allow_blank=True, label=_("Credit"), style={"help": _("Who made it.")})
    licence = Choice(Attachment.Licence.choices, required=False, allow_blank=True, label=_("Licence"))


class AttachmentChanges(AttachmentWords):
    """Description of a photo or document, and its place among those of its kind."""

    position = Whole(min_value=1, max_value=1000, required=False)


class AttachmentWordsForm(VersionForm):
    """The description of a photo or document."""

    title = field_of(AttachmentWords, "title")
    title_zh = field_of(AttachmentWords, "title_zh")
    credit = field_of(AttachmentWords, "credit")
    licence = field_of(AttachmentWords, "licence")


class AttachmentForm(AttachmentWordsForm):
    """A new photo or document."""

    file = forms.FileField(
        label=_("File"),
        help_text=_("A photo (JPEG, PNG, WebP, up to 15 MB) or a document (PDF, up to 25 MB)."),
        widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png,image/webp,application/pdf"}),
    )
    field_order = ("file", "title", "title_zh", "credit", "licence")
