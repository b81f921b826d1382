"""Sentences of the refusals of *settlement*, and the names of the age buckets of open amounts."""

from django.utils.translation import gettext_lazy as _

from accounts.areas import Sentence, Words

REFUSALS: dict[str, Sentence] = {
    "month-not-over": _("This month is not over yet where the host is."),
    "nothing-paid": _("Enter an amount other than 0."),
    "more-than-owed": _("At most {most} {currency} is still to pay."),
    "nothing-to-pay": _("No payment is due on it."),
    "already-reported": _("You have already reported this payment."),
    "more-than-paid": _("Only {most} {currency} has been paid: no more can be reversed."),
    "same-currency": _("Choose two different currencies."),
    "unknown-rate": _("Your finance office has not entered this rate for {base}."),
    "another-person": _("Another person must confirm for the other region."),
    "has-payments": _("A payment has been recorded on it: reverse that payment first."),
}

# The names of acts in the trail.
ACTS: dict[str, Words] = {
    "month.close": _("Month closed"),
    "statement.issue": _("Statement drawn up"),
    "statement.void": _("Statement voided"),
    "statement.payment": _("Payment marked on a statement"),
    "statement.notice-report": _("Payment reported by the payer"),
    "statement.notice-match": _("Reported payment matched"),
    "statement.notice-refuse": _("Reported payment refused"),
    "statement.notice-withdraw": _("Reported payment withdrawn"),
    "statement.convert": _("Statement shown in the payer's currency"),
    "settlement.draw": _("Settlement drawn up"),
    "settlement.confirm": _("Settlement confirmed"),
    "settlement.payment": _("Payment marked on a settlement"),
    "exchangerate.enter": _("Exchange rate entered"),
}

BUCKET_LABELS = {
    "not_due": _("Not due"),
    "days_1_30": _("1–30 days"),
    "days_31_60": _("31–60 days"),
    "days_61_90": _("61–90 days"),
    "over_90": _("Over 90 days"),
    "credit": _("Credits"),
}
