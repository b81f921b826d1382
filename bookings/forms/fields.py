"""Fields that read a time."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext_lazy as _

from instruments.domain.opening import instant


def of_our_time[T: date](moment: T) -> T:
    """The moment, if it is one that somebody can mean; what lies far off would overflow."""
    if not 2000 <= moment.year <= 2200:
        raise forms.ValidationError(_("This is not a time."))
    return moment


def local_moment(at: datetime, zone: ZoneInfo) -> str:
    """An instant as `<input type=datetime-local>` shows it."""
    return f"{at.astimezone(zone):%Y-%m-%dT%H:%M}"


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
            wall = of_our_time(datetime.fromisoformat(text))
        except ValueError:
            wall = None
        if wall is None or wall.tzinfo is not None:
            raise forms.ValidationError(_("This is not a time."))
        minute = wall.hour * 60 + wall.minute
        return instant(self.zone, wall.date(), minute, closing=self.is_end)
