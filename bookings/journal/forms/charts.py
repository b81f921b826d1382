"""Forms and bodies of charts of accounts, and of closing a month."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.shapes import Choice, Day, Number, Shape, Text
from accounts.letters.words import named
from bookings.journal.domain.charts import RULE_ROLES
from bookings.journal.domain.journal import SIDES
from bookings.journal.domain.presets import PRESETS
from bookings.journal.messages import PRESET_LABELS, ROLE_LABELS, SIDE_LABELS
from bookings.journal.selectors.editing import Editing
from bookings.journal.services.charts import AccountTerms, RuleTerms
from bookings.record.api.shapes import month_named
from instruments.reading.forms.fields import StyledForm
from instruments.reading.forms.shapes import field_of, form_of

ORGANISATION = {"help_text": "Code of the organisation."}
ROLES = [(role, ROLE_LABELS[role]) for role in RULE_ROLES]


class ChartAccountBody(Shape):
    number = Text(20, label=_("Number"))
    name = Text(200, label=_("Name"))
    name_zh = Text(200, label=_("Name in Chinese"), default="", allow_blank=True)


class ChartAccountAddBody(ChartAccountBody):
    organisation = Text(40, **ORGANISATION)


class ChartBeginBody(Shape):
    organisation = Text(40, **ORGANISATION)
    preset = Choice(
        [(preset, PRESET_LABELS[preset]) for preset in PRESETS], label=_("Chart of accounts to begin with")
    )


class AccountRuleBody(Shape):
    """A rule from a day on: at most one of `instrument`, `facility`, `source`, `currency` and `tax_percent`
    limits it. Without an `account` lines of the role have none from then on."""

    organisation = Text(40, **ORGANISATION)
    role = Choice(ROLES, label=_("What is assigned"))
    account = Text(20, label=_("Ledger account"), default="", allow_blank=True, help_text="Its number.")
    instrument = serializers.UUIDField(label=_("Instrument"), required=False, allow_null=True)
    facility = serializers.UUIDField(label=_("Facility"), required=False, allow_null=True)
    source = Text(  # type: ignore[assignment]
        40, label=_("Funding source"), default="", allow_blank=True, help_text="Code of the funding source."
    )
    currency = Text(3, label=_("Currency"), default="", allow_blank=True)
    tax_percent = Number(
        max_digits=9, decimal_places=4, label=_("Tax rate in percent"), required=False, allow_null=True
    )
    cost_centre = Text(40, label=_("Cost centre"), default="", allow_blank=True)
    tax_code = Text(20, label=_("Tax code"), default="", allow_blank=True)
    valid_from = Day(label=_("From"))


class JournalCloseBody(Shape):
    organisation = Text(40, **ORGANISATION)
    side = Choice([(side, SIDE_LABELS[side]) for side in SIDES])
    month = Text(7, help_text="Such as `2026-03`.")


AccountForm, CloseForm = form_of(ChartAccountBody), form_of(JournalCloseBody)


class BeginForm(StyledForm):
    """The chart of accounts that an organisation begins with."""

    preset = field_of(ChartBeginBody, "preset", widget=forms.RadioSelect)


class RuleForm(StyledForm):
    """A rule, with what it can be limited to chosen by name."""

    role = field_of(AccountRuleBody, "role")
    account = forms.ChoiceField(label=_("Ledger account"), required=False)
    thing = forms.ChoiceField(
        label=_("Only for"), required=False, help_text=_("A facility, an instrument or a funding source.")
    )
    currency = field_of(AccountRuleBody, "currency", help_text=_("Only for this currency, such as EUR."))
    tax_percent = field_of(AccountRuleBody, "tax_percent", help_text=_("Only for this rate, such as 6."))
    tax_code = field_of(AccountRuleBody, "tax_code", help_text=_("As in your accounting system."))
    cost_centre = field_of(
        AccountRuleBody, "cost_centre", help_text=_("Only where a cost centre is assigned.")
    )
    valid_from = field_of(AccountRuleBody, "valid_from")

    def __init__(self, data: Any = None, *, editing: Editing, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        fields: Any = self.fields
        fields["account"].choices = [
            ("", _("no account")),
            *((one.number, f"{one.number} {named(one)}") for one in editing.accounts if not one.retired_at),
        ]
        fields["thing"].choices = [("", _("everything")), *_things(editing)]

    def terms(self) -> RuleTerms:
        """Return the rule as entered."""
        data = dict(self.cleaned_data)
        kind, _, value = data.pop("thing").partition(":")
        return RuleTerms(**data, **({kind: value} if kind else {}))


def _things(editing: Editing) -> Iterable[tuple[Any, list[tuple[str, str]]]]:
    groups = (
        (_("Facilities"), "facility", editing.facilities),
        (_("Instruments"), "instrument", editing.instruments),
    )
    for label, kind, rows in groups:
        if rows:
            yield label, [(f"{kind}:{row.pk}", named(row)) for row in rows]
    if editing.sources:
        sources = [(f"source:{row.code}", f"{row.name} ({row.code})") for row in editing.sources]
        yield _("Funding sources"), sources


def account_terms(data: dict[str, Any]) -> AccountTerms:
    """Return an account as entered."""
    return AccountTerms(data["number"], data["name"], data.get("name_zh") or "")


def month_closed(data: dict[str, Any]) -> dict[str, Any]:
    """Return what closing a month takes; raise `Invalid` for a month that is none."""
    return data | {"month": month_named(data["month"])}
