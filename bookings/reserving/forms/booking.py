"""The booking form."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from hashlib import sha256
from typing import Any
from uuid import UUID

from django import forms
from django.utils.functional import cached_property
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from accounts.domain.errors import FieldProblem
from accounts.domain.roles import NOBODY, Actor
from accounts.forms import PersonField, known_to
from bookings.catalogue.forms.periods import SAMPLES, PeriodForm, modes_of
from bookings.catalogue.selectors.parties import Booking
from bookings.funding.domain.defaults import NO_DEFAULT, Default
from bookings.funding.forms.funding import PaysFrom
from bookings.funding.models import FundingSource
from bookings.pricing.selectors.fees import PriceRequest
from bookings.questions.domain.questions import load_fields
from bookings.questions.forms.questions import Asks
from bookings.questions.models import Questionnaire
from bookings.record.domain.refusals import OVERRIDABLE
from bookings.record.messages import sentence
from bookings.record.models import Reservation
from bookings.samples.domain.samples import code_text
from bookings.samples.models import SampleItem
from instruments.rates.domain.ratecards import Option
from instruments.rates.messages import rate_name
from instruments.reading.forms.fields import DecimalField, StyledForm
from instruments.register.models import Instrument


def key_of(asked: PriceRequest) -> str:
    """Return a key of a price request; equal requests have equal keys."""
    options = sorted((code, f"{value.normalize():f}") for code, value in asked.options.items())
    whole = (asked.period.start, asked.period.end, asked.service_mode, options, asked.quantity)
    return sha256(repr(whole).encode()).hexdigest()[:16]


class BookingForm(Asks, PaysFrom, StyledForm, PeriodForm):
    """The booking form: service mode, purpose and samples, with the rate card's own options and
    the host's questions."""

    use_required_attribute = True

    service_mode = forms.ChoiceField(label=_("How will you work?"))
    purpose = forms.ChoiceField(label=_("Purpose"), choices=Reservation.Purpose.choices)
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
    # The price that was shown beside the form, and what it was for.
    read = forms.RegexField(r"[A-Z]{3} \d{1,15}(\.\d{1,4})? [0-9a-f]{16}", required=False)
    house_rules = forms.IntegerField(required=False, min_value=1)
    need = forms.UUIDField(required=False)

    def __init__(
        self,
        *args: Any,
        instrument: Instrument,
        options: Sequence[Option],
        actor: Actor = NOBODY,
        for_others: bool = False,
        only_for_others: bool = False,
        may_override: bool = False,
        sources: Sequence[FundingSource] = (),
        default: Default = NO_DEFAULT,
        sample_items: Sequence[SampleItem] = (),
        questionnaire: Questionnaire | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        if for_others:
            field = PersonField(
                label=_("For whom"),
                required=only_for_others,
                help_text="" if only_for_others else _("Empty: for yourself."),
            )
            self.add("on_behalf_of", field)
            self.order_fields(["on_behalf_of"])
            known_to(self, actor)
        if may_override:
            self.fields["override"] = forms.MultipleChoiceField(
                required=False, choices=[(code, code) for code in OVERRIDABLE]
            )
            self.fields["reason"] = forms.CharField(required=False, max_length=500)
        self.is_managed = may_override
        self.offer(sources, default, for_others=for_others)
        if sample_items:
            chosen = forms.TypedMultipleChoiceField(
                label=_("Samples you have announced"),
                required=False,
                coerce=UUID,
                choices=[(str(one.pk), f"{one.name} ({code_text(one.code)})") for one in sample_items],
                widget=forms.CheckboxSelectMultiple,
            )
            self.add("sample_items", chosen)
        for name in ("start", "minutes", "organisation", "need"):
            self.fields[name].widget = forms.HiddenInput()
        modes: Any = self.fields["service_mode"]
        modes.choices = modes_of(instrument)
        if "entrusted" in instrument.service_modes:
            modes.help_text = _("Samples that you send in must have arrived when the booking starts.")
            count = forms.IntegerField(
                label=_("Number of samples"),
                required=False,
                min_value=SAMPLES.min_value,
                max_value=SAMPLES.max_value,
            )
            self.add("quantity", count)
        self.option_names = []
        for option in options:
            name = f"option_{option.code}"
            self.option_names.append(name)
            is_hours = option.unit == "hour"
            unit = _("hours") if is_hours else _("number")
            words = capfirst(rate_name(option))
            step = "0.25" if is_hours else "1"
            amount = DecimalField(
                label=f"{words} ({unit} × {option.price})",
                required=False,
                min_value=0,
                max_value=10000,
                decimal_places=2 if is_hours else 0,
                widget=forms.NumberInput(attrs={"min": "0", "step": step}),
            )
            self.add(name, amount)
        if questionnaire is not None:
            self.ask(load_fields(questionnaire.fields), version=questionnaire.version)

    def clean(self) -> dict[str, Any]:
        """Refuse options that the card no longer has, instead of silently leaving them out."""
        data = super().clean() or self.cleaned_data
        gone = {name for name in self.data if name.startswith("option_")} - set(self.fields)
        if any(str(self.data[name]).strip(" 0.") for name in gone):
            self.add_error(None, sentence("unknown-option"))
        self.check_questions()
        return data

    def place_of(self, path: str) -> str:
        """Return the form's field for a path in the rules' problems."""
        if path.startswith("funding"):
            return "funding"
        if path.startswith("answers."):
            return path.replace("answers.", "answer_", 1)
        return "quantity" if path == "samples" else path.replace("options.", "option_")

    def refuse(self, problems: Iterable[FieldProblem]) -> None:
        """Show the problems that a rule or a service reports, each at its field."""
        for problem in problems:
            name = self.place_of(problem.field)
            text = sentence(problem.code, problem.numbers)
            self.add_error(name if name in self.fields else None, text)

    def options(self) -> dict[str, Decimal]:
        """Return the quantities by option code; options that were not chosen are left out."""
        return {
            name.removeprefix("option_"): value
            for name in self.option_names
            if (value := self.cleaned_data.get(name))
        }

    @cached_property
    def named(self) -> str:
        """Return the person the booking is for, if not the reader, in the form that services take; a text
        that the field refuses is returned unchanged."""
        text = str(self["on_behalf_of"].value() or "") if "on_behalf_of" in self.fields else ""
        try:
            return str(self.fields["on_behalf_of"].clean(text)) if text else ""
        except forms.ValidationError:
            return text

    def quantity(self) -> Decimal | None:
        number = self.cleaned_data.get("quantity")
        return Decimal(number) if number else None

    def enquiry(self) -> PriceRequest:
        """Return the request for a price that the form describes."""
        data = self.cleaned_data
        return PriceRequest(self.period(), data["service_mode"], self.options(), self.quantity())

    def booking(self, instrument: Instrument) -> Booking:
        """Return the booking that the form asks for, even if the hold it names has run out."""
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
            funding=self.shares_or_default(),
            sample_items=tuple(data.get("sample_items", ())),
            house_rules=data.get("house_rules"),
            at_most=self.price_read(),
            need=data.get("need"),
            answers=self.answers(),
            questions_version=data.get("questions_version"),
        )

    def price_read(self) -> tuple[Decimal, str] | None:
        """Return the payable amount and its currency as shown beside the form when it was sent. None if the
        form was changed after the price was shown; then it is not checked."""
        currency, _, rest = self.cleaned_data.get("read", "").partition(" ")
        amount, _, key = rest.partition(" ")
        return (Decimal(amount), currency) if key and key == key_of(self.enquiry()) else None

    def shown(self) -> list[forms.BoundField]:
        """Return the fields that the template lists, but those of options; those left out have a place of
        their own."""
        elsewhere = {
            "override",
            "reason",
            "hold",
            "house_rules",
            "read",
            "start",
            "minutes",
            "questions_version",
        } | self.funding_names()
        elsewhere |= set(self.option_names) | {field.name for field in self.shown_questions()}
        return [self[name] for name in self.fields if name not in elsewhere]

    def shown_questions(self) -> list[forms.BoundField]:
        """Return the fields of the host's questions."""
        return [field for _question, field in self.asked()]

    def shown_options(self) -> list[forms.BoundField]:
        """Return the fields of the options that the way of working offers."""
        return [self[name] for name in self.option_names]
