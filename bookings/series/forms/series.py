"""Forms for recurring bookings: making one, changing some or all of it."""

from typing import Any

from django import forms
from django.utils import dates
from django.utils.translation import gettext_lazy as _

from bookings.record.messages import sentence
from bookings.reserving.forms.booking import BookingForm
from bookings.reserving.forms.moves import MoveForm
from bookings.series.domain.series import MOST, SCOPES, Rule, wall_of
from instruments.reading.forms.fields import DayField, StyledForm
from instruments.register.models import Instrument


class SeriesForm(BookingForm):
    """A booking that recurs: how often, on which days, and how many times or until when. The hidden start and
    length are those of the first date."""

    frequency = forms.ChoiceField(
        label=_("Repeat"), choices=[("WEEKLY", _("weekly")), ("DAILY", _("daily")), ("MONTHLY", _("monthly"))]
    )
    every = forms.IntegerField(
        label=_("Every"),
        min_value=1,
        max_value=99,
        help_text=_("For example, 2 means every second day, week or month."),
    )
    weekdays = forms.TypedMultipleChoiceField(
        label=_("On"),
        coerce=int,
        required=False,
        choices=[(day, dates.WEEKDAYS_ABBR[day]) for day in range(7)],
        widget=forms.CheckboxSelectMultiple,
    )
    monthly = forms.ChoiceField(
        label=_("In each month"),
        required=False,
        choices=[("day", _("the same day of the month")), ("weekday", _("the same weekday of the month"))],
    )
    ends = forms.ChoiceField(
        label=_("Until when?"),
        choices=[("times", _("a number of times")), ("until", _("until a date"))],
        widget=forms.RadioSelect,
    )
    times = forms.IntegerField(label=_("Times"), required=False, min_value=1, max_value=MOST)
    until = DayField(label=_("Last day"), required=False)

    def __init__(self, *args: Any, instrument: Instrument, **kwargs: Any) -> None:
        super().__init__(*args, instrument=instrument, **kwargs)
        self.zone = instrument.facility.zone
        del self.fields["hold"]

    def place_of(self, path: str) -> str:
        """Return the form's field for a problem with the rule: the one that says how long it continues."""
        if path == "rule":
            return "until" if self.cleaned_data.get("ends") == "until" else "times"
        return super().place_of(path)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        for way in ("times", "until"):
            if data.get("ends") == way and not data.get(way) and way not in self.errors:
                self.add_error(way, sentence("required"))
        return data

    def working(self) -> list[forms.BoundField]:
        """Return the fields about service mode, options, purpose and the like, without those of the rule."""
        names = {"frequency", "every", "weekdays", "monthly", "ends", "times", "until"}
        return [*(field for field in self.shown() if field.name not in names), *self.shown_options()]

    def rule(self) -> str:
        """Return the choices as a rule of recurrence."""
        data = self.cleaned_data
        start = wall_of(self.zone, data["start"])
        days: tuple[tuple[int, int], ...] = ()
        if data["frequency"] == "WEEKLY":
            days = tuple((0, day) for day in data["weekdays"])
        elif data["frequency"] == "MONTHLY" and data["monthly"] == "weekday":
            which = (start.day - 1) // 7 + 1
            days = ((which if which < 5 else -1, start.weekday()),)
        is_counted = data["ends"] == "times"
        return Rule(
            data["frequency"],
            data["every"],
            weekdays=days,
            count=data["times"] if is_counted else None,
            until=None if is_counted else data["until"],
        ).text


class SeriesCancelForm(StyledForm):
    """The bookings of a series to cancel, and the reason."""

    scope = forms.ChoiceField(choices=[(scope, scope) for scope in SCOPES])
    reason = forms.CharField(label=_("Reason"), required=False, max_length=500)
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)


class SeriesMoveForm(MoveForm):
    """The new time of one booking of a series, and which others move with it."""

    scope = forms.ChoiceField(
        label=_("Which"),
        choices=[
            ("this", _("only this one")),
            ("following", _("this and the following ones")),
            ("all", _("all that have not begun yet")),
        ],
        widget=forms.RadioSelect,
    )
