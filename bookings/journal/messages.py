"""Sentences of the refusals of *journal*, and its words."""

from django.utils.translation import gettext_lazy as _

from accounts.areas import Sentence, Words, ngettext_lazy
from bookings.charging.selectors.obstacles import OBSTACLES

REFUSALS: dict[str, Sentence] = {
    "journal-closed": _("The journal is closed until {month}: choose a later day."),
    "month-closed": _("The journal of this month is closed already."),
    "earlier-month-open": _("Close the journal of {month} first."),
    "statements-not-drawn": _("The statements of this month are not drawn up yet."),
    "month-has-open-charges": ngettext_lazy(
        "{count} charge of this month is not final: its funding may still change.",
        "{count} charges of this month are not final: their funding may still change.",
        "count",
    ),
    "accounts-unassigned": ngettext_lazy(
        "{count} line has no account yet: complete the chart of accounts first.",
        "{count} lines have no account yet: complete the chart of accounts first.",
        "count",
    ),
    "chart-not-empty": _("There are accounts already: change them one by one."),
    "account-number-taken": _("There is an account with this number already."),
    "account-retired": _("This account is no longer used."),
    "account-unknown": _("There is no account with this number."),
    "not-for-this-role": _("This does not go with what is assigned."),
    "one-limit-only": _("Choose only one thing to which the rule is limited."),
    "nothing-assigned": _("Enter an account or, for a cost centre, its number."),
}

# The names of acts in the trail.
ACTS: dict[str, Words] = {
    "chart.begin": _("Chart of accounts begun"),
    "chart.account-add": _("Account added"),
    "chart.account-change": _("Account changed"),
    "chart.account-retire": _("Account no longer used"),
    "chart.rule": _("Account assigned"),
    "journal.close": _("Journal of a month closed"),
}

SIDE_LABELS: dict[str, Words] = {"host": _("What we earn"), "payer": _("What we owe")}
ROLE_LABELS: dict[str, Words] = {
    "receivable": _("Receivables"),
    "advances": _("Advances received"),
    "vouchers": _("Voucher claims"),
    "bank": _("Bank: money received"),
    "output_tax": _("Output tax"),
    "revenue_usage": _("Revenue: use"),
    "revenue_consumables": _("Revenue: consumables"),
    "revenue_training": _("Revenue: training"),
    "revenue_cancellation": _("Revenue: cancellation fees"),
    "internal_income": _("Internal recharge: income"),
    "internal_cost": _("Internal recharge: cost"),
    "payable": _("Payables"),
    "cost": _("Cost of use"),
    "input_tax": _("Input tax"),
    "voucher_income": _("Vouchers used"),
    "paid_from": _("Bank: money paid"),
    "prepaid": _("Prepayments"),
    "cost_centre": _("Cost centre"),
}
LIMIT_LABELS: dict[str, Words] = {
    "instrument": _("Instrument"),
    "facility": _("Facility"),
    "source": _("Funding source"),
    "currency": _("Currency"),
    "tax_percent": _("Tax rate in percent"),
}
PRESET_LABELS: dict[str, Words] = {
    "cn_public": _("Chinese public institution"),
    "eu_generic": _("Organisation in Europe"),
}
OBSTACLE_LABELS: dict[str, Words] = {**dict(OBSTACLES), "unmatched": _("bank transactions to match")}
