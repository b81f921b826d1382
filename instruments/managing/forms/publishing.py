"""Forms to filter one's instruments and to publish them."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.letters.words import named
from instruments.reading.forms.fields import StyledForm, VersionForm
from instruments.register.models import Instrument


class FilterForm(StyledForm):
    """Filters for the list of a manager's instruments."""

    q = forms.CharField(
        label=_("Name, model or facility"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"type": "search"}),
    )
    publication = forms.ChoiceField(
        label=_("Publication"), required=False, choices=[("", _("any")), *Instrument.Publication.choices]
    )
    stale = forms.BooleanField(label=_("Only records to confirm"), required=False)


PUBLICATION_ACTS = ("submit", "return", "publish", "suspend", "retire")


class PublicationForm(VersionForm):
    """A step of publication. To suspend, retire or return an instrument a reason is required."""

    act = forms.ChoiceField(choices=[(a, a) for a in PUBLICATION_ACTS])
    reason = forms.CharField(label=_("Reason"), required=False, max_length=500)

    def clean(self) -> None:
        data = super().clean() or {}
        if data.get("act") in {"suspend", "retire"} and not data.get("reason"):
            self.add_error("reason", _("Give a reason: people who booked it will ask."))
        if data.get("act") == "return" and not data.get("reason"):
            self.add_error("reason", _("Enter what has to be done first."))


MOST_DRAFTS = 100  # drafts at once


class DraftsForm(StyledForm):
    """The drafts to complete, the instrument to copy from, and whether to publish them afterwards."""

    drafts = forms.ModelMultipleChoiceField(
        label=_("Drafts"),
        queryset=Instrument.objects.none(),
        error_messages={"required": _("Choose at least one draft.")},
    )
    template = forms.ModelChoiceField(
        label=_("Copy ways of working, hours, policy and rates from"),
        queryset=Instrument.objects.none(),
        required=False,
        empty_label=_("no instrument: only publish"),
    )
    publish = forms.BooleanField(label=_("Publish those that are complete"), required=False)

    def __init__(self, data: Any, *, drafts: QuerySet[Instrument], templates: QuerySet[Instrument]) -> None:
        super().__init__(data)
        fields: Any = self.fields
        fields["drafts"].queryset = drafts
        fields["template"].queryset = templates
        fields["template"].label_from_instance = named

    def clean(self) -> None:
        data = super().clean() or {}
        if len(data.get("drafts", ())) > MOST_DRAFTS:
            self.add_error("drafts", _("Choose at most 100 drafts at once."))
        if not data.get("template") and not data.get("publish"):
            self.add_error("template", _("Choose an instrument, or publish, or both."))
