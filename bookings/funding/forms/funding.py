"""Forms for choosing what pays for a booking, and for the terms of a funding source."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from accounts.domain.currencies import MINOR_DIGITS
from accounts.domain.roles import Actor
from accounts.forms import PersonField, known_to, person_choice
from bookings.funding.domain.defaults import NO_DEFAULT, Default
from bookings.funding.domain.funding import HUNDRED, Share
from bookings.funding.domain.funding_sources import LONGEST_CODE, LONGEST_NAME
from bookings.funding.forms.limits import LimitsForm
from bookings.funding.models import FundingSource
from bookings.record.domain.money import format_amount, format_number
from instruments.reading.forms.fields import DayField, DecimalField, PeopleField, StyledForm

THEIRS = "*"  # the choice of the default of whoever a booking is for


class PaysFrom:
    """The part of a form that says which sources pay: one of them, or several by percent. If any percent is
    entered, the percents count instead of the single source."""

    fields: Any
    cleaned_data: dict[str, Any]
    sources: Sequence[FundingSource] = ()
    default: Default = NO_DEFAULT

    def offer(
        self, sources: Sequence[FundingSource], default: Default = NO_DEFAULT, *, for_others: bool = False
    ) -> None:
        """Add the fields, if there is any source to choose; what the person has by default is preselected. In
        a form by which one books `for_others`, that is the default of whoever the booking is for."""
        self.sources, self.default = sources, default
        if not sources:
            return
        initial = initial_of(sources, default)
        choices = [("", _("no funding source")), *((s.code, described(s)) for s in sources)]
        if for_others:
            choices.insert(0, (THEIRS, _("the default of the person it is for")))
            if default.shares or default.lapsed:
                self.default, initial = NO_DEFAULT, {"funding": THEIRS}
        self.fields["funding"] = forms.CharField(
            label=_("Funding source"),
            required=False,
            max_length=LONGEST_CODE,
            initial=initial.get("funding", ""),
            widget=forms.Select(choices=choices, attrs={"class": "form-select"}),
            help_text=_("The cost of the booking is reserved in this source."),
        )
        for source in sources if len(sources) > 1 else ():
            self.fields[percent_name(source)] = DecimalField(
                label=described(source),
                required=False,
                initial=initial.get(percent_name(source)),
                min_value=0,
                max_value=100,
                decimal_places=3,
                widget=forms.NumberInput(
                    attrs={"class": "form-control", "min": "0", "max": "100", "step": "any"}
                ),
            )

    def funding_names(self) -> set[str]:
        """Return the names of the fields that the template shows in a place of their own."""
        return {"funding", *(percent_name(source) for source in self.sources)} & set(self.fields)

    def shares(self) -> tuple[Share, ...]:
        """Return the chosen shares; none if nothing was chosen."""
        data = self.cleaned_data
        parts = tuple(
            Share(source.code, percent)
            for source in self.sources
            if (percent := data.get(percent_name(source)))
        )
        if parts:
            return parts
        return (Share(data["funding"], HUNDRED),) if data.get("funding") not in (None, "", THEIRS) else ()

    def shares_or_default(self) -> tuple[Share, ...] | None:
        """Return the chosen shares; None if the default of the person pays."""
        return None if self.cleaned_data.get("funding") == THEIRS and not self.shares() else self.shares()

    def shares_so_far(self) -> tuple[Share, ...] | None:
        """Return the shares of a form that may not be sent or valid yet: its initial values, or none; None if
        the default of the person pays."""
        form: Any = self
        if not form.is_bound and self.sources:
            if form.fields["funding"].initial == THEIRS:
                return None
            code = default_of(self.sources)
            return self.default.shares or ((Share(code, HUNDRED),) if code else ())
        return self.shares_or_default() if form.is_bound and form.is_valid() else ()

    @property
    def splitting(self) -> list[Any]:
        """Return the fields of the percents, for the template."""
        form: Any = self
        return [form[percent_name(s)] for s in self.sources if percent_name(s) in self.fields]

    @property
    def is_split(self) -> bool:
        return any(field.value() or field.errors for field in self.splitting)


def percent_name(source: FundingSource) -> str:
    return f"percent_{source.pk}"


def default_of(sources: Sequence[FundingSource]) -> str:
    """Return the code of the only source; empty if there are several, as none is preferred."""
    return sources[0].code if len(sources) == 1 else ""


def initial_of(sources: Sequence[FundingSource], default: Default = NO_DEFAULT) -> dict[str, Any]:
    """Return the initial values of the fields: the default of the person or, without one, the only source."""
    if not default.shares:
        return {"funding": default_of(sources)}
    if len(default.shares) == 1:
        return {"funding": default.shares[0].source}
    percents = {share.source: share.percent for share in default.shares}
    shared = {percent_name(s): format_number(percents[s.code]) for s in sources if s.code in percents}
    return {"funding": ""} | shared


def described(source: FundingSource) -> str:
    """Return the code and name of a source, and what is left of it."""
    left = source.left
    text = f"{source.code} · {source.name}"
    if left is None:
        return text
    shown = format_amount(max(left, Decimal(0)), source.currency)
    amount = f"{source.currency} {Decimal(shown):,f}"
    return gettext("{source} ({amount} left)").format(source=text, amount=amount)


class SourceForm(LimitsForm):
    """The terms of a funding source."""

    limits = ("budget",)

    organisation = forms.ChoiceField(label=_("Organisation"))
    code = forms.CharField(
        label=pgettext_lazy("funding source", "Code"),
        max_length=LONGEST_CODE,
        help_text=_("The number of the project or account. It cannot be changed later."),
    )
    name = forms.CharField(label=_("Name"), max_length=LONGEST_NAME)
    owner = PersonField(label=_("Owner"), help_text=_("A member, who may always charge it."))
    users = PeopleField(label=_("Who else may charge it"), least=1, help_text=_("Members."))
    is_open = forms.BooleanField(label=_("Every member may charge it"), required=False)
    currency = forms.ChoiceField(label=_("Currency"))
    budget = DecimalField(
        label=_("Budget"),
        required=False,
        min_value=0,
        max_digits=18,
        decimal_places=3,
        widget=forms.NumberInput(attrs={"step": "any", "min": "0"}),
    )
    valid_from = DayField(label=_("First day"))
    valid_until = DayField(label=_("No longer valid from"), required=False, help_text=_("Empty: no end."))
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(
        self,
        data: Any = None,
        *,
        actor: Actor,
        organisations: Sequence[tuple[str, str]] = (),
        is_used: bool = False,
        **kwargs: Any,
    ) -> None:
        """Build the form; for a new source `organisations` are the code and name of those to choose from."""
        super().__init__(data, **kwargs)
        known_to(self, actor)
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
        """Return the fields in the form in which the service takes them."""
        data = self.cleaned_data
        named = ("name", "owner", "currency", "budget", "valid_from", "valid_until")
        return {
            **{name: data[name] for name in named if name in data},
            "users": data["users"],
            "open": data["is_open"],
        }


def source_initial(row: FundingSource) -> dict[str, Any]:
    """Return the initial values of the form that changes a source."""
    return {
        "name": row.name,
        "owner": person_choice(row.owner),
        "users": [person_choice(user) for user in sorted(row.users.all(), key=str)],
        "is_open": row.is_open,
        "currency": row.currency,
        "budget": None if row.budget is None else format_number(row.budget),
        "valid_from": row.valid_from,
        "valid_until": row.valid_until,
        "version": row.version,
    }


class SuspendForm(StyledForm):
    """The reason why a source is suspended or resumed."""

    reason = forms.CharField(label=_("Reason"), required=False, max_length=500)
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)


class DefaultPeopleForm(StyledForm):
    """The people whose default a source is."""

    people = PeopleField(
        label=_("Default of"),
        help_text=_("It is preselected when they book. One name a field, or a pasted list of addresses."),
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)


class OwnDefaultForm(PaysFrom, StyledForm):
    """The funding source that pays for one's own bookings unless another is chosen."""

    def __init__(
        self, data: Any = None, *, sources: Sequence[FundingSource], default: Default, **kwargs: Any
    ) -> None:
        super().__init__(data, **kwargs)
        self.offer(sources, default)
        if sources:
            field: Any = self.fields["funding"]
            field.help_text = ""
            if not default.is_own:  # the only source is not a choice of the person
                field.initial = ""
