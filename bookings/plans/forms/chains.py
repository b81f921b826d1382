"""Forms of chains: the steps, and the window in which they may take place."""

from collections.abc import Iterable, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.domain.errors import FieldProblem
from bookings.availability.domain.times_of_day import TimesOfDay, times_of_day
from bookings.catalogue.forms.periods import modes_of
from bookings.funding.domain.defaults import NO_DEFAULT, Default
from bookings.funding.forms.funding import PaysFrom
from bookings.funding.models import FundingSource
from bookings.plans.domain.chains import LONGEST_GAP
from bookings.plans.selectors.chains import StepWish
from bookings.record.domain.periods import Period
from bookings.record.domain.steps import Gap
from bookings.record.forms.fields import LocalMomentField
from bookings.record.messages import sentence
from bookings.record.models import Reservation
from instruments.house_rules.models import HouseRules
from instruments.reading.forms.fields import StyledForm
from instruments.register.models import Instrument


class StepForm(StyledForm):
    """One step of a chain: its length, its service mode, and the pause before it."""

    minutes = forms.IntegerField(label=_("Minutes"), min_value=1, max_value=44640)
    service_mode = forms.ChoiceField(label=_("How will you work?"))
    gap_min = forms.IntegerField(
        label=_("Pause before this step, at least"), required=False, min_value=0, max_value=LONGEST_GAP
    )
    gap_max = forms.IntegerField(label=_("at most"), required=False, min_value=0, max_value=LONGEST_GAP)
    house_rules = forms.IntegerField(required=False, min_value=1)

    def __init__(self, data: Any, *, instrument: Instrument, index: int) -> None:
        super().__init__(data, prefix=str(instrument.pk))
        self.instrument, self.index = instrument, index
        self.rules: HouseRules | None = None  # which the reader has yet to accept
        modes: Any = self.fields["service_mode"]
        modes.choices = modes_of(instrument)
        if not index:
            del self.fields["gap_min"], self.fields["gap_max"]

    def wish(self) -> StepWish:
        data = self.cleaned_data
        return StepWish(
            instrument_id=self.instrument.pk,
            minutes=data["minutes"],
            service_mode=data["service_mode"],
            gap=Gap(data.get("gap_min") or 0, data.get("gap_max")),
            house_rules=data["house_rules"],
        )

    def accepts(self) -> bool:
        """Say whether the house rules are ticked."""
        return bool(self["house_rules"].value())


class ChainForm(PaysFrom, StyledForm):
    """The window of a chain, and its purpose."""

    earliest = LocalMomentField(label=_("Not before"))
    latest = LocalMomentField(label=_("Finished by"), is_end=True)
    hours_from = forms.TimeField(
        label=_("Daily from"), required=False, widget=forms.TimeInput(attrs={"type": "time"})
    )
    hours_until = forms.TimeField(
        label=_("until"), required=False, widget=forms.TimeInput(attrs={"type": "time"})
    )
    order = forms.ChoiceField(
        label=_("In which order?"),
        required=False,
        choices=[("chain", _("One after the other")), ("together", _("All at the same time"))],
    )
    purpose = forms.ChoiceField(label=_("Purpose"), choices=Reservation.Purpose.choices)
    purpose_text = forms.CharField(label=_("What will you do?"), required=False, max_length=500)
    organisation = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)

    def __init__(
        self,
        data: Any,
        *,
        zone: ZoneInfo,
        steps: Sequence[StepForm],
        sources: Sequence[FundingSource] = (),
        default: Default = NO_DEFAULT,
    ) -> None:
        super().__init__(data)
        self.steps = steps
        self.offer(sources, default)
        fields: Any = self.fields
        fields["earliest"].zone = fields["latest"].zone = zone

    def clean(self) -> None:
        data = super().clean() or self.cleaned_data
        earliest, latest = data.get("earliest"), data.get("latest")
        if earliest and latest and latest <= earliest:
            self.add_error("latest", sentence("not-after-start"))

    def is_valid(self) -> bool:
        return all([super().is_valid(), *(step.is_valid() for step in self.steps)])

    def refuse(self, problems: Iterable[FieldProblem]) -> None:
        """Show each problem at its field; `steps[1].gap_max` belongs to the second step."""
        for problem in problems:
            where, _bracket, name = problem.field.partition("].")
            number = where.removeprefix("steps[")
            form: StyledForm = self
            if name and number.isdigit() and int(number) < len(self.steps):
                form = self.steps[int(number)]
            else:
                name = "funding" if problem.field.startswith("funding") else problem.field
            text = sentence(problem.code, problem.numbers)
            form.add_error(name if name in form.fields else None, text)

    @property
    def is_together(self) -> bool:
        """Say whether all steps begin at the same moment."""
        return str(self["order"].value()) == "together"

    def times(self, steps: Iterable[StepWish]) -> TimesOfDay | None:
        """Return the times of day that were entered, None if there are none; raise `Invalid` if a step is
        longer."""
        data = self.cleaned_data
        return times_of_day(data["hours_from"], data["hours_until"], [s.minutes for s in steps])

    def within(self) -> Period:
        return Period(self.cleaned_data["earliest"], self.cleaned_data["latest"])
