"""The rows of a policy's quotas."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from instruments.domain.policies import MOST_LIMIT, Quota, quota_to_json

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


def quota_fields(groups: Mapping[str, Any]) -> dict[str, forms.Field]:
    """The fields of one row; `groups`: the names of the price groups."""
    return {
        "scope": forms.ChoiceField(label=_("Who"), required=False, choices=SCOPES),
        "limit": forms.DecimalField(
            label=_("At most"),
            required=False,
            min_value=0,
            max_value=MOST_LIMIT,
            decimal_places=2,
            widget=forms.NumberInput(attrs={"step": "any"}),
        ),
        "unit": forms.ChoiceField(label=_("Unit of the limit"), required=False, choices=MEASURES),
        "per": forms.ChoiceField(label=_("Period"), required=False, choices=SPANS),
        "price_group": forms.ChoiceField(
            label=_("Applies to"),
            required=False,
            choices=[("", _("everybody")), *groups.items()],
        ),
    }


def quota_row(quota: Quota) -> dict[str, Any]:
    """A quota as the fields of a row."""
    return quota_to_json(quota)


def quota_as_json(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row that has a limit, in the shape of the API."""
    limit: Decimal = row["limit"]
    return {
        "scope": row["scope"] or "user",
        "unit": row["unit"] or "hours",
        "per": row["per"] or "week",
        "limit": int(limit) if limit == limit.to_integral_value() else float(limit),
        "price_group": row["price_group"] or None,
    }
