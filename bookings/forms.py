"""Input of pages turned into typed values: shape only."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils import dates
from django.utils.translation import gettext_lazy as _

from bookings.domain.chains import LONGEST_GAP, Gap
from bookings.domain.periods import Period
from bookings.domain.refusals import OVERRIDABLE
from bookings.domain.series import MOST, SCOPES, Rule, wall_of
from bookings.models import Closure, Reservation
from bookings.selectors.chains import StepWish
from bookings.selectors.fees import Asked
from bookings.services.closures import Outage
from bookings.services.placing import Booking
from bookings.services.waiting import Wanted
from instruments.domain.criteria import Criteria
from instruments.domain.opening import instant
from instruments.domain.policies import Policy
from instruments.forms.fields import StyledForm
from instruments.models import Instrument


def _within_reason(moment: datetime | None) -> datetime | None:
    if moment is not None and not 2000 <= moment.year <= 2200:
        raise forms.ValidationError(_("This is not a time."))
    return moment


class CatalogueForm(forms.Form):
    """The catalogue's search: text, facets, and free time in the reader's own zone."""

    q = forms.CharField(label=_("Search"), required=False, max_length=200)
    technique = forms.CharField(required=False, max_length=60)
    region = forms.CharField(required=False, max_length=20)
    host = forms.CharField(required=False, max_length=30)
    service_mode = forms.ChoiceField(
        label=_("Service"),
        required=False,
        choices=[("", _("any")), *Instrument.ServiceMode.choices],
    )
    free_from = forms.DateTimeField(label=_("Free from"), required=False)
    free_until = forms.DateTimeField(label=_("until"), required=False)
    minutes = forms.TypedChoiceField(
        label=_("for"),
        required=False,
        coerce=int,
        empty_value="",
        choices=[(m, m) for m in (30, 60, 120, 180, 240, 360, 480)],
    )
    max_price = forms.DecimalField(
        label=_("At most, an hour"), required=False, min_value=0, max_digits=10
    )
    organisation = forms.CharField(required=False, max_length=40)

    def clean_free_from(self) -> datetime | None:
        return _within_reason(self.cleaned_data["free_from"])

    def clean_free_until(self) -> datetime | None:
        return _within_reason(self.cleaned_data["free_until"])

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if "free_from" in self.errors or "free_until" in self.errors:
            return data
        start, end = data.get("free_from"), data.get("free_until")
        if start and not end:
            data["free_until"] = start + timedelta(days=7)
        elif end and not start:
            self.add_error("free_from", _("Say from when."))
        elif start and end and end <= start:
            self.add_error("free_until", _("This must be after the start."))
        elif start and end and end - start > timedelta(days=60):
            self.add_error("free_until", _("Look at no more than 60 days at once."))
        return data

    def criteria(self) -> Criteria:
        """What was asked; a field that could not be read is left out and marked on the form."""
        data = self.cleaned_data
        start, end = data.get("free_from"), data.get("free_until")
        return Criteria(
            text=data.get("q", ""),
            technique=data.get("technique", ""),
            region=data.get("region", ""),
            host=data.get("host", ""),
            service_mode=data.get("service_mode", ""),
            free_from=start if start and end else None,
            free_until=end if start and end else None,
            minutes=data.get("minutes") or 60,
            max_price=data.get("max_price"),
        )


class PeriodForm(forms.Form):
    """A start and a length, as links carry them."""

    start = forms.CharField(max_length=40)
    minutes = forms.IntegerField(min_value=1, max_value=44640)
    organisation = forms.CharField(required=False, max_length=40)

    def clean_start(self) -> datetime:
        try:
            moment = datetime.fromisoformat(self.cleaned_data["start"])
        except ValueError:
            raise forms.ValidationError(_("This is not a time.")) from None
        if moment.tzinfo is None or not 2000 <= moment.year <= 2200:
            raise forms.ValidationError(_("This is not a time."))
        return moment.astimezone(UTC)

    def period(self) -> Period:
        start = self.cleaned_data["start"]
        return Period(start, start + timedelta(minutes=self.cleaned_data["minutes"]))


class BookingForm(PeriodForm):
    """The booking form: how and what for. Options are the rate card's own."""

    service_mode = forms.ChoiceField(
        label=_("How will you work?"), widget=forms.Select(attrs={"class": "form-select"})
    )
    purpose = forms.ChoiceField(
        label=_("Purpose"),
        choices=Reservation.Purpose.choices,
        widget=forms.Select(attrs={"class": "form-select"}),
    )
    purpose_text = forms.CharField(
        label=_("What will you do?"),
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"class": "form-control", "rows": 3}),
        help_text=_("The owner of the instrument reads this."),
    )
    samples = forms.CharField(
        label=_("Samples"),
        required=False,
        max_length=500,
        widget=forms.TextInput(attrs={"class": "form-control"}),
        help_text=_("What they are, and anything to be careful about."),
    )
    hold = forms.UUIDField(required=False)

    def __init__(
        self,
        *args: Any,
        instrument: Instrument,
        options: list[dict[str, Any]],
        for_others: bool = False,
        only_for_others: bool = False,
        may_override: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        if for_others:
            self.fields["on_behalf_of"] = forms.EmailField(
                label=_("For whom"),
                required=only_for_others,
                widget=forms.EmailInput(attrs={"class": "form-control"}),
                help_text=_("The e-mail address of the person. Empty: for yourself.")
                if not only_for_others
                else _("The e-mail address of the person."),
            )
            self.order_fields(["on_behalf_of"])
        if may_override:
            self.fields["override"] = forms.MultipleChoiceField(
                required=False, choices=[(code, code) for code in OVERRIDABLE]
            )
            self.fields["reason"] = forms.CharField(required=False, max_length=500)
        self.is_managed = may_override
        for name in ("start", "minutes", "organisation"):
            self.fields[name].widget = forms.HiddenInput()
        labels = dict(Instrument.ServiceMode.choices)
        modes: Any = self.fields["service_mode"]
        modes.choices = [(mode, labels[mode]) for mode in instrument.service_modes]
        if "entrusted" in instrument.service_modes:
            self.fields["quantity"] = forms.IntegerField(
                label=_("Number of samples"),
                required=False,
                min_value=1,
                max_value=100000,
                widget=forms.NumberInput(attrs={"class": "form-control"}),
            )
        self.option_names = []
        for option in options:
            name = f"option_{option['code']}"
            self.option_names.append(name)
            unit = _("hours") if option["unit"] == "hour" else _("number")
            self.fields[name] = forms.DecimalField(
                label=f"{option['code'].replace('-', ' ')} ({unit} × {option['price']})",
                required=False,
                min_value=0,
                max_value=10000,
                decimal_places=2 if option["unit"] == "hour" else 0,
                widget=forms.NumberInput(
                    attrs={
                        "class": "form-control",
                        "min": "0",
                        "step": "0.25" if option["unit"] == "hour" else "1",
                    }
                ),
            )

    def options(self) -> dict[str, Decimal]:
        """Quantities by option code; those not asked for are left out."""
        return {
            name.removeprefix("option_"): value
            for name in self.option_names
            if (value := self.cleaned_data.get(name))
        }

    def quantity(self) -> Decimal | None:
        given = self.cleaned_data.get("quantity")
        return Decimal(given) if given else None

    def asked(self) -> Asked:
        """What a price is asked for."""
        data = self.cleaned_data
        return Asked(self.period(), data["service_mode"], self.options(), self.quantity())

    def booking(self, instrument: Instrument) -> Booking:
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
            on_behalf_of=data.get("on_behalf_of", ""),
            override=tuple(data.get("override", ())),
            reason=data.get("reason", ""),
        )

    def shown(self) -> list[forms.BoundField]:
        """The fields the template lists; what is set aside has its own place."""
        return [self[name] for name in self.fields if name not in {"override", "reason", "hold"}]


class ReasonForm(forms.Form):
    """A reason and the version of the record that was read."""

    reason = forms.CharField(
        label=_("Reason"),
        required=False,
        max_length=500,
        widget=forms.TextInput(attrs={"class": "form-control"}),
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput())


class CheckOutForm(forms.Form):
    """What a session was like."""

    samples = forms.IntegerField(
        label=_("Samples measured"),
        required=False,
        min_value=0,
        max_value=1_000_000,
        widget=forms.NumberInput(attrs={"class": "form-control"}),
    )
    rating = forms.TypedChoiceField(
        label=_("How did it go?"),
        required=False,
        coerce=int,
        empty_value=None,
        choices=[
            ("", "–"),
            (5, _("very well")),
            (4, _("well")),
            (3, _("all right")),
            (2, _("with trouble")),
            (1, _("badly")),
        ],
        widget=forms.Select(attrs={"class": "form-select"}),
    )
    remarks = forms.CharField(
        label=_("Remarks for the owner"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"class": "form-control", "rows": 2}),
    )


class HoursForm(forms.Form):
    """A span of local dates and how to sum up."""

    since = forms.DateField(
        label=_("From"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date", "class": "form-control"}),
    )
    until = forms.DateField(
        label=_("until before"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date", "class": "form-control"}),
    )
    by = forms.ChoiceField(
        label=_("Summed up by"),
        required=False,
        choices=[
            ("region", _("region")),
            ("organisation", _("organisation")),
            ("facility", _("facility")),
            ("instrument", _("instrument")),
            ("technique", _("technique")),
            ("month", _("month")),
            ("day", _("day")),
        ],
        widget=forms.Select(attrs={"class": "form-select"}),
    )
    region = forms.CharField(required=False, max_length=20)
    organisation = forms.CharField(required=False, max_length=40)
    technique = forms.CharField(required=False, max_length=60)
    facility = forms.UUIDField(required=False)
    instrument = forms.UUIDField(required=False)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("since") and data.get("until") and data["until"] <= data["since"]:
            self.add_error("until", _("This must be after the first day."))
        return data


class TrailForm(forms.Form):
    """What of the trail to read."""

    action = forms.CharField(
        label=_("Act"),
        required=False,
        max_length=60,
        widget=forms.TextInput(
            attrs={"class": "form-control", "placeholder": "reservation.confirmed"}
        ),
    )
    person = forms.CharField(
        label=_("Person (e-mail)"),
        required=False,
        max_length=254,
        widget=forms.TextInput(attrs={"class": "form-control"}),
    )
    since = forms.DateField(
        label=_("From"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date", "class": "form-control"}),
    )
    until = forms.DateField(
        label=_("until before"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date", "class": "form-control"}),
    )


class LocalMomentField(forms.CharField):
    """A wall-clock time of a zone as `<input type=datetime-local>` sends it; an instant.

    One that a clock change skips moves forward; one that exists twice is the first as a
    beginning and the second as an end, as with opening hours.
    """

    def __init__(self, *, label: Any, is_end: bool = False, **kwargs: Any) -> None:
        widget = forms.DateTimeInput(attrs={"type": "datetime-local"})
        super().__init__(label=label, widget=widget, max_length=30, **kwargs)
        self.is_end = is_end
        self.zone = ZoneInfo("UTC")

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        try:
            wall = datetime.fromisoformat(text)
        except ValueError:
            wall = None
        if wall is None or wall.tzinfo is not None or not 2000 <= wall.year <= 2200:
            raise forms.ValidationError(_("This is not a time."))
        minute = wall.hour * 60 + wall.minute
        return instant(self.zone, wall.date(), minute, closing=self.is_end)


class WaitingForm(StyledForm):
    """What somebody waits for, in the wall clock of the instrument. `regions` are the
    codes to choose from."""

    minutes = forms.TypedChoiceField(label=_("For how long"), coerce=int)
    earliest = LocalMomentField(label=_("Not before"))
    latest = LocalMomentField(label=_("Not after"), is_end=True)
    service_mode = forms.ChoiceField(label=_("How will you work?"))
    max_price = forms.DecimalField(
        label=_("Price at most"),
        required=False,
        min_value=0,
        max_digits=16,
        decimal_places=2,
        help_text=_("In all, before tax and vouchers. Empty: whatever it costs."),
    )
    any_equivalent = forms.BooleanField(
        label=_("Another instrument of the same techniques will do as well"), required=False
    )
    regions = forms.MultipleChoiceField(
        label=_("In these regions"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Of equivalent instruments. None ticked: everywhere."),
    )

    def __init__(
        self,
        data: Any = None,
        *,
        instrument: Instrument,
        policy: Policy | None,
        regions: Iterable[str],
        **kwargs: Any,
    ) -> None:
        super().__init__(data, **kwargs)
        fields: Any = self.fields
        zone = ZoneInfo(instrument.facility.time_zone)
        fields["earliest"].zone = fields["latest"].zone = zone
        lengths = _lengths(policy) if policy else []
        fields["minutes"].choices = [(m, m) for m in lengths]
        if policy and self.initial.get("minutes") is None:
            self.initial["minutes"] = policy.usual_minutes
        labels = dict(Instrument.ServiceMode.choices)
        fields["service_mode"].choices = [(m, labels[m]) for m in instrument.service_modes]
        fields["regions"].choices = [(code, code) for code in regions]

    def place_of(self, path: str) -> str | None:
        return path.partition("[")[0]

    def say(self, code: str, numbers: Mapping[str, Any]) -> None:
        """What is refused, said of the whole form."""
        self.add_error(None, forms.ValidationError(code, code=code, params=dict(numbers)))

    def wanted(self, instrument: Instrument, organisation: str) -> Wanted:
        """For an organisation, by code."""
        data = self.cleaned_data
        return Wanted(
            instrument_id=instrument.pk,
            organisation=organisation,
            service_mode=data["service_mode"],
            earliest=data["earliest"],
            latest=data["latest"],
            minutes=data["minutes"],
            any_equivalent=data["any_equivalent"],
            regions=tuple(data["regions"]),
            max_price=data["max_price"],
        )


def _lengths(policy: Policy) -> list[int]:
    """The lengths to choose from: every slot at first, then wider steps, the longest last."""
    shortest, longest = policy.min_minutes, policy.max_minutes
    every = range(shortest, longest + 1, policy.slot_minutes)
    chosen = [m for m in every if m <= 240 or m % 120 == 0 or m in (shortest, longest)]
    return [*chosen[:30], *([longest] if longest not in chosen[:30] else [])]


class ClosureForm(StyledForm):
    """Closing an instrument: from when, until when if it is known, why."""

    kind = forms.ChoiceField(label=_("Why"), choices=Closure.Kind.choices)
    start = LocalMomentField(label=_("From"))
    end = LocalMomentField(
        label=_("Until"),
        is_end=True,
        required=False,
        help_text=_("Empty if it is not known yet. It can be ended later."),
    )
    units = forms.TypedMultipleChoiceField(
        label=_("Units"),
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None ticked: all of them."),
    )
    reason = forms.CharField(
        label=_("Reason"),
        required=False,
        max_length=500,
        help_text=_("Those whose bookings are displaced read this."),
    )
    displace = forms.BooleanField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, zone: ZoneInfo, units: int, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        fields: Any = self.fields
        fields["start"].zone = fields["end"].zone = zone
        if units > 1:
            fields["units"].choices = [(n, str(n)) for n in range(1, units + 1)]
        else:
            del self.fields["units"]

    def outage(self) -> Outage:
        data = self.cleaned_data
        return Outage(
            kind=data["kind"],
            start=data["start"],
            end=data["end"],
            units=tuple(data.get("units") or ()),
            reason=data["reason"],
        )


class ClosureEndForm(StyledForm):
    """When a closure ended; empty is now."""

    end = LocalMomentField(label=_("Ends at"), is_end=True, required=False)

    def __init__(self, data: Any = None, *, zone: ZoneInfo) -> None:
        super().__init__(data)
        fields: Any = self.fields
        fields["end"].zone = zone


class DecideForm(StyledForm):
    """A manager's word on a request, and the version of it that was read."""

    approve = forms.TypedChoiceField(
        choices=[("1", "1"), ("0", "0")], coerce=lambda given: given == "1"
    )
    reason = forms.CharField(label=_("Reason"), required=False, max_length=500)
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def clean(self) -> None:
        data = super().clean() or self.cleaned_data
        if data.get("approve") is False and not data.get("reason", "").strip():
            self.add_error("reason", _("Say why: the person reads it."))


class BoardForm(forms.Form):
    """What of the board to look at. What cannot be read counts as not asked for."""

    date = forms.DateField(label=_("Day"), required=False)
    start = forms.DateField(required=False)
    end = forms.DateField(required=False)
    view = forms.ChoiceField(required=False, choices=[("week", _("Week")), ("day", _("Day"))])
    facility = forms.ChoiceField(label=_("Facility"), required=False)
    technique = forms.ChoiceField(label=_("Technique"), required=False)
    zone = forms.CharField(label=_("Time zone"), required=False, max_length=64)

    def __init__(self, data: Any, *, instruments: Iterable[Instrument]) -> None:
        super().__init__(data)
        self.choices: dict[str, dict[str, Any]] = {
            "facility": {str(i.facility_id): i.facility for i in instruments},
            "technique": {t.code: t for i in instruments for t in i.techniques.all()},
        }
        fields: Any = self.fields
        for name, found in self.choices.items():
            fields[name].choices = [("", ""), *((code, code) for code in found)]
        self.is_valid()

    def value(self, name: str) -> Any:
        """What was asked for, if it could be read."""
        value = self.cleaned_data.get(name)
        if isinstance(value, date) and not 2000 <= value.year <= 2200:
            return None
        return value


class CalendarForm(forms.Form):
    """What of a calendar to look at. What cannot be read counts as not asked for."""

    date = forms.DateField(required=False)
    view = forms.ChoiceField(required=False, choices=[("week", _("Week")), ("month", _("Month"))])

    def __init__(self, data: Any) -> None:
        super().__init__(data)
        self.is_valid()

    def value(self, name: str) -> Any:
        """What was asked for, if it could be read."""
        value = self.cleaned_data.get(name)
        if isinstance(value, date) and not 2000 <= value.year <= 2200:
            return None
        return value


class MoveForm(StyledForm):
    """Where a booking goes; what a manager sets aside, and why."""

    start = LocalMomentField(label=_("From"))
    end = LocalMomentField(label=_("Until"), is_end=True)
    override = forms.MultipleChoiceField(
        label=_("Set aside"), required=False, widget=forms.CheckboxSelectMultiple
    )
    reason = forms.CharField(label=_("Reason"), required=False, max_length=500)
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, zone: ZoneInfo, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        fields: Any = self.fields
        fields["start"].zone = fields["end"].zone = zone
        fields["override"].choices = [(code, code) for code in OVERRIDABLE]

    def clean(self) -> None:
        data = super().clean() or self.cleaned_data
        start, end = data.get("start"), data.get("end")
        if start and end and end <= start:
            self.add_error("end", _("This must be after the start."))

    def period(self) -> Period:
        return Period(self.cleaned_data["start"], self.cleaned_data["end"])


class SeriesForm(BookingForm):
    """A booking that comes again: how often, on which days, and how many times or until when.
    The hidden start and length are of the first date."""

    frequency = forms.ChoiceField(
        label=_("Repeat"),
        choices=[("WEEKLY", _("weekly")), ("DAILY", _("daily")), ("MONTHLY", _("monthly"))],
        widget=forms.Select(attrs={"class": "form-select"}),
    )
    every = forms.IntegerField(
        label=_("Every"),
        min_value=1,
        max_value=99,
        widget=forms.NumberInput(attrs={"class": "form-control"}),
        help_text=_("2 is every second day, week or month."),
    )
    weekdays = forms.TypedMultipleChoiceField(
        label=_("On"),
        coerce=int,
        required=False,
        choices=[(day, dates.WEEKDAYS_ABBR[day]) for day in range(7)],
        widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"}),
    )
    monthly = forms.ChoiceField(
        label=_("In each month"),
        required=False,
        choices=[
            ("day", _("the same day of the month")),
            ("weekday", _("the same weekday of the month")),
        ],
        widget=forms.Select(attrs={"class": "form-select"}),
    )
    ends = forms.ChoiceField(
        label=_("Until when?"),
        choices=[("times", _("a number of times")), ("until", _("until a date"))],
        widget=forms.RadioSelect(attrs={"class": "form-check-input"}),
    )
    times = forms.IntegerField(
        label=_("Times"),
        required=False,
        min_value=1,
        max_value=MOST,
        widget=forms.NumberInput(attrs={"class": "form-control"}),
    )
    until = forms.DateField(
        label=_("Last day"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date", "class": "form-control"}),
    )

    def __init__(self, *args: Any, instrument: Instrument, **kwargs: Any) -> None:
        super().__init__(*args, instrument=instrument, **kwargs)
        self.zone = ZoneInfo(instrument.facility.time_zone)
        del self.fields["hold"]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        for way in ("times", "until"):
            if data.get("ends") == way and not data.get(way) and way not in self.errors:
                self.add_error(way, _("This is needed."))
        return data

    def repeating(self) -> list[forms.BoundField]:
        """The fields about when; the template shows those of the frequency chosen."""
        return [self[name] for name in ("frequency", "every", "weekdays", "monthly")]

    def working(self) -> list[forms.BoundField]:
        """The fields about how and what for."""
        names = {"frequency", "every", "weekdays", "monthly", "ends", "times", "until"}
        return [field for field in self.shown() if field.name not in names]

    def rule(self) -> str:
        """What was chosen, as a rule of recurrence."""
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
    """Which of a series to cancel, and why."""

    scope = forms.ChoiceField(choices=[(scope, scope) for scope in SCOPES])
    reason = forms.CharField(label=_("Reason"), required=False, max_length=500)
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)


class SeriesMoveForm(MoveForm):
    """Where one booking of a series goes, and which go with it."""

    scope = forms.ChoiceField(
        label=_("Which"),
        choices=[
            ("this", _("only this one")),
            ("following", _("this and those that follow")),
            ("all", _("all that have not begun")),
        ],
        widget=forms.RadioSelect,
    )


class StepForm(StyledForm):
    """One step of a chain: how long, in which way, and the pause before it."""

    minutes = forms.IntegerField(label=_("Minutes"), min_value=1, max_value=44640)
    service_mode = forms.ChoiceField(label=_("How will you work?"))
    gap_min = forms.IntegerField(
        label=_("Pause before it, at least"), required=False, min_value=0, max_value=LONGEST_GAP
    )
    gap_max = forms.IntegerField(
        label=_("at most"), required=False, min_value=0, max_value=LONGEST_GAP
    )

    def __init__(self, data: Any, *, instrument: Instrument, index: int) -> None:
        super().__init__(data, prefix=str(instrument.pk))
        self.instrument, self.index = instrument, index
        labels = dict(Instrument.ServiceMode.choices)
        modes: Any = self.fields["service_mode"]
        modes.choices = [(mode, labels[mode]) for mode in instrument.service_modes]
        if not index:
            del self.fields["gap_min"], self.fields["gap_max"]

    def wish(self) -> StepWish:
        data = self.cleaned_data
        return StepWish(
            instrument_id=self.instrument.pk,
            minutes=data["minutes"],
            service_mode=data["service_mode"],
            gap=Gap(data.get("gap_min") or 0, data.get("gap_max")),
        )


class ChainForm(StyledForm):
    """When a chain may begin and must be over, and what it is for."""

    earliest = LocalMomentField(label=_("Not before"))
    latest = LocalMomentField(label=_("Over by"), is_end=True)
    purpose = forms.ChoiceField(label=_("Purpose"), choices=Reservation.Purpose.choices)
    purpose_text = forms.CharField(label=_("What will you do?"), required=False, max_length=500)
    organisation = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)

    def __init__(self, data: Any, *, zone: ZoneInfo) -> None:
        super().__init__(data)
        fields: Any = self.fields
        fields["earliest"].zone = fields["latest"].zone = zone

    def clean(self) -> None:
        data = super().clean() or self.cleaned_data
        earliest, latest = data.get("earliest"), data.get("latest")
        if earliest and latest and latest <= earliest:
            self.add_error("latest", _("This must be after the start."))

    def within(self) -> Period:
        return Period(self.cleaned_data["earliest"], self.cleaned_data["latest"])
