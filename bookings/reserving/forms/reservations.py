"""Forms for acting on a reservation: a reason, a manager's decision."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from bookings.record.models import Reservation
from instruments.reading.forms.fields import StyledForm


class ReasonForm(StyledForm):
    """A reason and the version of the record that was read."""

    reason = forms.CharField(label=_("Reason"), required=False, max_length=500)
    version = forms.IntegerField(required=False, widget=forms.HiddenInput())


class DecideForm(StyledForm):
    """A manager's decision on a request, and the version of the request that they read."""

    approve = forms.TypedChoiceField(choices=[("1", "1"), ("0", "0")], coerce=lambda given: given == "1")
    reason = forms.CharField(label=_("Reason"), required=False, max_length=500)
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def clean(self) -> None:
        data = super().clean() or self.cleaned_data
        if data.get("approve") is False and not data.get("reason", "").strip():
            self.add_error("reason", _("Give a reason: the applicant reads it."))


class DecideManyForm(DecideForm):
    """One decision on several requests: `chosen` are `<id>:<version>`."""

    version = None  # type: ignore[assignment] # each has its own
    chosen = forms.MultipleChoiceField(
        choices=(), error_messages={"required": _("Choose at least one request.")}
    )

    def __init__(self, data: Any = None, *, waiting: Sequence[Reservation]) -> None:
        super().__init__(data)
        chosen: Any = self.fields["chosen"]
        chosen.choices = [(f"{r.pk}:{r.version}", str(r.pk)) for r in waiting]
        chosen.error_messages["invalid_choice"] = _(
            "One of the requests has changed or been answered in the meantime. Review the list again."
        )

    def requests(self) -> list[tuple[UUID, int]]:
        """Return the ids of the chosen requests, each with the version that was read."""
        return chosen_ones(self.cleaned_data["chosen"])


class CancelManyForm(StyledForm):
    """One reason for cancelling several bookings: `chosen` are `<id>:<version>`."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=500,
        error_messages={"required": _("Give a reason: those who booked read it.")},
    )
    chosen = forms.MultipleChoiceField(
        choices=(), error_messages={"required": _("Choose at least one booking.")}
    )

    def __init__(self, data: Any = None, *, coming: Sequence[Reservation]) -> None:
        super().__init__(data)
        chosen: Any = self.fields["chosen"]
        chosen.choices = [(f"{r.pk}:{r.version}", str(r.pk)) for r in coming]
        chosen.error_messages["invalid_choice"] = _(
            "One of the bookings has changed in the meantime. Review the list again."
        )

    def bookings(self) -> list[tuple[UUID, int]]:
        """Return the ids of the chosen bookings, each with the version that was read."""
        return chosen_ones(self.cleaned_data["chosen"])


def chosen_ones(values: Sequence[str]) -> list[tuple[UUID, int]]:
    """Return the ids and versions that stand in values of the form `<id>:<version>`."""
    pairs = (value.split(":") for value in values)
    return [(UUID(pk), int(version)) for pk, version in pairs]
