"""Forms for a file to import, and for which of its columns is which."""

from collections.abc import Sequence
from typing import Any
from zlib import crc32

from django import forms
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from accounts.models import Organisation
from instruments.exchange.domain.fields import FACILITY_FIELDS, INSTRUMENT_FIELDS, suggested_fields
from instruments.exchange.domain.mappings import LONGEST_NAME
from instruments.exchange.messages import FIELD_LABELS
from instruments.exchange.models import Import, ImportMapping
from instruments.reading.domain.delimited import RECOGNISED
from instruments.reading.forms.fields import StyledForm, VersionForm

AS_IT_SEEMS = (RECOGNISED, _("Detected automatically"))
ENCODINGS = ("utf-8", "gb18030", "big5", "cp1252", "iso-8859-1", "shift_jis")


class SourceForm(VersionForm):
    """The organisation and kind of a file, and whether its values or edits made here take precedence."""

    organisation = forms.ChoiceField(label=_("Organisation"))
    format = forms.ChoiceField(
        label=_("Kind of file"),
        choices=[
            (Import.Format.TABLE, _("A table (CSV or XLSX)")),
            (Import.Format.UNIQUIP, _("A UNIQUIP table (CSV or XLSX)")),
            (Import.Format.PIDINST, _("PIDINST 1.0 records (JSON or XML)")),
        ],
    )
    facility = forms.CharField(label=_("One facility for all rows"), required=False, max_length=200)
    hand_changes = forms.ChoiceField(
        label=_("Entries made here by hand since then"),
        choices=[
            (Import.HandChanges.KEEP, _("Keep; the preview lists each difference")),
            (Import.HandChanges.OVERWRITE, _("Overwrite with the file")),
        ],
        initial=Import.HandChanges.KEEP.value,
        widget=forms.RadioSelect,
    )


class ImportForm(SourceForm):
    """A file to import, and the encoding and mapping with which it is read."""

    file = forms.FileField(
        label=_("File"),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,.xlsx,.json,.xml"}),
        help_text=_("At most 50 MB. Nothing is written before you have seen the preview."),
    )
    mapping = forms.ChoiceField(
        label=_("Columns"),
        required=False,
        help_text=_(
            "For tables only. Tables exported here need none; for others, you map the columns "
            "once, in the next step."
        ),
    )
    encoding = forms.ChoiceField(
        label=_("Encoding of text"),
        choices=[AS_IT_SEEMS, *((name, name) for name in ENCODINGS)],
        initial=RECOGNISED,
    )

    def __init__(
        self,
        data: Any = None,
        files: Any = None,
        *,
        organisations: Sequence[Organisation],
        mappings: Sequence[ImportMapping],
        own: Sequence[str],
    ) -> None:
        super().__init__(data, files)
        self.choose_organisation(organisations)
        fields: Any = self.fields
        fields["facility"].help_text = _("Only if the file does not give a facility in each row.")
        self.saved = {f"saved:{m.pk}": m for m in mappings}
        fields["mapping"].choices = [
            ("", "–"),
            *((key, m.name) for key, m in self.saved.items()),
            *((f"own:{name}", name) for name in own),
        ]

    def mapping_chosen(self) -> ImportMapping | str | None:
        """Return a saved mapping, the name of one that comes with the platform, or None."""
        chosen = self.cleaned_data["mapping"]
        if self.cleaned_data["format"] != Import.Format.TABLE:
            return None
        return self.saved.get(chosen) or chosen.removeprefix("own:") or None


class ReadAgainForm(VersionForm):
    """The encoding and the header line for a table that was read wrongly."""

    encoding = forms.ChoiceField(
        label=_("Encoding of text"), choices=[(name, name) for name in ENCODINGS], required=False
    )
    header_row = forms.IntegerField(label=_("Header line"), required=False, min_value=1, max_value=99)


class ColumnsForm(StyledForm):
    """The mapping of a table's columns to fields; several columns may be joined into one field."""

    name = forms.CharField(
        label=_("Name of this mapping"),
        max_length=LONGEST_NAME,
        help_text=_("To use it again for files of the same kind. Each key appears only once in such a file."),
    )
    key = forms.MultipleChoiceField(
        label=_("Column that identifies the rows"),
        widget=forms.CheckboxSelectMultiple,
        help_text=_("An inventory number or similar, the same in later files."),
    )

    def __init__(self, data: Any = None, *, columns: Sequence[dict[str, Any]], name: str) -> None:
        super().__init__(data, initial={"name": name})
        self.columns = columns
        fields: Any = self.fields
        fields["key"].choices = [(str(at), column["name"]) for at, column in enumerate(columns)]
        suggested = suggested_fields([column["name"] for column in columns])
        if "inventory_number" in suggested:
            self.initial["key"] = [str(suggested.index("inventory_number"))]
        choices = [("", "–"), *((f, FIELD_LABELS[f]) for f in (*INSTRUMENT_FIELDS, *FACILITY_FIELDS))]
        for at, column in enumerate(columns):
            self.add(
                f"column-{at}",
                forms.ChoiceField(
                    label=column["name"], required=False, choices=choices, initial=suggested[at]
                ),
            )

    def pairs(self) -> list[tuple[dict[str, Any], Any]]:
        """Return each column of the table with its form field."""
        return [(column, self[f"column-{at}"]) for at, column in enumerate(self.columns)]

    def clean(self) -> None:
        data = super().clean() or self.cleaned_data
        chosen = {data.get(f"column-{at}") for at in range(len(self.columns))}
        if "name" not in chosen:
            self.add_error(None, _("Choose the column with the name of the instrument."))

    def mapping(self, delimiter: str) -> dict[str, Any]:
        """Return the mapping that was chosen, as entries that `domain/mappings` reads."""
        data = self.cleaned_data
        fields: dict[str, list[str]] = {}
        for at, column in enumerate(self.columns):
            if field := data[f"column-{at}"]:
                fields.setdefault(field, []).append(column["name"])
        source = slugify(data["name"])[:34].strip("-_").replace("_", "-")
        return {
            "source": source or f"table-{crc32(data['name'].encode()):08x}",
            "key": [self.columns[int(at)]["name"] for at in data["key"]],
            "delimiter": "tab" if delimiter == "\t" else delimiter,
            "fields": fields,
        }
