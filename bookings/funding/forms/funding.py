"""What pays for a booking, and what finance says of a source."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.domain.currencies import MINOR_DIGITS
from bookings.funding.domain.funding import HUNDRED, Share
from bookings.funding.domain.funding_sources import LONGEST_CODE, LONGEST_NAME
from bookings.funding.models import FundingSource
from bookings.record.domain.money import format_amount, format_number
from instruments.forms.fields import DayField, StyledForm


class PaysFrom:
    """The part of a form that says which sources pay: one of them, or several by percent. A
    percent given to any counts instead of the one that is chosen."""

    fields: Any
    cleaned_data: dict[str, Any]
    sources: Sequence[FundingSource] = ()

    def offer(self, sources: Sequence[FundingSource]) -> None:
        """Add the fields, if there is anything to choose."""
        self.sources = sources
        if not sources:
            return
        choices = [("", _("no funding source")), *((s.code, described(s)) for s in sources)]
        self.fields["funding"] = forms.CharField(
            label=_("Funding source"),
            required=False,
            max_length=LONGEST_CODE,
            initial=default_of(sources),
            widget=forms.Select(choices=choices, attrs={"class": "form-select"}),
            help_text=_("What the booking will cost is set aside in it."),
        )
        for source in sources if len(sources) > 1 else ():
            self.fields[percent_name(source)] = forms.DecimalField(
                label=described(source),
                required=False,
                min_value=0,
                max_value=100,
                decimal_places=3,
                widget=forms.NumberInput(
                    attrs={"class": "form-control", "min": "0", "max": "100", "step": "any"}
                ),
            )

    def funding_names(self) -> set[str]:
        """The fields with a place of their own."""
        return {"funding", *(percent_name(source) for source in self.sources)} & set(self.fields)

    def shares(self) -> tuple[Share, ...]:
        """What was chosen; nothing, where nothing was."""
        data = self.cleaned_data
        parts = tuple(
            Share(source.code, percent)
            for source in self.sources
            if (percent := data.get(percent_name(source)))
        )
        if parts:
            return parts
        return (Share(data["funding"], HUNDRED),) if data.get("funding") else ()

    def shares_so_far(self) -> tuple[Share, ...]:
        """Return the shares of a form that may not be sent or sound yet: what it begins with, or
        nothing."""
        form: Any = self
        if not form.is_bound and self.sources:
            code = default_of(self.sources)
            return (Share(code, HUNDRED),) if code else ()
        return self.shares() if form.is_bound and form.is_valid() else ()

    @property
    def splitting(self) -> list[Any]:
        """The fields of the percents, for the template."""
        form: Any = self
        return [form[percent_name(s)] for s in self.sources if percent_name(s) in self.fields]

    @property
    def is_split(self) -> bool:
        return any(field.value() or field.errors for field in self.splitting)


def percent_name(source: FundingSource) -> str:
    return f"percent_{source.pk}"


def default_of(sources: Sequence[FundingSource]) -> str:
    """The code of the only one; with several nothing is taken for granted."""
    return sources[0].code if len(sources) == 1 else ""


def described(source: FundingSource) -> str:
    """Code, name, and what is left of it."""
    left = source.left
    text = f"{source.code} · {source.name}"
    if left is None:
        return text
    shown = format_amount(max(left, Decimal(0)), source.currency)
    amount = f"{source.currency} {Decimal(shown):,f}"
    return gettext("{source} ({amount} left)").format(source=text, amount=amount)


class SourceForm(StyledForm):
    """What finance says of a source."""

    organisation = forms.ChoiceField(label=_("Organisation"))
    code = forms.CharField(
        label=_("Code"),
        max_length=LONGEST_CODE,
        help_text=_("The number of the project or account. It cannot be changed later."),
    )
    name = forms.CharField(label=_("Name"), max_length=LONGEST_NAME)
    owner = forms.CharField(
        label=_("Owner"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
        help_text=_("The e-mail address of a member, who may always charge it."),
    )
    users = forms.CharField(
        label=_("Who else may charge it"),
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("E-mail addresses of members, one per line."),
    )
    is_open = forms.BooleanField(label=_("Every member may charge it"), required=False)
    currency = forms.ChoiceField(label=_("Currency"))
    budget = forms.DecimalField(
        label=_("Budget"),
        required=False,
        min_value=0,
        max_digits=18,
        decimal_places=3,
        widget=forms.NumberInput(attrs={"step": "any", "min": "0"}),
        help_text=_("Empty: no limit."),
    )
    valid_from = DayField(label=_("First day"))
    valid_until = DayField(
        label=_("No longer valid from"), required=False, help_text=_("Empty: no end.")
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(
        self,
        data: Any = None,
        *,
        organisations: Sequence[tuple[str, str]] = (),
        is_used: bool = False,
        **kwargs: Any,
    ) -> None:
        """`organisations`: code and name of those to choose from, for a new one."""
        super().__init__(data, **kwargs)
        fields: Any = self.fields
        if organisations:
            fields["organisation"].choices = list(organisations)
        else:
            del fields["organisation"], fields["code"]
        if len(organisations) == 1:
            fields["organisation"].widget = forms.HiddenInput()
        fields["currency"].choices = [(code, code) for code in sorted(MINOR_DIGITS)]
        if is_used:
            del fields["currency"]

    def given(self) -> dict[str, Any]:
        """The fields as the service's door reads them."""
        data = self.cleaned_data
        named = ("name", "owner", "currency", "budget", "valid_from", "valid_until")
        users = data["users"].replace(",", " ").replace(";", " ").split()
        return {
            **{name: data[name] for name in named if name in data},
            "users": list(dict.fromkeys(users)),
            "open": data["is_open"],
        }


def source_initial(row: FundingSource) -> dict[str, Any]:
    """Return the initial values of the form that changes a source."""
    return {
        "name": row.name,
        "owner": row.owner.email,
        "users": "\n".join(user.email for user in sorted(row.users.all(), key=str)),
        "is_open": row.is_open,
        "currency": row.currency,
        "budget": None if row.budget is None else format_number(row.budget),
        "valid_from": row.valid_from,
        "valid_until": row.valid_until,
        "version": row.version,
    }


class SuspendForm(StyledForm):
    """Why a source is suspended, or resumed."""

    reason = forms.CharField(label=_("Reason"), required=False, max_length=500)
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)
