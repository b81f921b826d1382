"""Forms for links to results, for confirming their receipt, and for keeping them longer."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.api.shapes import Shape, Text
from bookings.results.domain.handoffs import MOST_KEEP_DAYS
from bookings.results.domain.retention import LINK_DAYS, MOST_LINK_DAYS, MOST_USES
from bookings.results.models import HandOff, ResultFile
from instruments.reading.forms.fields import StyledForm, VersionForm
from instruments.reading.forms.shapes import form_of


class LinkForm(StyledForm):
    label = forms.CharField(label=_("Recipient"), max_length=200)
    file = forms.ChoiceField(label=_("What"), required=False)
    days = forms.IntegerField(
        label=_("Works for (days)"), min_value=1, max_value=MOST_LINK_DAYS, initial=LINK_DAYS
    )
    uses = forms.IntegerField(
        label=_("Downloads"),
        required=False,
        min_value=1,
        max_value=MOST_USES,
        help_text=_("Empty: any number. A download that breaks off can be resumed."),
    )

    def __init__(self, *args: Any, files: Iterable[ResultFile] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["file"]
        field.choices = [("", _("everything")), *((str(file.pk), file.path) for file in files)]

    def values(self, now: datetime) -> dict[str, Any]:
        """Return the values that were entered, as arguments of the service that makes the link."""
        data = self.cleaned_data
        return {
            "label": data["label"],
            "file_id": data["file"] or None,
            "expires_at": now + timedelta(days=data["days"]),
            "uses": data["uses"],
        }


class ManifestBody(Shape):
    manifest_digest = Text(64)


ConfirmForm = form_of(ManifestBody)


class KeepForm(VersionForm):
    days = forms.IntegerField(label=_("Additional days"), min_value=1, max_value=MOST_KEEP_DAYS, initial=30)
    reason = forms.CharField(label=_("Reason"), required=False, max_length=500)


class HoldForm(StyledForm):
    reason = forms.CharField(
        label=_("Why they must not be deleted"),
        max_length=500,
        help_text=_("The reason is kept in the trail."),
    )


def collecting_forms(hand_off: HandOff, files: Sequence[ResultFile]) -> dict[str, StyledForm]:
    """Return the empty forms on the page of a delivery."""
    return {
        "link_form": LinkForm(files=files),
        "confirm_form": ConfirmForm(),
        "keep_form": KeepForm(initial={"version": hand_off.version}),
        "hold_form": HoldForm(),
    }
