"""What a booking is asked for with."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.domain.errors import FieldProblem
from bookings.catalogue.forms.periods import PeriodForm, modes_of
from bookings.catalogue.selectors.parties import Booking
from bookings.funding.forms.funding import PaysFrom
from bookings.funding.models import FundingSource
from bookings.pricing.selectors.fees import Asked
from bookings.record.domain.refusals import OVERRIDABLE
from bookings.record.messages import sentence
from bookings.record.models import Reservation
from bookings.samples.domain.samples import code_text
from bookings.samples.models import SampleItem
from instruments.forms.fields import StyledForm
from instruments.models import Instrument


class BookingForm(PaysFrom, StyledForm, PeriodForm):
    """The booking form: how and what for. Options are the rate card's own."""

    use_required_attribute = True

    service_mode = forms.ChoiceField(label=_("How will you work?"))
    purpose = forms.ChoiceField(
        label=_("Purpose"),
        choices=Reservation.Purpose.choices,
    )
    purpose_text = forms.CharField(
        label=_("What will you do?"),
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("The owner of the instrument reads this."),
    )
    samples = forms.CharField(
        label=_("Samples"),
        required=False,
        max_length=500,
        help_text=_("What they are, and anything to be careful about."),
    )
    hold = forms.UUIDField(required=False)
    house_rules = forms.IntegerField(required=False, min_value=1)

    def __init__(
        self,
        *args: Any,
        instrument: Instrument,
        options: list[dict[str, Any]],
        for_others: bool = False,
        only_for_others: bool = False,
        may_override: bool = False,
        sources: Sequence[FundingSource] = (),
        sample_items: Sequence[SampleItem] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        if for_others:
            field = forms.EmailField(
                label=_("For whom"),
                required=only_for_others,
                help_text=_("The e-mail address of the person. Empty: for yourself.")
                if not only_for_others
                else _("The e-mail address of the person."),
            )
            self.add("on_behalf_of", field)
            self.order_fields(["on_behalf_of"])
        if may_override:
            self.fields["override"] = forms.MultipleChoiceField(
                required=False, choices=[(code, code) for code in OVERRIDABLE]
            )
            self.fields["reason"] = forms.CharField(required=False, max_length=500)
        self.is_managed = may_override
        self.offer(sources)
        if sample_items:
            chosen = forms.TypedMultipleChoiceField(
                label=_("Samples you have announced"),
                required=False,
                coerce=UUID,
                choices=[
                    (str(one.pk), f"{one.name} ({code_text(one.code)})") for one in sample_items
                ],
                widget=forms.CheckboxSelectMultiple,
            )
            self.add("sample_items", chosen)
        for name in ("start", "minutes", "organisation"):
            self.fields[name].widget = forms.HiddenInput()
        modes: Any = self.fields["service_mode"]
        modes.choices = modes_of(instrument)
        if "entrusted" in instrument.service_modes:
            count = forms.IntegerField(
                label=_("Number of samples"), required=False, min_value=1, max_value=100000
            )
            self.add("quantity", count)
        self.option_names = []
        for option in options:
            name = f"option_{option['code']}"
            self.option_names.append(name)
            is_hours = option["unit"] == "hour"
            unit = _("hours") if is_hours else _("number")
            words = option["code"].replace("-", " ").capitalize()
            step = "0.25" if is_hours else "1"
            amount = forms.DecimalField(
                label=f"{words} ({unit} × {option['price']})",
                required=False,
                min_value=0,
                max_value=10000,
                decimal_places=2 if is_hours else 0,
                widget=forms.NumberInput(attrs={"min": "0", "step": step}),
            )
            self.add(name, amount)

    def place_of(self, path: str) -> str:
        """The field of a problem that the rules name their own way."""
        if path.startswith("funding"):
            return "funding"
        return "quantity" if path == "samples" else path.replace("options.", "option_")

    def refuse(self, problems: Iterable[FieldProblem]) -> None:
        """Say what a rule or a service found wrong, each at its field."""
        for problem in problems:
            name = self.place_of(problem.field)
            text = sentence(problem.code, problem.numbers)
            self.add_error(name if name in self.fields else None, text)

    def options(self) -> dict[str, Decimal]:
        """Quantities by option code; those not asked for are left out."""
        return {
            name.removeprefix("option_"): value
            for name in self.option_names
            if (value := self.cleaned_data.get(name))
        }

    @property
    def named(self) -> str:
        """For whom it is, if not for the reader."""
        return str(self["on_behalf_of"].value() or "") if "on_behalf_of" in self.fields else ""

    def quantity(self) -> Decimal | None:
        number = self.cleaned_data.get("quantity")
        return Decimal(number) if number else None

    def enquiry(self) -> Asked:
        """What a price is asked for."""
        data = self.cleaned_data
        return Asked(self.period(), data["service_mode"], self.options(), self.quantity())

    def booking(self, instrument: Instrument) -> Booking:
        """What the form asks to reserve, even where the hold it names has run out."""
        data = self.cleaned_data
        return Booking(
            instrument_id=instrument.pk,
            period=self.period(),
            organisation=data["organisation"] or None,
            service_mode=data["service_mode"],
            purpose=data["purpose"],
            purpose_text=data["purpose_text"],
            samples=data["samples"],
            options=self.options(),
            quantity=self.quantity(),
            hold=data.get("hold"),
            needs_hold=False,
            on_behalf_of=data.get("on_behalf_of", ""),
            override=tuple(data.get("override", ())),
            reason=data.get("reason", ""),
            funding=self.shares(),
            sample_items=tuple(data.get("sample_items", ())),
            house_rules=data.get("house_rules"),
        )

    def shown(self) -> list[forms.BoundField]:
        """The fields the template lists; what is set aside has its own place."""
        elsewhere = {
            "override",
            "reason",
            "hold",
            "house_rules",
            "start",
            "minutes",
        } | self.funding_names()
        return [self[name] for name in self.fields if name not in elsewhere]
