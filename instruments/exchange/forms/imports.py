"""Forms for a file to import, and for which of its columns is which."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from zlib import crc32

from django import forms
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from accounts.models import Organisation
from instruments.exchange.domain.fields import FACILITY_FIELDS, INSTRUMENT_FIELDS, suggested_fields
from instruments.exchange.domain.mappings import LONGEST_NAME, parse_mapping
from instruments.exchange.domain.terms import plain
from instruments.exchange.messages import FIELD_LABELS
from instruments.exchange.models import Import, ImportMapping
from instruments.reading.domain.delimited import RECOGNISED
from instruments.reading.forms.fields import StyledForm, VersionForm
from instruments.register.models import Instrument

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

    facility = forms.CharField(
        label=_("One facility for all rows"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"list": "facility-names", "autocomplete": "off"}),
        help_text=_(
            "Only if no column gives the facility. Without one, instruments go to a facility that is called"
            " like the organisation, which is made if there is none."
        ),
    )

    def __init__(
        self,
        data: Any = None,
        *,
        columns: Sequence[dict[str, Any]],
        name: str,
        facility: str = "",
        facilities: Iterable[str] = (),
        before: Mapping[str, Any] | None = None,
    ) -> None:
        """Take the columns of a table, the facility of all rows and the names of those there are; `before`:
        the entries of the mapping with which it was read before, which are then filled in."""
        super().__init__(data, initial={"name": name, "facility": facility})
        self.facilities = sorted(facilities)
        self.columns = columns
        fields: Any = self.fields
        names = [column["name"] for column in columns]
        fields["key"].choices = [(str(at), name) for at, name in enumerate(names)]
        suggested = suggested_fields(names)
        if before:
            mapping = parse_mapping(before)
            filled = {part.column: field for field, parts in mapping.fields.items() for part in parts}
            suggested = [filled.get(name, "") for name in names]
            self.initial["key"] = [str(at) for at, name in enumerate(names) if name in mapping.key]
        elif "inventory_number" in suggested:
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


class TermsForm(VersionForm):
    """The meaning of each unknown value of a file: one of the known terms, the nearest filled in."""

    def __init__(
        self,
        data: Any = None,
        *,
        unknown: Sequence[Mapping[str, Any]],
        terms: Mapping[str, Sequence[tuple[str, Sequence[str]]]],
        version: int = 0,
    ) -> None:
        """Take the values (`domain/terms.UnknownValue` as JSON) and, by field, the known terms with their
        names."""
        super().__init__(data, initial={"version": version})
        self.unknown, self.terms = unknown, terms
        for at, each in enumerate(unknown):
            self.add(f"term-{at}", self._field(each["field"], each["nearest"]))

    def _field(self, name: str, nearest: str) -> forms.Field:
        if name == "techniques":
            known = dict(self.terms[name])
            initial = technique_label(nearest, known[nearest]) if nearest in known else ""
            attrs = {"list": "technique-terms", "autocomplete": "off", "placeholder": _("leave out")}
            return forms.CharField(
                required=False, max_length=500, initial=initial, widget=forms.TextInput(attrs)
            )
        first = _("a new facility of this name") if name == "facility" else _("leave out")
        labels = {code: str(term_label(name, code)) for code, _names in self.terms[name]}
        return forms.ChoiceField(required=False, initial=nearest, choices=[("", first), *labels.items()])

    @property
    def groups(self) -> list[tuple[Any, list[tuple[Mapping[str, Any], Any]]]]:
        """Return the label of each field with its unknown values, each with its form field."""
        groups: dict[str, list[tuple[Mapping[str, Any], Any]]] = {}
        for at, each in enumerate(self.unknown):
            groups.setdefault(each["field"], []).append((each, self[f"term-{at}"]))
        return [(FIELD_LABELS[name], pairs) for name, pairs in groups.items()]

    @property
    def suggestions(self) -> list[tuple[str, str]]:
        """Return the techniques that are suggested as one types, each with its synonyms."""
        return [
            (technique_label(code, names), ", ".join(names[3:]))
            for code, names in self.terms.get("techniques", ())
        ]

    def clean(self) -> None:
        super().clean()
        codes: dict[str, str] = {}
        for code, names in self.terms.get("techniques", ()):
            for name in (code, technique_label(code, names), *names):
                codes.setdefault(plain(name), code)
        for at, each in enumerate(self.unknown):
            text = self.cleaned_data.get(f"term-{at}", "")
            if each["field"] == "techniques" and text:
                if plain(text) in codes:
                    self.cleaned_data[f"term-{at}"] = codes[plain(text)]
                else:
                    self.add_error(f"term-{at}", _("There is no such technique: choose one of the list."))

    def chosen(self) -> list[dict[str, str]]:
        """Return the decisions, as `import_terms` takes them."""
        return [
            {"field": each["field"], "value": each["value"], "term": self.cleaned_data[f"term-{at}"]}
            for at, each in enumerate(self.unknown)
        ]


def technique_label(code: str, names: Sequence[str]) -> str:
    """Return a technique as it is typed and suggested, with both names and the code."""
    return f"{' '.join(filter(None, names[:2]))} ({code})"


def term_label(field: str, term: str) -> Any:
    """Return how a known term of a field is shown."""
    if field == "kind":
        return Instrument.Kind(term).label
    return Instrument.ServiceMode(term).label if field == "service_modes" else term
