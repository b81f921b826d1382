"""Forms for describing purchase cases, answering requests about them and deciding them."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.api.shapes import Choice, Day, Number, Shape, Text, Whole
from accounts.domain.currencies import MINOR_DIGITS
from accounts.domain.errors import FieldProblem
from accounts.forms import PersonField
from accounts.letters.words import named
from accounts.models import Organisation
from bookings.record.forms.fields import DayField
from bookings.reviews.domain import reviews as rules
from bookings.reviews.messages import grounds_to_choose
from bookings.reviews.models import CaseExpert, HostPledge, PurchaseCase, ReviewScheme
from bookings.reviews.selectors.comparison import requirements_of
from bookings.reviews.services.cases import CaseValues, Decision
from bookings.reviews.services.opinions import Opinion
from bookings.reviews.services.promises import MOST_YEARS
from instruments.managing.forms.registry import term
from instruments.reading.forms.fields import DecimalField, StyledForm, TextListField
from instruments.reading.forms.shapes import ShapeForm, field_of, form_of
from instruments.register.models import Instrument
from instruments.vocabulary.domain.parameters import Parameters, requirements_in
from instruments.vocabulary.messages import required_text
from instruments.vocabulary.models import Technique

_AMOUNT: dict[str, Any] = {"min_value": 0, "max_digits": 15, "decimal_places": 2}
_CURRENCIES = [(code, code) for code in sorted(MINOR_DIGITS)]


class CaseForm(StyledForm):
    """A planned purchase. Requirements are read from a text, as those of a need."""

    organisation = forms.ChoiceField(label=_("Applicant"))
    scheme = forms.ChoiceField(label=_("Review scheme"))
    money = forms.ChoiceField(label=_("Source of the money"), choices=ReviewScheme.Money)
    name = forms.CharField(label=_("What to buy"), max_length=200)
    techniques = TextListField(
        label=_("Technique"),
        least=1,
        list_id="technique-terms",
        help_text=_("Begin to type and choose from the list, or enter a code or an exact name."),
    )
    requirements = forms.CharField(
        label=_("What it must be able to do"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("With numbers and units, such as: resolution 2 nm, up to 300 kV."),
    )
    hours = forms.IntegerField(label=_("Hours needed a year"), min_value=1, max_value=8784)
    reason = forms.CharField(
        label=_("Why it is needed"), max_length=4000, widget=forms.Textarea(attrs={"rows": 4})
    )
    price = DecimalField(label=_("Price"), **_AMOUNT)
    currency = forms.ChoiceField(label=_("Currency"), choices=_CURRENCIES)
    years = forms.IntegerField(label=_("Years of use"), min_value=1, max_value=50)
    upkeep_percent = DecimalField(
        label=_("Upkeep, per cent of the price a year"),
        min_value=0,
        max_value=100,
        max_digits=5,
        decimal_places=2,
        initial=rules.UPKEEP_PERCENT,
    )
    staff = DecimalField(label=_("Staff costs a year"), required=False, **_AMOUNT)
    space = DecimalField(label=_("Cost of space a year"), required=False, **_AMOUNT)
    marginal = DecimalField(
        label=_("Cost per hour on the purchased instrument"),
        required=False,
        help_text=_("Material and energy, in addition to the yearly costs."),
        **_AMOUNT,
    )
    travel = DecimalField(label=_("Travel cost per hour elsewhere"), required=False, **_AMOUNT)
    place = forms.CharField(label=_("Where it will stand"), max_length=200)

    def __init__(
        self,
        data: Any = None,
        *,
        applicants: Sequence[Organisation],
        schemes: Sequence[ReviewScheme],
        vocabulary: Sequence[Technique],
        parameters: Parameters,
        case: PurchaseCase | None = None,
        **kwargs: Any,
    ) -> None:
        self.vocabulary, self.parameters = vocabulary, parameters
        if case is not None:
            names = ("money", "name", "hours", "reason", "price", "currency", "years", "place")
            initial = {name: getattr(case, name) for name in (*names, "upkeep_percent")}
            initial |= {name: getattr(case, name) for name in _OPTIONAL}
            initial["scheme"] = case.scheme.code
            initial["organisation"] = case.organisation.code
            initial["techniques"] = [term(one) for one in case.techniques.all()]
            initial["requirements"] = "; ".join(
                f"{parameters[r.parameter].name} {required_text(r, parameters)}"
                for r in requirements_of(case)
                if r.parameter in parameters
            )
            kwargs["initial"] = initial
        super().__init__(data, **kwargs)
        fields: Any = self.fields
        fields["organisation"].choices = [(one.code, named(one)) for one in applicants]
        fields["scheme"].choices = [(one.code, named(one)) for one in schemes]

    def place_of(self, path: str) -> str | None:
        return path.partition("[")[0]

    def terms(self) -> list[tuple[str, str]]:
        """List the techniques to choose from, each with its synonyms."""
        return [(term(one), " · ".join(map(str, one.synonyms))) for one in self.vocabulary]

    def values(self) -> CaseValues:
        """Return the values of the case that were entered, as the service takes them."""
        data = dict(self.cleaned_data)
        by_name = {
            name.casefold(): one.code for one in self.vocabulary for name in (one.name, one.name_zh) if name
        }
        codes = []
        for text in data.pop("techniques"):
            code = match[1] if (match := re.search(r"\(([^()]+)\)$", text)) else text
            codes.append(by_name.get(code.casefold(), code))
        read = requirements_in(data.pop("requirements"), self.parameters)
        data |= {name: data[name] or Decimal(0) for name in _OPTIONAL}
        return CaseValues(
            **data,
            techniques=codes,
            requirements=[
                {
                    "parameter": each.requirement.parameter,
                    "low": each.requirement.low,
                    "high": each.requirement.high,
                }
                for each in read
            ],
        )


_OPTIONAL = ("staff", "space", "marginal", "travel")


class ExpertBody(Shape):
    person = Text(254, label=_("Expert"), help_text="Id or e-mail address of the expert.")


class ExpertForm(StyledForm):
    """An expert to ask, chosen by name, or by the mail address of somebody the reader has not met here."""

    person = PersonField(
        label=_("Expert"), help_text=_("Somebody you have not met here: the address they sign in with.")
    )


class AppealBody(Shape):
    reason = Text(2000, label=_("Why you appeal"), style={"rows": 3})


AppealForm = form_of(AppealBody)


class InServiceForm(StyledForm):
    """The record of the purchased instrument, and its first day in service."""

    instrument = forms.ChoiceField(label=_("Its record"))
    in_service_on = DayField(label=_("In service since"))

    def __init__(self, data: Any = None, *, own: Sequence[Instrument], **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        fields: Any = self.fields
        fields["instrument"].choices = [(str(one.pk), one.name) for one in own]


class GroundsForm(StyledForm):
    """A form with the grounds of a scheme to choose from."""

    grounds = forms.MultipleChoiceField(
        label=_("Grounds"), widget=forms.CheckboxSelectMultiple, required=False
    )

    def __init__(self, data: Any = None, *, scheme: ReviewScheme, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        fields: Any = self.fields
        fields["grounds"].choices = [choice for _, choices in grounds_to_choose(scheme) for choice in choices]

    def place_of(self, path: str) -> str | None:
        return path.partition("[")[0]

    def refuse(self, problems: Iterable[FieldProblem]) -> None:
        """Show each problem at its field, with grounds by their names instead of their codes."""
        fields: Any = self.fields
        names = dict(fields["grounds"].choices)
        super().refuse(
            replace(p, numbers={name: names.get(value, value) for name, value in p.numbers.items()})
            for p in problems
        )


class DecisionForm(GroundsForm):
    decision = forms.ChoiceField(
        label=_("Decision"),
        choices=[
            (state.value, state.label) for state in PurchaseCase.State if state.value in rules.DECISIONS
        ],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label=_("Reasons"),
        help_text=_("Published in the register of decisions: do not name anybody."),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    conditions = forms.CharField(
        label=_("Conditions"),
        help_text=_("Published in the register of decisions: do not name anybody."),
        max_length=4000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    pooled_with = forms.ChoiceField(label=_("To buy together with"), required=False)
    field_order = ("decision", "grounds", "reason", "conditions", "pooled_with")

    def __init__(self, data: Any = None, *, pools: Sequence[PurchaseCase] = (), **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        fields: Any = self.fields
        if not pools:
            del fields["pooled_with"]
            return
        fields["pooled_with"].choices = [
            ("", "–"),
            *((str(case.pk), f"{named(case.organisation)} · {case.name}") for case in pools),
        ]

    def values(self) -> Decision:
        """Return the decision that was entered, as the service takes it."""
        data = self.cleaned_data
        return Decision(**data | {"pooled_with": data.get("pooled_with") or None})


class PledgeAnswerBody(Shape):
    """A promise of hours a year from a day on, or the reason for declining."""

    answer = Choice(HostPledge.Answer.choices)
    hours = Whole(min_value=1, required=False, allow_null=True, label=_("Hours a year"))
    price = Number(
        15,
        2,
        min_value=0,
        required=False,
        allow_null=True,
        label=_("Price per hour"),
        help_text="Price per hour.",
        style={"help": _("Empty: the price on your rate card.")},
    )
    currency = Text(3, default="", allow_blank=True)
    from_date = Day(required=False, allow_null=True, label=_("From"))
    years = Whole(
        min_value=1,
        max_value=MOST_YEARS,
        default=1,
        label=_("For how many years"),
        help_text="Number of years, each with these hours.",
        style={"help": _("The hours apply to each year.")},
    )
    reason = Choice(HostPledge.Reason.choices, default="", allow_blank=True)
    note = Text(1000, default="", allow_blank=True, label=_("Note"))


class PledgeForm(ShapeForm):
    """A host's answer to the request to pledge hours."""

    shape = PledgeAnswerBody

    answer = forms.ChoiceField(label=_("Your answer"), choices=HostPledge.Answer, widget=forms.RadioSelect)
    hours = field_of(PledgeAnswerBody, "hours")
    from_date = field_of(PledgeAnswerBody, "from_date")
    years = field_of(PledgeAnswerBody, "years")
    price = field_of(PledgeAnswerBody, "price")
    currency = forms.ChoiceField(label=_("Currency"), choices=_CURRENCIES, required=False)
    reason = forms.ChoiceField(
        label=_("Why not"),
        choices=[("", "–"), *HostPledge.Reason.choices],
        required=False,
        help_text=_("If you say that it is fully booked, its hours are shown beside your answer."),
    )
    note = field_of(PledgeAnswerBody, "note")


class InterestForm(StyledForm):
    interest = forms.CharField(
        label=_("Your conflict of interest"),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Empty: none. If you have one, you give no opinion; the coordinator reads it."),
    )


class OpinionForm(GroundsForm):
    advice = forms.ChoiceField(label=_("Your advice"), choices=CaseExpert.Advice, widget=forms.RadioSelect)
    text = forms.CharField(label=_("Reasons"), max_length=4000, widget=forms.Textarea(attrs={"rows": 5}))
    field_order = ("advice", "grounds", "text")

    def values(self) -> Opinion:
        """Return the opinion that was entered, as the service takes it."""
        return Opinion(**self.cleaned_data)
