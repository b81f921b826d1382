"""Forms in the platform's style, and fields for which browsers have no widget."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.forms.boundfield import BoundField
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy

from accounts.domain.errors import FieldProblem
from accounts.domain.roles import NOBODY
from accounts.forms import is_choice_of_person, person_address
from accounts.letters.words import named
from accounts.models import Organisation
from instruments.reading.domain.clock import instant

_ = gettext_lazy
_CHECKS = (forms.CheckboxInput, forms.CheckboxSelectMultiple, forms.RadioSelect)


class StyledBoundField(BoundField):
    """A bound field whose widget is marked as invalid when it has errors."""

    def build_widget_attrs(self, attrs: Any, widget: Any = None) -> dict[str, Any]:
        built = super().build_widget_attrs(attrs, widget)
        if self.errors:
            widget = widget or self.field.widget
            built["class"] = f"{widget.attrs.get('class', '')} is-invalid".strip()
            faults = getattr(self.form, "faults", ())
            if faults and faults[0][0].name == self.name:  # a form that lists what is wrong begins there
                built["autofocus"] = True
        return built


class StyledForm(forms.Form):
    """A form whose widgets have their CSS classes, and which shows problems that domain rules name at their
    fields."""

    bound_field_class = StyledBoundField
    use_required_attribute = False  # the server reports missing values, in the reader's language

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            _style(field)

    def add(self, name: str, field: forms.Field) -> None:
        self.fields[name] = _style(field)

    def choose_organisation(self, organisations: Sequence[Organisation]) -> None:
        """Offer a choice of these organisations, the first preselected; a single one becomes a hidden
        field."""
        field: Any = self.fields["organisation"]
        field.choices = [(str(each.pk), named(each)) for each in organisations]
        field.initial = str(organisations[0].pk) if organisations else ""
        if len(organisations) == 1:
            field.widget = forms.HiddenInput()

    def place_of(self, path: str) -> str | None:
        """Return the name of the field that shows a problem at a path such as `bands[1].opens`."""
        return path

    def refuse(self, problems: Iterable[FieldProblem]) -> None:
        """Add the problems that a rule or service found as errors, each at its field. The message is the
        code, which the template turns into a sentence (`components/errors.html`)."""
        for problem in problems:
            name = self.place_of(problem.field)
            error = forms.ValidationError(problem.code, code=problem.code, params=dict(problem.numbers))
            self.add_error(name if name in self.fields else None, error)


class VersionForm(StyledForm):
    """A form with a hidden field for the version of the record that was read."""

    version = forms.IntegerField(required=False, widget=forms.HiddenInput)


def _style(field: forms.Field) -> forms.Field:
    widget = field.widget
    if widget.is_hidden or isinstance(widget, ManyTextInputs):
        return field
    if isinstance(widget, _CHECKS):
        kind = "form-check-input"
    elif isinstance(widget, forms.Select):
        kind = "form-select"
    else:
        kind = "form-control"
    widget.attrs["class"] = f"{kind} {widget.attrs.get('class', '')}".strip()
    return field


class ManyTextInputs(forms.Widget):
    """A widget of several text inputs with one name, with a suggestion list if `list_id` names one, or with
    names as one types, of the kind that `offers` says (js/palette.js)."""

    def __init__(self, *, least: int = 3, list_id: str = "", offers: str = "", attrs: Any = None) -> None:
        super().__init__(attrs)
        self.least, self.list_id, self.offers = least, list_id, offers

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        return data.getlist(name) if hasattr(data, "getlist") else list(data.get(name, []))

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        values = [str(item) for item in value or [] if item]
        rows = [*values, *[""] * max(1, self.least - len(values))]
        attrs = attrs or {}
        shared = format_html_join(
            "",
            ' {}="{}"',
            ((key, attrs[key]) for key in ("aria-describedby", "aria-invalid") if attrs.get(key)),
        )
        if self.list_id:
            shared = format_html('{} list="{}" autocomplete="off"', shared, self.list_id)
        if self.offers:
            address = reverse(f"bookings:choices-{self.offers}")
            shared = format_html(
                '{} data-choose="{}" data-several autocomplete="off" spellcheck="false"', shared, address
            )
        wrong = " is-invalid" if attrs.get("aria-invalid") else ""
        return format_html_join(
            "\n",
            '<input type="text" class="form-control mb-2{}" name="{}" value="{}" id="{}" maxlength="{}"{}{}>',
            (
                (
                    wrong,
                    name,
                    row,
                    attrs.get("id", "") if index == 0 else f"{attrs.get('id', '')}_{index}",
                    2500 if self.offers else 250,  # a list of people may be pasted
                    "" if index == 0 else format_html(' aria-label="{} {}"', self.attrs["label"], index + 1),
                    shared,
                )
                for index, row in enumerate(rows)
            ),
        )


class TextListField(forms.Field):
    """A field for several short texts; empty and repeated ones are dropped."""

    def __init__(
        self, *, label: Any, least: int = 3, list_id: str = "", most: int = 30, **kwargs: Any
    ) -> None:
        widget = ManyTextInputs(least=least, list_id=list_id, attrs={"label": label})
        super().__init__(label=label, widget=widget, **kwargs)
        self.most = most

    def to_python(self, value: Any) -> list[str]:
        return list(dict.fromkeys(text for item in value or [] if (text := str(item).strip())))

    def validate(self, value: Any) -> None:
        super().validate(value)
        if len(value) > self.most:
            raise forms.ValidationError("too-many", code="too-many", params={"most": self.most})
        if any("\x00" in item for item in value):
            raise forms.ValidationError("bad-character", code="bad-character")
        if any(len(item) > 250 for item in value):
            raise forms.ValidationError("too-long", code="too-long", params={"most": 250})


class PeopleField(TextListField):
    """A field for several people, each chosen or typed by name, as their mail addresses (`PersonField`)."""

    actor = NOBODY

    def __init__(self, *, label: Any, most: int = 400, required: bool = False, **kwargs: Any) -> None:
        super().__init__(label=label, most=most, required=required, **kwargs)
        self.widget.offers = "people"

    def to_python(self, value: Any) -> list[str]:
        texts = super().to_python([part for item in value or [] for part in _people_in(str(item))])
        self.validate(texts)  # before anybody is looked up
        return list(dict.fromkeys(person_address(self.actor, text) for text in texts))


def _people_in(text: str) -> list[str]:
    """Return the people of an input: the one who was chosen, whatever their name holds, or those of a list
    that was typed or pasted, also from a letter (`Wang Li <wang@fudan.example>;`). Raise `ValidationError`
    for a list of choices: it may be one person's name."""
    if not is_choice_of_person(text):
        bare = re.sub(r'("[^"]*"|[^\n,，;；<>"]*)\s*<([^<>\s]+@[^<>\s]+)>', r"\2", text)
        return re.split(r"[\n,，;；]", bare)
    if re.search(r"[(（][^()（）\s]+@[^()（）\s]+[)）]\s*[\n,，;；]", text):
        raise forms.ValidationError(_("Enter each person in a field of their own."))
    return [text]


class WallClockField(forms.CharField):
    """A field for a time of day: `8`, `8:30` and `８：30` become `08:00`, `08:30`. Other texts are passed on
    unchanged, for the domain rules to refuse."""

    PATTERN = "([01]?[0-9]|2[0-4])([:：.][0-5][0-9])?"

    def __init__(self, *, label: Any, **kwargs: Any) -> None:
        super().__init__(
            label=label,
            required=False,
            max_length=5,
            widget=forms.TextInput(
                attrs={
                    "pattern": self.PATTERN,
                    "placeholder": "–:–",
                    "maxlength": 5,
                    "autocomplete": "off",
                    "title": _("A time such as 08:30"),
                }
            ),
            **kwargs,
        )

    def to_python(self, value: Any) -> str:
        text = str(super().to_python(value) or "")
        match = re.fullmatch(r"\s*(\d{1,2})(?:[:：.](\d{2}))?\s*", text)
        return f"{int(match[1]):02d}:{match[2] or '00'}" if match else text


class MinutesInput(forms.NumberInput):
    """A widget for a number with a choice of unit beside it, `<name>_unit`; its value is in minutes.
    Submitted data without a unit is in minutes."""

    UNITS = ((1440, _("days")), (60, _("hours")), (1, _("minutes")))

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        text = super().value_from_datadict(data, files, name)
        unit = str(data.get(f"{name}_unit", "1"))
        if unit in {"60", "1440"} and re.fullmatch(r"[0-9]{1,7}", str(text).strip()):
            return str(int(text) * int(unit))
        return text

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        text = "" if value is None else str(value)
        minutes = int(text) if re.fullmatch("[0-9]{1,9}", text) else 0
        unit = next((size for size, _name in self.UNITS if minutes and minutes % size == 0), 1)
        shown = str(minutes // unit) if minutes else text
        attrs = {**(attrs or {}), "max": None, "min": "0"}
        label = self.attrs.get("aria-label", "")
        options = format_html_join(
            "",
            '<option value="{}"{}>{}</option>',
            (
                (size, SafeString(" selected") if size == unit else "", unit_name)
                for size, unit_name in reversed(self.UNITS)
            ),
        )
        return format_html(
            '<span class="measure">{}<select class="form-select" name="{}_unit"'
            ' aria-label="{}">{}</select></span>',
            super().render(name, shown, attrs, renderer),
            name,
            gettext("{what}: unit").format(what=label),
            options,
        )


class DecimalField(forms.DecimalField):
    """A field for a number written plainly: "1e2", "1_000" and "NaN" are slips, and are refused."""

    _PLAIN = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)")

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str) and value.strip() and not self._PLAIN.fullmatch(value.strip()):
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return super().to_python(value)


class HoursField(DecimalField):
    """A field for hours, decimals allowed, that make whole minutes; its clean value is in minutes."""

    def __init__(self, *, label: Any, **kwargs: Any) -> None:
        super().__init__(label=label, required=False, min_value=0, max_value=8784, **kwargs)
        self.widget.attrs["step"] = "any"

    def clean(self, value: Any) -> Any:
        hours = super().clean(value)
        if hours is None:
            return None
        minutes = hours * 60
        if minutes != int(minutes):
            raise forms.ValidationError(gettext("This must be a whole number of minutes."))
        return int(minutes)


def of_our_time[T: date](moment: T, earliest: int = 2000) -> T:
    """Return a moment between the years `earliest` and 2200; raise `ValidationError` for others, which are
    mistakes and could overflow later."""
    if not earliest <= moment.year <= 2200:
        raise forms.ValidationError(_("This is not a time."))
    return moment


class DayField(forms.DateField):
    """A field for a date from 1900 to 2200, as instruments may be old."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"widget": day_input(), **kwargs})

    def to_python(self, value: Any) -> date | None:
        day = super().to_python(value)
        return of_our_time(day, 1900) if day else day


def local_moment(at: datetime, zone: ZoneInfo) -> str:
    """Return an instant as a wall-clock text for `<input type=datetime-local>`."""
    return f"{at.astimezone(zone):%Y-%m-%dT%H:%M}"


class LocalMomentField(forms.CharField):
    """A field for a wall-clock time of `zone` from `<input type=datetime-local>`; its clean value is an
    instant.

    A time that a clock change skips moves forward. One that exists twice is the first as a beginning and the
    second as an end, as with opening hours.
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
            wall = of_our_time(datetime.fromisoformat(text))
        except ValueError:
            wall = None
        if wall is None or wall.tzinfo is not None:
            raise forms.ValidationError(_("This is not a time."))
        minute = wall.hour * 60 + wall.minute
        return instant(self.zone, wall.date(), minute, closing=self.is_end)


def day_input() -> forms.DateInput:
    return forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})


def count_of(data: Mapping[str, Any] | None, name: str, *, least: int, most: int) -> int:
    """Return the number of rows in a submitted form, from its hidden field, kept within bounds."""
    given = str((data or {}).get(name, ""))
    number = int(given) if given.isascii() and given.isdecimal() and len(given) < 5 else least
    return max(least, min(number, most))
