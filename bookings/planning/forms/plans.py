"""A planned purchase, as somebody enters it; which of them are listed."""

import re
from collections.abc import Sequence
from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.domain.currencies import MINOR_DIGITS
from accounts.letters.words import named
from accounts.models import Organisation
from bookings.planning.domain.plans import MOST_HOURS, YEARS_AHEAD
from bookings.planning.models import PlannedPurchase
from bookings.planning.services.plans import PlanValues
from bookings.record.domain.money import format_number
from bookings.reviews.models import PurchaseCase
from instruments.forms.fields import StyledForm, VersionForm
from instruments.forms.registry import term
from instruments.models import Technique


class PlanForm(VersionForm):
    """A new one, for one of some organisations, or another in the place of a plan."""

    organisation = forms.ChoiceField(label=_("Who buys"))
    technique = forms.CharField(
        label=_("Class of instrument"),
        max_length=300,
        widget=forms.TextInput(attrs={"list": "technique-terms", "autocomplete": "off"}),
        help_text=_("A technique: begin to type and choose from the list, or enter its code."),
    )
    name = forms.CharField(
        label=_("Standard name"),
        max_length=200,
        help_text=_("Without maker or model, for example: transmission electron microscope."),
    )
    year = forms.TypedChoiceField(label=_("Year"), coerce=int)
    quarter = forms.TypedChoiceField(
        label=_("Quarter"),
        coerce=int,
        empty_value=None,
        required=False,
        choices=[("", _("not known yet")), *((n, f"Q{n}") for n in range(1, 5))],
    )
    price = forms.DecimalField(label=_("Price"), max_digits=18, decimal_places=3)
    currency = forms.ChoiceField(
        label=_("Currency"), choices=[(code, code) for code in sorted(MINOR_DIGITS)]
    )
    hours = forms.IntegerField(label=_("Hours expected a year"), min_value=1, max_value=MOST_HOURS)
    place = forms.CharField(label=_("Where it will stand"), max_length=200, required=False)
    confidence = forms.ChoiceField(
        label=_("How sure it is"), choices=PlannedPurchase.Confidence.choices
    )

    def __init__(
        self,
        data: Any = None,
        *,
        organisations: Sequence[Organisation] = (),
        vocabulary: Sequence[Technique] = (),
        plan: PlannedPurchase | None = None,
        today: date,
    ) -> None:
        super().__init__(data)
        self.vocabulary = vocabulary
        fields: Any = self.fields
        years = set(range(today.year, today.year + YEARS_AHEAD + 1))
        if plan is not None:
            del fields["organisation"]
            years.add(plan.year)
            for name in ("name", "year", "quarter", "currency", "hours", "place", "confidence"):
                self.initial[name] = getattr(plan, name)
            self.initial["technique"] = term(plan.technique)
            self.initial["price"] = format_number(plan.price)
            self.initial["version"] = plan.version
        else:
            fields["organisation"].choices = [(one.code, named(one)) for one in organisations]
            self.initial["year"] = today.year + 1
            self.initial["currency"] = organisations[0].region.currency if organisations else ""
            if len(organisations) == 1:
                fields["organisation"].widget = forms.HiddenInput()
                self.initial["organisation"] = organisations[0].code
        fields["year"].choices = [(year, year) for year in sorted(years)]

    def terms(self) -> list[tuple[str, str]]:
        """Return the classes there are, with what else each is called."""
        return [(term(t), " · ".join(map(str, t.synonyms))) for t in self.vocabulary]

    def values(self) -> PlanValues:
        data = {k: v for k, v in self.cleaned_data.items() if k not in ("organisation", "version")}
        if match := re.search(r"\(([^()]+)\)\s*$", data["technique"]):
            data["technique"] = match[1]
        return PlanValues(**data)


class DropForm(VersionForm):
    reason = forms.CharField(label=_("Why it will not be bought"), max_length=1000)


class CaseForm(VersionForm):
    """The purchase case that a plan became."""

    case = forms.ChoiceField(label=_("Purchase case"))

    def __init__(self, data: Any = None, *, cases: Sequence[PurchaseCase], version: int) -> None:
        super().__init__(data, initial={"version": version})
        fields: Any = self.fields
        fields["case"].choices = [(str(one.pk), str(one)) for one in cases]


class PlansForm(StyledForm):
    """Which plans are listed."""

    technique = forms.CharField(label=_("Class of instrument"), max_length=60, required=False)
    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[("", _("all")), *PlannedPurchase.State.choices],
    )
