"""Photos and documents: a file, and what is said of it."""

from django import forms
from django.utils.translation import gettext_lazy as _

from instruments.forms.fields import StyledForm
from instruments.models import Attachment


class AttachmentWordsForm(StyledForm):
    """What is said of a photo or document."""

    title = forms.CharField(
        label=_("Title in English"),
        required=False,
        max_length=250,
        help_text=_("What it shows. People who cannot see the picture read this."),
    )
    title_zh = forms.CharField(label=_("Title in Chinese"), required=False, max_length=250)
    credit = forms.CharField(
        label=_("Credit"), required=False, max_length=200, help_text=_("Who made it.")
    )
    licence = forms.ChoiceField(
        label=_("Licence"), required=False, choices=Attachment.Licence.choices
    )


class AttachmentForm(AttachmentWordsForm):
    """A new one."""

    file = forms.FileField(
        label=_("File"),
        help_text=_("A photo (JPEG, PNG, WebP, up to 15 MB) or a document (PDF, up to 25 MB)."),
        widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png,image/webp,application/pdf"}),
    )
    field_order = ("file", "title", "title_zh", "credit", "licence")
