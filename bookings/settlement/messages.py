"""Sentences of the refusals of *settlement*, and the names of the age buckets of open amounts."""

from django.utils.translation import gettext_lazy as _

from accounts.areas import Sentence, Words

REFUSALS: dict[str, Sentence] = {
    "month-not-over": _("This month is not over yet where the host is."),
    "nothing-paid": _("Enter an amount other than 0."),
    "long-before": _("This is long before the month of the charges ({month}): check the year."),
    "more-than-owed": _("At most {most} {currency} is still to pay."),
    "nothing-to-pay": _("No payment is due on it."),
    "already-reported": _("You have already reported this payment."),
    "more-than-paid": _("Only {most} {currency} has been paid: no more can be reversed."),
    "paid-by-bank": _(
        "Bank transactions brought {bank} {currency} of it: choose “Undo” at the transaction, which “Bank "
        "and credit” names. Here at most {most} {currency} can be reversed."
    ),
    "paid-out-of-credit": _(
        "{credit} {currency} of it was paid out of the payer's credit: choose “Take back” under “Bank and "
        "credit”. Here at most {most} {currency} can be reversed."
    ),
    "same-currency": _("Choose two different currencies."),
    "unknown-rate": _("Your finance office has not entered this rate for {base}."),
    "another-person": _("Another person must confirm for the other region."),
    "not-overdue": _("Only a statement that is overdue can be reminded of."),
    "no-invoice": _("An internal note has no tax invoice."),
    "no-order": _("An internal note has no order number."),
    "reminded-today": _("The payer has been reminded today."),
    "e-invoice-lacks": _(
        "An electronic invoice needs the host's legal name and tax number, as they were when the statement"
        " was drawn up."
    ),
    "has-payments": _("A payment has been recorded on it: reverse that payment first."),
}

# The names of acts in the trail.
ACTS: dict[str, Words] = {
    "month.close": _("Month closed"),
    "statement.issue": _("Statement drawn up"),
    "statement.void": _("Statement voided"),
    "statement.order-number": _("Order number of a statement set"),
    "statement.invoice-number": _("Number of the tax invoice of a statement set"),
    "statement.remind": _("Payer reminded of a statement"),
    "statement.payment": _("Payment marked on a statement"),
    "statement.notice-report": _("Payment reported by the payer"),
    "statement.notice-match": _("Reported payment matched"),
    "statement.notice-reopen": _("Reported payment waits again, as its match was undone"),
    "statement.notice-refuse": _("Reported payment refused"),
    "statement.notice-withdraw": _("Reported payment withdrawn"),
    "statement.convert": _("Statement shown in the payer's currency"),
    "settlement.draw": _("Settlement drawn up"),
    "settlement.confirm": _("Settlement confirmed"),
    "settlement.payment": _("Payment marked on a settlement"),
    "exchangerate.enter": _("Exchange rate entered"),
}
