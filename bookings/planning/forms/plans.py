"""Forms for entering a planned purchase, and for filtering the list of them."""

import re
from collections.abc import Sequence
from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.api.shapes import Choice, Number, Shape, Text, Whole
from accounts.domain.currencies import MINOR_DIGITS
from accounts.letters.words import named
from accounts.models import Organisation
from bookings.planning.domain.plans import MOST_HOURS, YEARS_AHEAD
from bookings.planning.models import PlannedPurchase
from bookings.planning.services.plans import PlanValues
from bookings.record.domain.money import format_number
from bookings.reviews.models import PurchaseCase
from instruments.managing.forms.registry import term
from instruments.reading.forms.fields import VersionForm
from instruments.reading.forms.shapes import field_of, form_of
from instruments.vocabulary.models import Technique


class PlannedPurchaseBody(Shape):
    technique = Text(60, help_text="Code of the technique, which is the class of what is bought.")
    name = Text(
        200,
        label=_("Standard name"),
        help_text="Standard name, without manufacturer or model.",
        style={"help": _("Without maker or model, for example: transmission electron microscope.")},
    )
    year = Whole(min_value=2000, max_value=2200, help_text="At most three years ahead.")
    quarter = Whole(min_value=1, max_value=4, required=False, allow_null=True)
    price = Number(18, 3, min_value=1, label=_("Price"))
    currency = Text(3, default="", help_text="Default: the currency of the organisation's region.")
    hours = Whole(
        min_value=1,
        max_value=MOST_HOURS,
        label=_("Hours expected a year"),
        help_text="Hours of use expected per year.",
    )
    place = Text(
        200, default="", allow_blank=True, label=_("Where it will stand"), help_text="Place of installation."
    )
    confidence = Choice(PlannedPurchase.Confidence.choices, default="considered")


class PlanForm(VersionForm):
    """The form of a new plan for one of several organisations, or of changes to a plan."""

    organisation = forms.ChoiceField(label=_("Who buys"))
    technique = forms.CharField(
        label=_("Class of instrument"),
        max_length=300,
        widget=forms.TextInput(attrs={"list": "technique-terms", "autocomplete": "off"}),
        help_text=_("A technique: begin to type and choose from the list, or enter its code."),
    )
    name = field_of(PlannedPurchaseBody, "name")
    year = forms.TypedChoiceField(label=_("Year"), coerce=int)
    quarter = forms.TypedChoiceField(
        label=_("Quarter"),
        coerce=int,
        empty_value=None,
        required=False,
        choices=[("", _("not known yet")), *((n, f"Q{n}") for n in range(1, 5))],
    )
    price = field_of(PlannedPurchaseBody, "price")
    currency = forms.ChoiceField(label=_("Currency"), choices=[(code, code) for code in sorted(MINOR_DIGITS)])
    hours = field_of(PlannedPurchaseBody, "hours")
    place = field_of(PlannedPurchaseBody, "place")
    confidence = forms.ChoiceField(label=_("How certain it is"), choices=PlannedPurchase.Confidence.choices)

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
        """Return the classes to choose from, each with its other names."""
        return [(term(t), " · ".join(map(str, t.synonyms))) for t in self.vocabulary]

    def values(self) -> PlanValues:
        data = {k: v for k, v in self.cleaned_data.items() if k not in ("organisation", "version")}
        if match := re.search(r"\(([^()]+)\)\s*$", data["technique"]):
            data["technique"] = match[1]
        return PlanValues(**data)


class DropBody(Shape):
    reason = Text(1000, label=_("Why it will not be bought"))


DropForm = form_of(DropBody)


class CaseForm(VersionForm):
    """The purchase case that a plan became."""

    case = forms.ChoiceField(label=_("Purchase case"))

    def __init__(self, data: Any = None, *, cases: Sequence[PurchaseCase], version: int) -> None:
        super().__init__(data, initial={"version": version})
        fields: Any = self.fields
        fields["case"].choices = [(str(one.pk), str(one)) for one in cases]
