"""Forms for photos and capabilities of many instruments at once."""

import base64
import binascii
from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.shapes import Flag, ListOf, Shape, Text
from accounts.domain.errors import FieldProblem
from accounts.models import Organisation
from instruments.exchange.adapters.table import MOST_SMALL
from instruments.exchange.domain.many import MOST_PHOTOS
from instruments.reading.forms.fields import StyledForm


class ManyFiles(forms.ClearableFileInput):
    """An input for several files."""

    allow_multiple_selected = True


class ManyFilesField(forms.FileField):
    """Several files of one input."""

    widget = ManyFiles

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        given = data if isinstance(data, list | tuple) else [data]
        return [super(ManyFilesField, self).clean(each, initial) for each in given]


class PhotosForm(StyledForm):
    """Photos whose file names are inventory numbers."""

    organisation = forms.ChoiceField(label=_("Organisation"))
    photos = ManyFilesField(
        label=_("Photos"),
        help_text=_(
            "JPEG, PNG or WebP, up to 30 at once and 50 MB in all. A-1001.jpg belongs to number A-1001."
        ),
        widget=ManyFiles(attrs={"accept": "image/jpeg,image/png,image/webp"}),
    )

    def __init__(self, data: Any = None, files: Any = None, *, organisations: Sequence[Organisation]) -> None:
        super().__init__(data, files)
        self.choose_organisation(organisations)


class CapabilitiesForm(StyledForm):
    """A table of capabilities. After a preview the file is sent back inside the page, so that it need not be
    chosen again."""

    organisation = forms.ChoiceField(label=_("Organisation"))
    file = forms.FileField(
        label=_("File"),
        required=False,
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.xlsx"}),
        help_text=_("A table as CSV or Excel (.xlsx), at most 500 rows."),
    )
    header_row = forms.IntegerField(
        label=_("Header line"),
        required=False,
        min_value=1,
        max_value=99,
        help_text=_("Only if it is not found by itself: the line with the names of the columns."),
    )
    content = forms.CharField(required=False, widget=forms.HiddenInput)
    name = forms.CharField(required=False, max_length=200, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, files: Any = None, *, organisations: Sequence[Organisation]) -> None:
        super().__init__(data, files)
        self.choose_organisation(organisations)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        upload = data.get("file")
        if upload is not None and upload.size > MOST_SMALL:
            self.refuse([FieldProblem("file", "file-too-large", {"most": MOST_SMALL // 1000})])
        elif upload is not None:
            data["bytes"], data["name"] = upload.read(), upload.name[:200]
        if upload is not None:
            return data
        try:
            data["bytes"] = base64.b64decode(data.get("content", ""), validate=True)
        except (binascii.Error, ValueError):
            data["bytes"] = b""
        if not data["bytes"] and "file" not in self.errors:
            self.refuse([FieldProblem("file", "required", {})])
        return data

    @property
    def carried(self) -> str:
        """Return the file for the form that follows the preview."""
        return base64.b64encode(self.cleaned_data.get("bytes", b"")).decode()


class MatchesBody(Shape):
    """File names of photos."""

    organisation = Text(40, help_text="Code of the organisation.")
    names = ListOf(child=Text(250), max_length=MOST_PHOTOS)


class CapabilitiesBody(Shape):
    """A table that names its columns in one of its first lines: inventory number, parameter, minimum,
    maximum, unit, condition."""

    organisation = Text(40, help_text="Code of the organisation.")
    file = Text(MOST_SMALL * 4 // 3 + 4, help_text="The table as CSV or .xlsx, encoded in base64.")
    file_name = Text(200, default="", allow_blank=True)
    header_row = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=99,
        help_text="Number of the line that names the columns; found if it is left out.",
    )
    dry_run = Flag(default=False, help_text="Only find out what would happen.")
