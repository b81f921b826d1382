"""Form fields that read a time, as the forms of instruments do."""

from instruments.reading.forms.fields import DayField, LocalMomentField, local_moment, of_our_time

__all__ = ["DayField", "LocalMomentField", "local_moment", "of_our_time"]
