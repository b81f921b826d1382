"""Forms for samples and their steps, for lists of samples, and for labels."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.letters.words import named
from accounts.models import Organisation
from bookings.record.adapters.labels import SHEET
from bookings.record.models import Reservation
from bookings.samples.domain.samples import HOST, MOST_AT_ONCE, OWNER, STEPS
from bookings.samples.models import SampleItem, SampleStep
from bookings.samples.services.samples import NextStep, SampleValues
from instruments.policy.messages import HAZARD_LABELS
from instruments.reading.forms.fields import StyledForm, VersionForm
from instruments.register.models import Facility, Instrument

STATES = dict(SampleItem.State.choices)
# Steps that the host's staff may record for many samples at once; returns are recorded one by one.
HOST_STEPS = [
    state
    for state in STATES
    if state != "shipped" and any(HOST in new.get(state, ()) for new in STEPS.values())
]
OWNER_STEPS = [state for state in STATES if any(OWNER in new.get(state, ()) for new in STEPS.values())]


class SampleForm(VersionForm):
    """A new sample, or changes to the description of an existing one."""

    name = forms.CharField(
        label=_("Name"), max_length=120, help_text=_("As written on the vessel. It is printed on the label.")
    )
    number = forms.IntegerField(
        label=_("How many of this kind"),
        required=False,
        min_value=1,
        max_value=MOST_AT_ONCE,
        initial=1,
        help_text=_("If more than one, they are numbered, and each has its own label."),
    )
    organisation = forms.ChoiceField(label=_("Belongs to"), required=False)
    amount = forms.CharField(
        label=_("Quantity"), required=False, max_length=60, help_text=_("For example 5 mg.")
    )
    booking = forms.ChoiceField(
        label=_("For the booking"), required=False, help_text=_("You can also add them to a booking later.")
    )
    hazards = forms.MultipleChoiceField(
        label=_("Hazards"),
        required=False,
        choices=HAZARD_LABELS.items(),
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Tick all that apply. Some instruments do not accept some of them."),
    )
    storage = forms.CharField(
        label=_("Storage"),
        required=False,
        max_length=200,
        help_text=_("For example: dry, at −20 °C, in the dark."),
    )
    afterwards = forms.ChoiceField(
        label=_("Afterwards"), choices=SampleItem.Afterwards.choices, widget=forms.RadioSelect
    )
    description = forms.CharField(
        label=_("Description of the sample"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("What it is, and what people who handle it need to know."),
    )

    def __init__(
        self,
        data: Any = None,
        *,
        organisations: Sequence[Organisation] = (),
        sample: SampleItem | None = None,
        bookings: Collection[tuple[Reservation, str]] = (),
        refused: Collection[str] = (),
        accepted: str = "",
        number: int = 1,
    ) -> None:
        """Fill the form from a sample. `number` of a kind is proposed. `bookings` are those that new samples
        can join; `refused` are hazards that the instruments of known bookings do not accept, which the
        choices say; `accepted` says of each instrument which ones it accepts."""
        super().__init__(data)
        fields: Any = self.fields
        fields["hazards"].choices = [
            (code, _("{hazard} – not accepted").format(hazard=label) if code in refused else label)
            for code, label in HAZARD_LABELS.items()
        ]
        fields["hazards"].help_text = accepted or fields["hazards"].help_text
        fields["booking"].choices = [("", _("none yet")), *((str(one.pk), text) for one, text in bookings)]
        if not bookings:
            del fields["booking"]
        if sample is not None:
            del fields["number"], fields["organisation"]
            for name in ("name", "amount", "hazards", "storage", "afterwards", "description"):
                self.initial[name] = getattr(sample, name)
            self.initial["version"] = sample.version
            return
        self.initial["afterwards"] = SampleItem.Afterwards.RETURN
        self.initial["number"] = min(number, MOST_AT_ONCE)
        fields["organisation"].choices = [(one.code, named(one)) for one in organisations]
        if len(organisations) < 2:
            del fields["organisation"]

    def values(self) -> SampleValues:
        given = {name: self.cleaned_data[name] for name in SampleValues.__dataclass_fields__}
        return SampleValues(**given)


def states_to_choose(states: Iterable[str], sample: SampleItem | None) -> list[tuple[str, Any]]:
    """Return the states that a form offers, after an empty choice."""
    correct = _("{state} (correct the details)")
    return [("", _("– choose –"))] + [
        (new, correct.format(state=STATES[new]) if sample and new == sample.state else STATES[new])
        for new in states
    ]


class StepForm(VersionForm):
    """A step, one of `states`, with only those fields that apply to one of these."""

    state = forms.ChoiceField(label=_("It is now"))
    # Nobody confirms by accident that something arrived intact.
    condition = forms.ChoiceField(
        label=_("Condition on arrival"),
        required=False,
        choices=[("", _("– choose –")), *SampleStep.Condition.choices],
        help_text=_("Required if it has arrived."),
    )
    carrier = forms.CharField(label=_("Carrier"), required=False, max_length=80)
    tracking = forms.CharField(label=_("Tracking number"), required=False, max_length=80)
    place = forms.CharField(
        label=_("Place"),
        required=False,
        max_length=200,
        help_text=_("Where it is, if not at the facility of the booking."),
    )
    note = forms.CharField(
        label=_("Note"),
        required=False,
        max_length=500,
        help_text=_("Required if it is not accepted, disposed of or lost."),
    )

    def __init__(
        self, data: Any = None, *, states: Iterable[str], sample: SampleItem | None = None, expected: str = ""
    ) -> None:
        """Offer these states, of which `expected` is suggested; the one that a sample has only corrects the
        details of its last step."""
        super().__init__(data)
        states = list(states)
        fields: Any = self.fields
        fields["state"].choices = states_to_choose(states, sample)
        self.initial["state"] = expected
        if "received" not in states:
            del fields["condition"]
        if not {"shipped", "return_shipped"} & set(states):
            del fields["carrier"], fields["tracking"]
        if sample is not None:
            self.initial["version"] = sample.version

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if data.get("state") == "received" and "condition" in data and not data["condition"]:
            self.add_error("condition", _("Say in what condition it arrived."))
        return data

    def step(self) -> NextStep:
        data = self.cleaned_data
        return NextStep(**{n: data[n] for n in NextStep.__dataclass_fields__ if data.get(n)})


class LabelsForm(StyledForm):
    """The paper on which labels are printed."""

    layout = forms.ChoiceField(
        label=_("Paper"),
        choices=[
            ("sheet", _("A4 sheet, 24 labels of 70 × 37 mm")),
            ("roll", _("62 mm roll, one after the other")),
        ],
    )
    start = forms.IntegerField(
        label=_("First free label"),
        required=False,
        min_value=1,
        max_value=SHEET.of_page,
        help_text=_("On a partly used sheet."),
    )


class QueueForm(StyledForm):
    """The facility or instrument whose samples are listed."""

    facility = forms.ChoiceField(label=_("Facility"), required=False)
    instrument = forms.ChoiceField(label=_("Instrument"), required=False)

    def __init__(
        self, data: Any, *, facilities: Iterable[Facility], instruments: Iterable[Instrument]
    ) -> None:
        super().__init__(data)
        fields: Any = self.fields
        every = ("", _("all"))
        fields["facility"].choices = [every, *((str(f.pk), named(f)) for f in facilities)]
        fields["instrument"].choices = [every, *((str(i.pk), named(i)) for i in instruments)]


class JoinForm(StyledForm):
    """The booking that a sample is for."""

    booking = forms.ChoiceField(label=_("Booking"))

    def __init__(self, data: Any = None, *, bookings: Iterable[tuple[Reservation, str]]) -> None:
        super().__init__(data)
        field: Any = self.fields["booking"]
        field.choices = [(str(one.pk), text) for one, text in bookings]
