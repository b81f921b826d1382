"""The booking policy in sentences with gaps."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.domain.errors import Invalid
from instruments.domain.policies import Policy, parse_policy, policy_to_json
from instruments.domain.ratecards import PRICE_GROUPS
from instruments.forms.fields import StyledForm

APPROVAL_CHOICES = [
    ("automatic", _("Confirmed at once: nobody needs to answer")),
    ("first-time", _("I answer until a person has completed a first session here")),
    ("cross-region", _("I answer requests from other regions")),
    ("manual", _("I answer every request")),
]
GROUPS = {
    "internal": _("the owner's own people"),
    "regional": _("organisations of the same region"),
    "partner": _("organisations of partner regions"),
    "external": _("organisations of other regions"),
    "industry": _("enterprises"),
}


def _number(label: Any, most: int, least: int = 0, *, required: bool = True) -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        required=required,
        min_value=least,
        max_value=most,
        widget=forms.NumberInput(
            attrs={"class": "d-inline-block w-auto my-1", "aria-label": label}
        ),
    )


class PolicyForm(StyledForm):
    """Names are those of the API; a horizon is `horizon_<group>`."""

    slot_minutes = _number(_("Grid, in minutes"), 1440, 1)
    min_minutes = _number(_("Shortest booking, in minutes"), 44640, 1)
    max_minutes = _number(_("Longest booking, in minutes"), 44640, 1)
    setup_minutes = _number(_("Kept free before, in minutes"), 1440)
    teardown_minutes = _number(_("Kept free after, in minutes"), 1440)
    notice_minutes = _number(_("Shortest notice, in minutes"), 525600)
    approval = forms.ChoiceField(
        label=_("Who confirms a booking"), choices=APPROVAL_CHOICES, widget=forms.RadioSelect
    )
    approval_minutes = _number(_("Time to answer, in minutes"), 44640, 1)
    check_in_minutes = _number(_("Time to check in, in minutes"), 1440, 1, required=False)
    units = _number(_("Identical units"), 500, 1)

    def __init__(self, data: Any = None, *, policy: Policy | None = None) -> None:
        given = policy_to_json(policy or Policy())
        horizon: Any = given.pop("horizon_days")
        initial = given | {f"horizon_{group}": days for group, days in horizon.items()}
        super().__init__(data, initial=initial)
        for group in PRICE_GROUPS:
            self.add(f"horizon_{group}", _number(GROUPS[group], 730))

    def place_of(self, path: str) -> str | None:
        return path.replace("horizon_days.", "horizon_")

    def horizons(self) -> list[Any]:
        return [self[f"horizon_{group}"] for group in PRICE_GROUPS]

    def clean(self) -> None:
        data = super().clean() or self.cleaned_data
        if self.errors:
            return
        horizon = {group: data.pop(f"horizon_{group}") for group in PRICE_GROUPS}
        try:
            self.policy = parse_policy({**data, "horizon_days": horizon})
        except Invalid as refused:
            self.refuse(refused.problems)
