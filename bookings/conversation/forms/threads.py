"""The form of a comment with files."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from bookings.conversation.domain.threads import LONGEST_TEXT
from instruments.attachments.domain.attachments import ACCEPTED
from instruments.reading.forms.fields import StyledForm


class _SeveralFiles(forms.ClearableFileInput):
    allow_multiple_selected = True


class _FilesField(forms.FileField):
    """Any number of files, as a list."""

    widget = _SeveralFiles(attrs={"accept": ACCEPTED})

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        return [super(_FilesField, self).clean(one, initial) for one in data or []]


class CommentForm(StyledForm):
    """A comment. The service checks its length, because it counts a line end as one character."""

    text = forms.CharField(
        label=_("Your comment"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "maxlength": LONGEST_TEXT}),
    )
    file = _FilesField(
        label=_("Files"),
        required=False,
        help_text=_("Pictures (JPEG, PNG, WebP, up to 15 MB) or PDF (up to 25 MB), four at most."),
    )
    resolves = forms.BooleanField(label=_("No answer needed"), required=False)
