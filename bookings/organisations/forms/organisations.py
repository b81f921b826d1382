"""Forms for regions and organisations: entering, changing, finding."""

import json
import zoneinfo
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.domain import organisations
from accounts.domain.currencies import MINOR_DIGITS
from accounts.domain.errors import Invalid
from accounts.domain.roles import MANAGER, OPERATOR
from accounts.forms import ROLE_NAMES, OrganisationField
from accounts.letters.words import named
from accounts.models import Organisation, Region
from accounts.selectors.divisions import Division
from instruments.reading.forms.fields import StyledForm
from instruments.register.models import Instrument

NONE = ("", "–")  # the choice of no region
MOST_RECORD = 200_000  # bytes of a ROR record
_VERSION = forms.IntegerField(required=False, min_value=1, widget=forms.HiddenInput)


def _offer(form: forms.Form, name: str, regions: Mapping[str, Region], *first: Any) -> None:
    """Set the choices of a field: `first`, then the regions by their keys."""
    field: Any = form.fields[name]
    choices = ((key, f"{named(region)} ({region.code})") for key, region in regions.items())
    field.choices = [*first, *choices]


class LimitsForm(StyledForm):
    """A role for facilities and instruments of an organisation."""

    role = forms.ChoiceField(
        label=_("Role"),
        choices=[(OPERATOR, ROLE_NAMES[OPERATOR]), (MANAGER, ROLE_NAMES[MANAGER])],
        widget=forms.RadioSelect,
        initial=OPERATOR,
        help_text=_(
            "An operator checks people in and out, receives samples, confirms faults, for which they may "
            "close the instrument, and delivers results, and sees no prices. A manager does all that a "
            "manager does for these instruments."
        ),
    )
    facilities = forms.TypedMultipleChoiceField(
        label=_("Facilities, with all their instruments"),
        required=False,
        coerce=UUID,
        widget=forms.CheckboxSelectMultiple,
    )
    instruments = forms.TypedMultipleChoiceField(
        label=_("Instruments"), required=False, coerce=UUID, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, choices: Mapping[str, Iterable[Any]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, rows in choices.items():
            field: Any = self.fields[name]
            field.choices = [(str(row.pk), _told_apart(row)) for row in rows]


def _told_apart(row: Any) -> str:
    """Return the name of a facility; of an instrument with its facility and inventory number, as several may
    have one name."""
    if not isinstance(row, Instrument):
        return named(row)
    kinds = row.alternate_identifiers
    numbers = [i["identifier"] for i in kinds if i.get("identifier_type") == "InventoryNumber"]
    return " · ".join(filter(None, (named(row), named(row.facility), *numbers)))


class RegionForm(StyledForm):
    """A region, whatever its scheme."""

    version = _VERSION
    scheme = forms.CharField(
        label=_("Scheme"),
        max_length=20,
        initial=organisations.SUBDIVISIONS,
        help_text=_("The list that contains the code: ISO 3166-2, GB/T 2260, or one of your own."),
    )
    code = forms.CharField(label=_("Code"), max_length=20)
    name = forms.CharField(label=_("Name"), max_length=organisations.MOST_REGION_NAME, required=False)
    name_zh = forms.CharField(
        label=_("Name in Chinese"), max_length=organisations.MOST_REGION_NAME, required=False
    )
    parent = forms.ChoiceField(
        label=_("Lies in"),
        required=False,
        help_text=_("Coordinators and auditors of that region are also responsible for this one."),
    )
    time_zone = forms.CharField(
        label=_("Time zone"),
        max_length=64,
        required=False,
        widget=forms.TextInput(attrs={"list": "time-zones", "autocomplete": "off"}),
    )
    currency = forms.ChoiceField(
        label=_("Currency"), choices=[NONE, *((code, code) for code in sorted(MINOR_DIGITS))], required=False
    )
    holiday_calendar = forms.CharField(
        label=_("Holiday calendar"),
        max_length=20,
        required=False,
        help_text=_("Country or country-subdivision, such as CN or DE-BY. Empty: no holidays."),
    )
    shares = forms.BooleanField(
        label=_("Shares instruments with other regions"),
        required=False,
        help_text=_(
            "Organisations belong to regions that share instruments; other regions only add up figures."
        ),
    )

    def __init__(self, data: Any = None, *, regions: Iterable[Region], **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.regions = {str(region.pk): region for region in regions}
        _offer(self, "parent", self.regions, NONE)
        self.time_zones = sorted(zoneinfo.available_timezones())

    def values(self) -> dict[str, Any]:
        """Return the values that were entered, in the form in which the service takes them, without scheme
        and version."""
        data = dict(self.cleaned_data)
        data.pop("version")
        data.pop("scheme", None)
        return data | {"parent": self.regions.get(data["parent"])}


class PickForm(StyledForm):
    """Places to pick from a shipped list."""

    scheme = forms.ChoiceField(
        label=_("List"),
        choices=[(organisations.SUBDIVISIONS, "ISO 3166-2"), (organisations.CHINA, "GB/T 2260")],
        required=False,
    )
    country = forms.ChoiceField(label=_("Country"), required=False)
    q = forms.CharField(label=_("Name or code"), required=False, max_length=60)

    def __init__(self, data: Any, *, countries: Sequence[Division]) -> None:
        if data.get("scheme") == organisations.CHINA:
            data = data.dict() | {"country": "CN"}
        super().__init__(data)
        field: Any = self.fields["country"]
        names = sorted(((one.code, named(one)) for one in countries), key=lambda pair: pair[1])
        field.choices = [NONE, *names]


class PickedForm(forms.Form):
    """The places that were picked, and the values that all of them get."""

    codes = forms.MultipleChoiceField()
    time_zone = forms.CharField(max_length=64, required=False)
    shares = forms.BooleanField(required=False)

    def __init__(self, data: Any, *, codes: Iterable[str]) -> None:
        super().__init__(data)
        field: Any = self.fields["codes"]
        field.choices = [(code, code) for code in codes]


class OrganisationForm(StyledForm):
    """An organisation, with the details that its statements print."""

    version = _VERSION
    name = forms.CharField(label=_("Name"), max_length=organisations.MOST_TEXT["name"])
    name_zh = forms.CharField(
        label=_("Name in Chinese"), max_length=organisations.MOST_TEXT["name_zh"], required=False
    )
    code = forms.CharField(
        label=_("Code"),
        max_length=30,
        help_text=_("Short and unique: letters, digits, dashes. Files and addresses use it."),
    )
    kind = forms.ChoiceField(label=_("Kind"), choices=[NONE, *Organisation.Kind.choices])
    is_small = forms.BooleanField(
        label=_("Small enterprise"),
        required=False,
        help_text=_("Some voucher programmes are only for small enterprises."),
    )
    region = forms.ChoiceField(label=_("Region"))
    ror = forms.CharField(
        label=_("ROR identifier"),
        max_length=200,
        required=False,
        help_text=_("Such as https://ror.org/04c4dkn09, if it has one."),
    )
    legal_name = forms.CharField(
        label=_("Legal name"), max_length=organisations.MOST_TEXT["legal_name"], required=False
    )
    address = forms.CharField(
        label=_("Address"),
        max_length=organisations.MOST_TEXT["address"],
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    tax_number = forms.CharField(
        label=_("Tax number"), max_length=organisations.MOST_TEXT["tax_number"], required=False
    )
    bank_name = forms.CharField(
        label=_("Bank and branch"), max_length=organisations.MOST_TEXT["bank_name"], required=False
    )
    account_number = forms.CharField(
        label=_("Account number"), max_length=organisations.MOST_TEXT["account_number"], required=False
    )
    iban = forms.CharField(label=_("IBAN"), max_length=42, required=False)
    bic = forms.CharField(label=_("BIC (SWIFT)"), max_length=14, required=False)
    bank_account = forms.CharField(
        label=_("More about the account"),
        max_length=organisations.MOST_TEXT["bank_account"],
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    invoice_email = forms.CharField(
        label=_("Address for invoices (e-mail)"),
        max_length=organisations.MOST_TEXT["invoice_email"],
        required=False,
    )
    order_number = forms.CharField(
        label=_("Order number"),
        max_length=organisations.MOST_TEXT["order_number"],
        required=False,
        help_text=_("Statements that it has to pay quote it, unless one is given its own."),
    )

    def __init__(self, data: Any = None, *, regions: Iterable[Region] | None, **kwargs: Any) -> None:
        """Build the form; with `regions` None the region of the organisation cannot be changed."""
        super().__init__(data, **kwargs)
        self.regions = {str(region.pk): region for region in regions or ()}
        if regions is None:
            del self.fields["region"]
        else:
            _offer(self, "region", self.regions, *([] if len(self.regions) == 1 else [NONE]))

    def values(self) -> dict[str, Any]:
        """Return the values that were entered, in the form in which the service takes them, without the
        version."""
        data = dict(self.cleaned_data)
        data.pop("version")
        if "region" in data:
            data["region"] = self.regions[data["region"]]
        return data


class RorForm(StyledForm):
    """A ROR record, pasted or as a file."""

    record = forms.CharField(
        label=_("Record in JSON"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
    )
    file = forms.FileField(
        label=_("or a file"),
        required=False,
        widget=forms.FileInput(attrs={"accept": ".json,application/json"}),
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        upload = data.get("file")
        text = data.get("record", "")
        if upload is not None:
            text = upload.read(MOST_RECORD + 1) if upload.size <= MOST_RECORD else b"?"
        try:
            if len(text) > MOST_RECORD:
                raise ValueError
            data["values"] = organisations.read_ror(json.loads(text))
        except (ValueError, RecursionError):
            self.add_error("record", forms.ValidationError("not-a-ror-record", "not-a-ror-record"))
        except Invalid as problem:
            code = problem.problems[0].code
            self.add_error("record", forms.ValidationError(code, code))
        return data


class OrganisationFilterForm(StyledForm):
    """Filters for the list of organisations."""

    q = forms.CharField(label=_("Name, code or ROR"), required=False, max_length=100)
    region = forms.ChoiceField(label=_("Region"), required=False)
    kind = forms.ChoiceField(
        label=_("Kind"), choices=[("", _("all kinds")), *Organisation.Kind.choices], required=False
    )
    state = forms.ChoiceField(
        label=_("State"),
        choices=[
            ("open", pgettext_lazy("register", "open")),
            ("closed", pgettext_lazy("register", "closed")),
            ("all", pgettext_lazy("register", "all")),
        ],
        required=False,
    )

    def __init__(self, data: Any, *, regions: Iterable[Region]) -> None:
        super().__init__(data)
        _offer(self, "region", {region.code: region for region in regions}, ("", _("all regions")))

    def criteria(self) -> dict[str, Any]:
        """Return the filters that were entered, in the form in which the selector takes them; malformed ones
        are ignored."""
        data = self.cleaned_data if self.is_valid() else {}
        return {
            "text": data.get("q", ""),
            "region": data.get("region", ""),
            "kind": data.get("kind", ""),
            "state": data.get("state") or "open",
        }


class MissingForm(StyledForm):
    """A request for an organisation that is not yet in the register."""

    name = forms.CharField(
        label=_("Name"),
        max_length=organisations.MOST_TEXT["name"],
        required=False,
        help_text=_("In Latin letters. One of the two names is enough."),
    )
    name_zh = forms.CharField(
        label=_("Name in Chinese"), max_length=organisations.MOST_TEXT["name_zh"], required=False
    )
    kind = forms.ChoiceField(label=_("Kind"), choices=[NONE, *Organisation.Kind.choices])
    region = forms.ChoiceField(
        label=_("Region"), help_text=_("The coordinators of the region decide on your request.")
    )
    ror = forms.CharField(
        label=_("ROR identifier"),
        max_length=200,
        required=False,
        help_text=_("Such as https://ror.org/04c4dkn09, if it has one."),
    )
    text = forms.CharField(
        label=_("What should they know?"),
        max_length=organisations.MOST_REQUEST_TEXT,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Such as its website, your group, and who could manage it here."),
    )

    def __init__(self, data: Any = None, *, regions: Iterable[Region], **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.regions = {str(region.pk): region for region in regions}
        _offer(self, "region", self.regions, NONE)

    def clean(self) -> None:
        data = super().clean() or self.cleaned_data
        if not (data.get("name") or data.get("name_zh") or self.errors.keys() & {"name", "name_zh"}):
            self.add_error("name", self.fields["name"].error_messages["required"])

    def values(self) -> dict[str, Any]:
        """Return the values that were entered, in the form in which the service takes them."""
        data = self.cleaned_data
        name = data["name"] or data["name_zh"]
        return data | {"name": name, "region": self.regions[data["region"]]}


class AnswerForm(StyledForm):
    """The answer to a request: the organisation that it means, or why it is declined."""

    organisation = OrganisationField(required=False)
    reason = forms.CharField(label=_("Reason"), max_length=500, required=False)
