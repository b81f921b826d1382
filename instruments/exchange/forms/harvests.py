"""A form for the plan of a harvest."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import Organisation
from instruments.exchange.domain.harvests import LONGEST_NAME, Plan
from instruments.exchange.forms.imports import ENCODINGS, SourceForm
from instruments.exchange.models import Harvest, Import
from instruments.opening.forms.opening import weekday_name


class HarvestForm(SourceForm):
    """A plan of a harvest; `organisations` are those it may be for, a single one if there is no choice."""

    name = forms.CharField(label=_("Name"), max_length=LONGEST_NAME)
    address = forms.CharField(
        label=_("Address of the file"),
        max_length=1000,
        widget=forms.URLInput(attrs={"placeholder": "https://"}),
        help_text=_(
            "A public https address. It is fetched without signing in. For PIDINST it may also be a "
            "list of OAI-PMH: …/oai?verb=ListRecords&metadataPrefix=pidinst"
        ),
    )
    mapping = forms.ChoiceField(
        label=_("Columns"),
        required=False,
        help_text=_(
            "For tables only. Tables exported here need none; for others, import a file once and "
            "map its columns."
        ),
    )
    encoding = forms.ChoiceField(label=_("Encoding of text"), choices=[(name, name) for name in ENCODINGS])
    rhythm = forms.ChoiceField(label=_("How often"), choices=Harvest.Rhythm.choices)
    weekday = forms.TypedChoiceField(label=_("Day of the week"), required=False, coerce=int, empty_value=None)
    hour = forms.TypedChoiceField(
        label=_("At"), choices=[(str(hour), f"{hour:02}:00") for hour in range(24)], coerce=int
    )
    applies = forms.BooleanField(
        label=_("Run automatically if no row would be left out"),
        required=False,
        help_text=_("Otherwise, or if a row would be left out, it waits for review."),
    )

    def __init__(
        self,
        data: Any = None,
        *,
        organisations: Sequence[Organisation],
        mappings: Sequence[str],
        plan: Plan | None = None,
    ) -> None:
        plan = plan or Plan("", "", Import.Format.TABLE.value)
        super().__init__(data, initial=asdict(plan))
        self.choose_organisation(organisations)
        fields: Any = self.fields
        names = dict.fromkeys([*mappings, *filter(None, [plan.mapping])])
        fields["mapping"].choices = [("", "–"), *((name, name) for name in names)]
        fields["weekday"].choices = [("", "–"), *((str(day), weekday_name(day)) for day in range(1, 8))]

    def plan(self) -> Plan:
        return Plan(**{name: self.cleaned_data[name] for name in Plan.__dataclass_fields__})
