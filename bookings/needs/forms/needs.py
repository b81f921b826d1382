"""The form in which somebody describes a need."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.forms import PersonField
from accounts.letters.words import named
from accounts.models import Region
from accounts.selectors.choosing import people_like
from bookings.needs.domain.matching import PARTS, WEIGHTS
from bookings.needs.messages import PARTS as PART_LABELS
from bookings.needs.models import Need
from bookings.needs.services.needs import NeedValues
from bookings.record.forms.fields import LocalMomentField, local_moment
from instruments.reading.forms.fields import DecimalField, StyledForm
from instruments.register.models import Instrument
from instruments.vocabulary.domain.needs import LONGEST_NEED

LENGTHS = (30, 60, 120, 180, 240, 360, 480, 720, 1440, 2880)
WINDOW = timedelta(days=21)


class NeedForm(StyledForm):
    """A need as its author describes it; times are in the reader's time zone."""

    text = forms.CharField(
        label=_("What do you want to find out?"),
        max_length=LONGEST_NEED,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("In your own words: what is measured, of which sample, how finely."),
    )
    minutes = forms.TypedChoiceField(label=_("For how long"), coerce=int)
    earliest = LocalMomentField(label=_("Not before"))
    latest = LocalMomentField(label=_("Not after"), is_end=True)
    is_flexible = forms.BooleanField(
        label=_("Any time in between is fine"),
        required=False,
        help_text=_("Your region can have a time held for you, which you then accept or give back."),
    )
    budget = DecimalField(label=_("Budget"), required=False, min_value=0, max_digits=16, decimal_places=2)
    sample = forms.CharField(label=_("Form of the sample"), required=False, max_length=200)
    quantity = forms.IntegerField(
        label=_("Number of samples"), required=False, min_value=1, max_value=100_000
    )
    modes = forms.MultipleChoiceField(
        label=_("How will you work?"),
        required=False,
        choices=Instrument.ServiceMode.choices,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None ticked: any."),
    )
    regions = forms.MultipleChoiceField(
        label=_("In these regions"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None ticked: everywhere."),
    )
    organisation = forms.ChoiceField(label=_("Charged to"), required=False)

    def __init__(
        self,
        data: Any = None,
        *,
        zone: ZoneInfo,
        regions: Iterable[Region],
        need: Need | None = None,
        now: datetime,
        **kwargs: Any,
    ) -> None:
        super().__init__(data, **kwargs)
        fields: Any = self.fields
        fields["earliest"].zone = fields["latest"].zone = zone
        fields["minutes"].choices = [(m, m) for m in LENGTHS]
        fields["regions"].choices = [(region.code, named(region)) for region in regions]
        if need is not None and need.minutes not in LENGTHS:
            fields["minutes"].choices += [(need.minutes, need.minutes)]
        start = now + timedelta(minutes=60 - now.minute % 30)
        window = (need.earliest, need.latest) if need else (start, start + WINDOW)
        self.initial["earliest"] = local_moment(window[0], zone)
        self.initial["latest"] = local_moment(window[1], zone)
        if need is not None:
            del fields["organisation"]
            for name in ("text", "minutes", "is_flexible", "budget", "sample", "quantity", "modes"):
                self.initial[name] = getattr(need, name)
            self.initial["regions"] = [region.code for region in need.regions.all()]
        else:
            self.initial.setdefault("minutes", 120)
        for name in PARTS:
            weights = (need.weights if need else None) or WEIGHTS
            self.add(
                f"weight_{name}",
                forms.IntegerField(
                    label=PART_LABELS[name],
                    min_value=0,
                    max_value=100,
                    initial=round(100 * weights.get(name, 0)),
                    required=False,
                    widget=forms.NumberInput(attrs={"type": "range", "min": 0, "max": 100}),
                ),
            )

    @property
    def weight_fields(self) -> list[forms.BoundField]:
        return [self[f"weight_{name}"] for name in PARTS]

    def place_of(self, path: str) -> str | None:
        name = path.partition("[")[0]
        return {"terms": "text", "requirements": "text", "weights": "weight_fit"}.get(name, name)

    def values(self, need: Need | None = None) -> NeedValues:
        """Return the values of a need. Its terms and requirements are kept while its text is unchanged;
        otherwise they are read from the text again."""
        data = self.cleaned_data
        moved = {name: data[f"weight_{name}"] for name in PARTS}
        weights = {
            name: WEIGHTS[name] if percent is None else percent / 100 for name, percent in moved.items()
        }
        is_same = need is not None and need.text == data["text"].strip()
        return NeedValues(
            text=data["text"],
            earliest=data["earliest"],
            latest=data["latest"],
            minutes=data["minutes"],
            organisation=data.get("organisation") or None,
            terms=need.terms if need and is_same else None,
            requirements=kept_requirements(need) if need and is_same else None,
            sample=data["sample"],
            quantity=data["quantity"],
            modes=data["modes"],
            regions=data["regions"],
            budget=data["budget"],
            weights={} if weights == WEIGHTS else weights,
            is_flexible=data["is_flexible"],
        )


class ReaderForm(StyledForm):
    """Somebody who may read a need: chosen by name, or the mail address of somebody the reader has not met
    here. Who was chosen by name is named by id, so that the need's page shows the name."""

    person = PersonField(
        help_text=_(
            "Somebody you have not met here: their mail address. Whoever has or opens an account with it can "
            "read the need. No message is sent."
        )
    )

    def clean_person(self) -> str:
        address: str = self.cleaned_data["person"]
        field: Any = self.fields["person"]
        seen = people_like(field.actor, address).filter(email__iexact=address) if "@" in address else None
        person = seen.first() if seen is not None else None
        return str(person.pk) if person else address


def kept_requirements(need: Need) -> list[dict[str, Any]]:
    """Return the requirements of a need, as the service takes them."""
    return [
        {
            "parameter": each["parameter"],
            "low": None if each["low"] is None else Decimal(each["low"]),
            "high": None if each["high"] is None else Decimal(each["high"]),
        }
        for each in need.requirements
    ]
