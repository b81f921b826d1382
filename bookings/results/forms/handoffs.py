"""Releasing, pointing to and withdrawing results; what an instrument promises, a host's storage."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from bookings.results.domain.handoffs import MOST_DUE_DAYS, MOST_KEEP_DAYS
from bookings.results.models import HandOff
from bookings.results.services.handoffs import PROTOCOLS
from instruments.forms.fields import StyledForm, VersionForm
from instruments.models import Instrument

GIGABYTE = 1 << 30


class ReleaseForm(VersionForm):
    note = forms.CharField(
        label=_("Note to whoever collects them"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class PointForm(ReleaseForm):
    protocol = forms.ChoiceField(
        label=_("Protocol"),
        choices=[(name, _("other") if name == "other" else name) for name in PROTOCOLS],
    )
    host = forms.CharField(label=_("Host"), max_length=253)
    path = forms.CharField(label=_("Path"), max_length=1000)
    checksums = forms.CharField(
        label=_("Checksums"),
        required=False,
        max_length=20000,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text=_("Lines as sha256sum writes them."),
    )
    field_order = ["protocol", "host", "path", "checksums", "note"]


class WithdrawForm(VersionForm):
    reason = forms.CharField(
        label=_("Reason"), max_length=500, help_text=_("It is kept in the trail.")
    )


class TermsForm(StyledForm):
    due_days = forms.IntegerField(
        label=_("Handed over within (days after the booking)"),
        min_value=1,
        max_value=MOST_DUE_DAYS,
    )
    keep_days = forms.IntegerField(
        label=_("Kept for (days after the release)"), min_value=1, max_value=MOST_KEEP_DAYS
    )
    modes = forms.MultipleChoiceField(
        label=_("Expected after"),
        required=False,
        choices=Instrument.ServiceMode.choices,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("After other bookings results can be announced one by one."),
    )


class StorageForm(StyledForm):
    quota = forms.IntegerField(
        label=_("Storage in GB"),
        required=False,
        min_value=0,
        max_value=10**6,
        help_text=_("Empty: as usual."),
    )

    def quota_bytes(self) -> int | None:
        quota = self.cleaned_data["quota"]
        return None if quota is None else quota * GIGABYTE


class FilterForm(StyledForm):
    """What the list is narrowed to. What is no choice narrows nothing."""

    state = forms.ChoiceField(label=_("State"), required=False)
    overdue = forms.BooleanField(label=_("Overdue"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["state"]
        field.choices = [("", _("all")), *HandOff.State.choices]
