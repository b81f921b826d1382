"""Sentences of the refusals of *bank*, names of its acts in the trail, and the words of proposals."""

from django.utils.translation import gettext_lazy as _

from accounts.areas import Sentence, Words
from bookings.bank.domain import matching

REFUSALS: dict[str, Sentence] = {
    "not-a-bank-file": _(
        "This file cannot be read as CAMT.053, MT940 or CSV: export it from the bank again."
    ),
    "too-large-file": _("The file is larger than {most} MB: export a shorter period."),
    "too-many-transactions": _(
        "The file has too many transactions (limit: {most}): export a shorter period."
    ),
    "no-transactions": _("The file has no transactions."),
    "no-account": _("The file does not name its account."),
    "several-accounts": _("The file contains several accounts: export one at a time."),
    "other-account": _(
        "The file is for account {account}, which was not used before: confirm that it is yours."
    ),
    "unknown-currency-of-file": _("{currency} is not a currency code such as CNY or EUR."),
    "other-currency-of-row": _(
        "Row {row} is in {currency}, but the account is not: a file has one currency."
    ),
    "bad-amount": _("The amount in row {row} cannot be read."),
    "bad-balance": _("The balance that the file states cannot be read."),
    "bad-day": _("The day in row {row} is not written as the format says."),
    "wrong-encoding": _("The file is not written in {encoding}: choose another encoding in its format."),
    "no-column": _("The file has no column “{column}”: compare the names in its format."),
    "no-format": _("Choose the format of this CSV file, or describe it first."),
    "no-heads": _("No line with the names of columns was found in this file."),
    "bad-date-format": _("Give the order of day, month and year, such as YYYY-MM-DD or DD.MM.YYYY."),
    "already-read": _("This file has been read before."),
    "already-taken-back": _("This file has already been taken back."),
    "something-is-matched": _(
        "{number} of its transactions are matched or kept as credit: undo these matches first."
    ),
    "later-file-overlaps": _(
        "“{name}” was read later and left out what this file had brought: take that file back first."
    ),
    "file-taken-back": _("Its file was taken back: read the file again."),
    "nothing-to-set-aside": _("Choose at least one transaction."),
    "too-many-to-set-aside": _("At most {most} can be set aside at once: choose fewer."),
    "not-all-wait": _(
        "{number} of these transactions do not wait any more, or are matched in part: nothing was set aside."
    ),
    "no-longer-certain": _("{number} of these matches are no longer certain: look at the list again."),
    "no-longer-proposed": _("This match is no longer possible: look at the transaction again."),
    "more-than-left": _("Only {most} {currency} of this transaction is left to match."),
    "other-currency-of-statement": _("Choose statements in {currency}."),
    "bad-amount-by-hand": _("Enter each amount in the currency of the transaction."),
    "bad-amount-of-statement": _(
        "“{text}” is no amount for a statement: enter one above 0 (decimals: at most {decimals})."
    ),
    "twice": _("Choose each statement once."),
    "already-undone": _("This has already been undone."),
    "already-returned": _("A later transaction took this transfer back: undo that match first."),
    "nothing-chosen": _("Choose at least one statement, or enter how much is kept as credit."),
    "own-credit": _("An organisation has no credit at itself: choose who paid."),
    "no-credit": _("Nothing of it is kept as credit."),
    "credit-used": _("Only {most} {currency} of this credit is left."),
}

# The names of acts in the trail.
ACTS: dict[str, Words] = {
    "bankfile.read": _("Bank file read"),
    "bankfile.take-back": _("Bank file taken back"),
    "bankmapping.save": _("Format of bank files saved"),
    "bankmapping.delete": _("Format of bank files deleted"),
    "banktransaction.match": _("Bank transaction matched"),
    "banktransaction.undo": _("Match of a bank transaction undone"),
    "banktransaction.set-aside": _("Bank transaction set aside"),
    "banktransaction.take-up": _("Bank transaction taken up again"),
    "banktransaction.credit-take-back": _("Credit taken back to its transaction"),
    "bankcredit.change": _("Credit of a payer changed"),
}

# Why a match is proposed, and what speaks for or against it.
REASONS: dict[str, Words] = {
    matching.NUMBER: _("number of the statement"),
    matching.NOTICE: _("payment reported by the payer"),
    matching.AMOUNT: _("amount and payer"),
    matching.SEVERAL: _("sum of several statements"),
    matching.RETURN: _("transfer returned by the bank"),
    matching.PAYOUT: _("credit paid out"),
    "by_hand": _("chosen by hand"),
}
NOTES: dict[str, Words] = {
    matching.PART: _("pays a part only"),
    matching.FEES: _("the difference may be a bank fee"),
    matching.OVERPAID: _("pays more than is due: the rest would be credit"),
    matching.OTHER_PAYER: _("comes from someone other than the payer"),
    matching.UNKNOWN_PAYER: _("the payer is not recognised"),
    matching.NOT_OPEN: _("names a statement on which nothing is due"),
    matching.COMPETING: _("another transaction pays the same"),
    matching.ALTERNATIVES: _("something else fits as well"),
    matching.ROUND: _("a round amount"),
    matching.CUT_OFF: _("the number is cut off, and this one begins so"),
    matching.RANGE: _("names the first and last of a range of numbers"),
    matching.ENTERED: _("a payment was already entered"),
    matching.UNCLEAR: _("the numbers are written unclearly"),
    matching.ORDER_NUMBER: _("names the payer's order number"),
    matching.NO_CODE: _("names another number without a code"),
    matching.SHORT: _("its number is named without code and year"),
    matching.READ_BEFORE: _("a file of another format may have brought it before"),
}
