"""A form for the booking policy, in sentences with gaps."""

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.domain.errors import Invalid
from instruments.opening.forms.opening import weekday_name
from instruments.policy.domain import policies
from instruments.policy.messages import HAZARD_LABELS
from instruments.rates.domain.ratecards import PRICE_GROUPS
from instruments.rates.messages import PRICE_GROUP_LABELS
from instruments.reading.domain.clock import clock
from instruments.reading.forms.fields import DecimalField, MinutesInput, StyledForm, WallClockField, count_of
from instruments.training.domain.training import THIS_INSTRUMENT
from instruments.training.forms.qualifications import technique_choices
from instruments.vocabulary.models import Technique

SCOPES = [
    ("user", _("each person")),
    ("organisation", _("each organisation")),
    ("price_group", _("a whole price group")),
]
MEASURES = [("hours", _("hours")), ("bookings", _("bookings"))]
SPANS = [
    ("day", _("a day")),
    ("week", _("a week")),
    ("month", _("a month")),
    ("upcoming", _("ahead at any time")),
]


def quota_fields() -> dict[str, forms.Field]:
    """Return the form fields of one quota."""
    return {
        "scope": forms.ChoiceField(label=_("Who"), required=False, choices=SCOPES),
        "limit": DecimalField(
            label=_("At most"),
            required=False,
            min_value=0,
            max_value=policies.MOST_LIMIT,
            decimal_places=2,
            widget=forms.NumberInput(attrs={"step": "any"}),
        ),
        "unit": forms.ChoiceField(label=_("Unit of the limit"), required=False, choices=MEASURES),
        "per": forms.ChoiceField(label=_("Period"), required=False, choices=SPANS),
        "price_group": forms.ChoiceField(
            label=_("Applies to"), required=False, choices=[("", _("everybody")), *PRICE_GROUP_LABELS.items()]
        ),
    }


WHO = [("organisation", _("our own organisation")), ("region", _("organisations of our region"))]


def group_fields(certificates: Sequence[tuple[str, str]]) -> dict[str, forms.Field]:
    """Return the form fields of one row of hours open only to a group; `certificates`: code and label of each
    certificate that may be required."""
    holders = [(f"certified:{code}", words) for code, words in certificates]
    return {
        "days": forms.MultipleChoiceField(
            label=_("Days"),
            required=False,
            choices=[(str(day), weekday_name(day)) for day in range(1, 8)],
            widget=forms.CheckboxSelectMultiple,
        ),
        "opens": WallClockField(label=_("From")),
        "closes": WallClockField(label=_("Until")),
        "who": forms.ChoiceField(label=_("Only"), required=False, choices=[*WHO, *holders]),
    }


def group_as_json(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of hours open only to a group, which has days, in the JSON of the API."""
    who, _colon, certificate = (row["who"] or "organisation").partition(":")
    return {
        "days": [int(day) for day in row["days"]],
        "opens": row["opens"],
        "closes": row["closes"],
        "who": who,
    } | ({"certificate": certificate} if certificate else {})


def quota_as_json(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of a quota, which has a limit, in the JSON of the API."""
    limit: Decimal = row["limit"]
    return {
        "scope": row["scope"] or "user",
        "unit": row["unit"] or "hours",
        "per": row["per"] or "week",
        "limit": int(limit) if limit == limit.to_integral_value() else float(limit),
        "price_group": row["price_group"] or None,
    }


APPROVAL_CHOICES = [
    ("automatic", _("Confirmed at once: no approval needed")),
    ("first-time", _("I approve requests until a person has completed a first session here")),
    ("cross-region", _("I approve requests from other regions")),
    ("manual", _("I approve every request")),
]

QUALIFICATION_CHOICES = [
    ("", _("nothing: everybody who books may operate it")),
    (THIS_INSTRUMENT, _("a certificate for this instrument")),
]


def _certificate_for(technique: str) -> str:
    return gettext("a certificate for {technique}").format(technique=technique)


def _number(
    label: Any, most: int, least: int = 0, *, required: bool = True, widget: Any = forms.NumberInput
) -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        required=required,
        min_value=least,
        max_value=most,
        widget=widget(attrs={"class": "gap", "aria-label": label}),
    )


_minutes = partial(_number, widget=MinutesInput)


class PolicyForm(StyledForm):
    """A booking policy, in fields named as in the API. A horizon is `horizon_<group>`; the share kept for
    other regions is `share_percent` and `share_released_minutes`. A quota is `quota_<n>_<field>`, ignored
    without a limit; hours open only to a group are `group_<n>_<field>`, ignored without a day."""

    slot_minutes = _minutes(_("Time step"), 1440, 1)
    min_minutes = _minutes(_("Shortest booking"), 44640, 1)
    max_minutes = _minutes(_("Longest booking"), 44640, 1)
    setup_minutes = _minutes(_("Buffer before"), 1440)
    teardown_minutes = _minutes(_("Buffer after"), 1440)
    notice_minutes = _minutes(_("Shortest notice"), 525600)
    approval = forms.ChoiceField(
        label=_("Who confirms a booking"), choices=APPROVAL_CHOICES, widget=forms.RadioSelect
    )
    approval_minutes = _minutes(_("Time to answer"), 44640, 1)
    check_in_minutes = _minutes(_("Time to check in"), 1440, 1, required=False)
    offer_minutes = _minutes(_("Time to take an offer"), 44640, 1)
    units = _number(_("Identical units"), 500, 1)
    qualification = forms.ChoiceField(
        label=_("Required to operate it alone"), required=False, choices=QUALIFICATION_CHOICES
    )
    refused_hazards = forms.MultipleChoiceField(
        label=_("Samples with these hazards are not accepted"),
        required=False,
        choices=HAZARD_LABELS.items(),
        widget=forms.CheckboxSelectMultiple,
    )
    reason = forms.CharField(label=_("Why it changes"), required=False, max_length=500)
    share_percent = _number(_("Kept for other regions, in percent"), 100, required=False)
    share_released_minutes = _minutes(_("Released to everybody before the start"), 525600, required=False)

    def __init__(
        self, data: Any = None, *, policy: policies.Policy | None = None, techniques: Sequence[Technique] = ()
    ) -> None:
        """Fill the form from a policy. `techniques`: those for which a certificate may be required."""
        policy = policy or policies.Policy()
        given = policies.policy_to_json(policy)
        horizon: Any = given.pop("horizon_days")
        initial = given | {f"horizon_{group}": days for group, days in horizon.items()}
        if share := policy.cross_region_share:
            initial |= {"share_percent": share.percent, "share_released_minutes": share.released_minutes}
        rows = 1 + len(policy.quotas)
        if data is not None:
            rows = count_of(data, "quota_rows", least=1, most=policies.MOST_QUOTAS)
        rows = min(rows, policies.MOST_QUOTAS)
        initial["quota_rows"] = rows
        for n, quota in enumerate(policy.quotas):
            initial |= {f"quota_{n}_{key}": item for key, item in policies.quota_to_json(quota).items()}
        groups = min(1 + len(policy.group_hours), policies.MOST_GROUP_HOURS)
        if data is not None:
            groups = count_of(data, "group_rows", least=1, most=policies.MOST_GROUP_HOURS)
        initial["group_rows"] = groups
        for n, rule in enumerate(policy.group_hours):
            who = f"{rule.who}:{rule.certificate}" if rule.certificate else rule.who
            initial |= {
                f"group_{n}_days": [str(day) for day in rule.days],
                f"group_{n}_opens": clock(rule.opens),
                f"group_{n}_closes": clock(rule.closes),
                f"group_{n}_who": who,
            }
        super().__init__(data, initial=initial)
        qualification: Any = self.fields["qualification"]
        qualification.choices = [
            *QUALIFICATION_CHOICES,
            *((code, _certificate_for(name)) for code, name in technique_choices(techniques)),
        ]
        for group in PRICE_GROUPS:
            self.add(f"horizon_{group}", _number(PRICE_GROUP_LABELS[group], 730))
        self.add("quota_rows", forms.IntegerField(widget=forms.HiddenInput, required=False))
        self.quota_numbers = range(rows)
        for n in self.quota_numbers:
            for name, field in quota_fields().items():
                self.add(f"quota_{n}_{name}", field)
        self.places: list[int] = []
        self.add("group_rows", forms.IntegerField(widget=forms.HiddenInput, required=False))
        self.group_numbers, self.group_places = range(groups), list[int]()
        holders = [
            (THIS_INSTRUMENT, gettext("holders of a certificate for this instrument")),
            *(
                (code, gettext("holders of a certificate for {technique}").format(technique=name))
                for code, name in technique_choices(techniques)
            ),
        ]
        known = {code for code, _words in holders}
        holders += [
            (rule.certificate, rule.certificate)
            for rule in policy.group_hours
            if rule.certificate and rule.certificate not in known
        ]
        for n in self.group_numbers:
            for name, field in group_fields(holders).items():
                self.add(f"group_{n}_{name}", field)

    def place_of(self, path: str) -> str | None:
        if match := re.fullmatch(r"quotas\[(\d+)\](?:\.(\w+))?", path):
            return f"quota_{self.places[int(match[1])]}_{match[2] or 'limit'}"
        if match := re.fullmatch(r"group_hours\[(\d+)\](?:\.(\w+))?", path):
            name = "who" if match[2] == "certificate" else match[2] or "days"
            return f"group_{self.group_places[int(match[1])]}_{name}"
        return path.replace("horizon_days.", "horizon_").replace("cross_region_share.", "share_")

    def quotas(self) -> Iterator[dict[str, Any]]:
        """Yield the rows of quotas for the page."""
        for n in self.quota_numbers:
            yield {"n": n + 1} | {name: self[f"quota_{n}_{name}"] for name in quota_fields()}

    def groups(self) -> Iterator[dict[str, Any]]:
        """Yield the rows of hours open only to groups, for the page."""
        for n in self.group_numbers:
            yield {"n": n + 1} | {name: self[f"group_{n}_{name}"] for name in group_fields(())}

    def horizons(self) -> list[Any]:
        return [self[f"horizon_{group}"] for group in PRICE_GROUPS]

    def clean(self) -> None:
        data = super().clean() or self.cleaned_data
        if self.errors:
            return
        horizon = {group: data[f"horizon_{group}"] for group in PRICE_GROUPS}
        quotas, self.places = [], []
        for n in self.quota_numbers:
            if data[f"quota_{n}_limit"] is not None:
                row = {name: data[f"quota_{n}_{name}"] for name in quota_fields()}
                quotas.append(quota_as_json(row))
                self.places.append(n)
        group_hours, self.group_places = [], []
        for n in self.group_numbers:
            row = {name: data[f"group_{n}_{name}"] for name in group_fields(())}
            if row["days"] or row["opens"] or row["closes"]:
                group_hours.append(group_as_json(row))
                self.group_places.append(n)
        share = None
        if data["share_percent"]:
            share = {
                "percent": data["share_percent"],
                "released_minutes": data["share_released_minutes"] or 0,
            }
        ours = ("share_", "reason")
        plain = {name: data[name] for name in self.base_fields if not name.startswith(ours)}
        try:
            self.policy = policies.parse_policy(
                plain
                | {
                    "horizon_days": horizon,
                    "quotas": quotas,
                    "cross_region_share": share,
                    "group_hours": group_hours,
                }
            )
        except Invalid as refused:
            self.refuse(refused.problems)
