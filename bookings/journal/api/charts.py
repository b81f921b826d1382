"""Charts of accounts: their accounts and rules."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from rest_framework import serializers

from accounts.api.resource import OnPage, Resource, acts, changes, creates, lists, reads
from accounts.api.shapes import Instant
from accounts.domain.roles import By
from accounts.selectors.memberships import place_of
from accounts.selectors.rows import visible
from bookings.journal.forms.charts import (
    AccountRuleBody,
    ChartAccountAddBody,
    ChartAccountBody,
    ChartBeginBody,
    account_terms,
)
from bookings.journal.models import AccountRule, ChartAccount
from bookings.journal.selectors.charts import accounts_for, rules_for
from bookings.journal.services import charts
from bookings.record.api.shapes import PlainNumber


class ChartAccountShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    organisation = serializers.CharField(source="organisation.code")
    number = serializers.CharField()
    name = serializers.CharField()
    name_zh = serializers.CharField()
    retired_at = Instant(allow_null=True, help_text="Since when no new rule may name it.")
    version = serializers.IntegerField()


class BegunShape(serializers.Serializer[Any]):
    """The accounts with which a chart begins."""

    accounts = ChartAccountShape(many=True)


class AccountRuleShape(serializers.Serializer[Any]):
    """A rule of a chart of accounts, which holds from a day on; without an account lines of the role have
    none from then on. At most one of the things limits it."""

    id = serializers.UUIDField()
    organisation = serializers.CharField(source="organisation.code")
    role = serializers.CharField()
    account = serializers.CharField(source="account.number", default=None, allow_null=True)
    instrument = serializers.UUIDField(source="instrument_id", allow_null=True)
    facility = serializers.UUIDField(source="facility_id", allow_null=True)
    source = serializers.CharField(  # type: ignore[assignment]
        source="source.code", default=None, allow_null=True
    )
    currency = serializers.CharField()
    tax_percent = PlainNumber(allow_null=True)
    cost_centre = serializers.CharField()
    tax_code = serializers.CharField()
    valid_from = serializers.DateField()
    set_at = Instant()


def _keeps(by: By, row: ChartAccount) -> bool:
    return by.actor.may("account", place_of(row.organisation))


class ChartAccounts(Resource):
    at, tag, name, many = "chart-accounts/", "money", "chart_account", "chart_accounts"
    shape, order = ChartAccountShape, ("organisation__code", "number")
    needs_person = True
    page_at, page_name = "journal/accounts/", "money-journal-accounts"

    def visible(self, pk: UUID) -> ChartAccount:
        return visible(accounts_for(self.actor), pk=pk)

    @lists(_("Accounts"))
    def rows(self, query: dict[str, Any]) -> QuerySet[ChartAccount]:
        """Return the accounts of the organisations whose finance you are, and of an auditor's regions."""
        return accounts_for(self.actor)

    @creates(
        _("Add an account"),
        ChartAccountAddBody,
        sends={
            "organisation": "wusong-tech",
            "number": "1002",
            "name": "Bank deposits",
            "name_zh": "银行存款",
        },
        refuses=[404],
    )
    def create(self, data: dict[str, Any]) -> ChartAccount:
        """Add an account to the chart of an organisation. Only its finance may do this."""
        return charts.account_add(self.by, organisation=data.pop("organisation"), terms=account_terms(data))

    @reads(_("Ledger account"))
    def read(self, pk: UUID) -> None:
        """Return an account."""

    @changes(_("Change an account"), ChartAccountBody, partial=True, sends={"name": "Bank account"})
    def change(self, pk: UUID, data: dict[str, Any]) -> ChartAccount:
        """Give an account another number or name. Closed months keep what they say."""
        row = self.visible(pk)
        now = {name: getattr(row, name) for name in ("number", "name", "name_zh")}
        return charts.account_change(self.by, account_id=pk, terms=account_terms(now | data))

    @OnPage(
        "bookings:money-journal-accounts",
        pgettext_lazy("accounting", "Retire"),
        _("The account is no longer offered."),
        asks=_("Offer this account no longer? Rules that name it stay."),
        of="",
        offered=lambda by, row: row.retired_at is None and _keeps(by, row),
    )
    @acts(_("Retire an account"))
    def retire(self, pk: UUID) -> ChartAccount:
        """Keep new rules from naming an account; those that name it stay."""
        return charts.account_retire(self.by, account_id=pk)

    @acts(
        _("Begin a chart of accounts"),
        ChartBeginBody,
        below="*begin",
        named="chart_accounts_begin",
        address="api-chart-accounts-begin",
        gives=BegunShape,
        sends={"organisation": "wusong-tech", "preset": "cn_public"},
        versioned=False,
    )
    def begin(self, data: dict[str, Any]) -> dict[str, Any]:
        """Give an organisation without accounts those of a preset, with rules for all days so far."""
        row = charts.chart_begin(self.by, **data)
        return {"accounts": accounts_for(self.actor).filter(organisation=row)}


class AccountRules(Resource):
    at, tag, name, many = "account-rules/", "money", "account_rule", "account_rules"
    shape, order = AccountRuleShape, ("-set_at", "-id")
    needs_person = True

    def location(self, row: Any) -> str:
        return ""

    @lists(_("Rules of charts of accounts"))
    def rows(self, query: dict[str, Any]) -> QuerySet[AccountRule]:
        """Return the rules of the organisations whose finance you are, and of an auditor's regions; the
        newest first."""
        return rules_for(self.actor)

    @creates(
        _("Assign an account"),
        AccountRuleBody,
        sends={
            "organisation": "wusong-tech",
            "role": "output_tax",
            "account": "210101",
            "tax_percent": "6",
            "tax_code": "S6",
            "valid_from": "2026-04-01",
        },
        refuses=[404],
    )
    def create(self, data: dict[str, Any]) -> AccountRule:
        """Say which account lines of a role go to from a day on. Rules are never edited: a later one for the
        same takes the place of the one before, from its own day. A day in a closed month is refused."""
        return charts.rule_set(self.by, organisation=data.pop("organisation"), terms=charts.RuleTerms(**data))
