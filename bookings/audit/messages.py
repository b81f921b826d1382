"""Texts that explain the audit's rules to readers."""

from django.utils.translation import gettext_lazy as _

from accounts.areas import Sentence, Words, ngettext_lazy

# Numbers behind an exception.
AUDIT_NUMBERS = {
    "minutes": _("minutes"),
    "state": _("state"),
    "rules": _("rules"),
    "why": _("outside the host"),
    "count": _("how many"),
    "people": _("people"),
    "open": _("minutes open"),
    "used": _("minutes used"),
    "day": _("day"),
    "percent": _("percent"),
    "amount": _("amount"),
    "currency": _("currency"),
    "before": _("before"),
    "after": _("after"),
    "was": _("was"),
    "fields": _("fields that differ"),
    "only": _("recorded only in"),
    "days": _("days"),
    "hours": _("hours"),
    "norm": _("norm hours"),
    "least": _("at least"),
    "most": _("at most"),
    "difference": _("difference"),
    "total": _("total"),
    "total_again": _("total, computed again"),
    "payable": _("payable"),
    "payable_again": _("payable, computed again"),
    "covered": _("voucher"),
    "covered_again": _("voucher, computed again"),
    "tax": _("tax"),
    "tax_again": _("tax, computed again"),
}


# The amounts of a charge that are computed again.
CHARGED_LABELS: dict[str, Words] = {
    "total": _("Total"),
    "payable": _("Payable"),
    "covered": _("Voucher"),
    "tax": _("Tax"),
}
# Fields of bookings and charges that are held against the trail.
AUDIT_FIELDS = {
    "person": _("person"),
    "state": _("state"),
    "payer": _("payer"),
    "instrument": _("instrument"),
    "unit": _("unit"),
    "start": _("start"),
    "end": _("end"),
    "reservation": _("booking"),
    "kind": _("kind"),
    "currency": _("currency"),
    "total": _("total"),
    "payable": _("payable"),
    "month": _("month"),
    "charges": _("number of charges"),
    "paid": _("amount paid"),
}


# Why a door refuses, by the code of the answer.
REFUSALS: dict[str, Sentence] = {
    "exception-needs-finding": _("To confirm an exception, raise a finding from it."),
    "monetary-of-charges": _("Only charges can be sampled by amount."),
    "empty-population": _("There is nothing to sample on these days."),
    "bundles-waiting": _("{most} bundles are being written for you. Wait for one of them to finish."),
    "bundle-not-ready": _("The bundle is not ready yet, or is no longer kept."),
    "weight-entered-already": _("A weight is entered for this rule and day already."),
    "exceptions-changed": _("{before} were shown, and now there are {now}. Look at them again, then decide."),
    "too-many-exceptions": _("Between 1 and {most} can be decided at once. Narrow the list further."),
    "finding-unanswered": _(
        "Nobody has answered this finding. From {day} on you can state that no answer was received, and then "
        "close it."
    ),
    "actions-unfinished": ngettext_lazy(
        "{count} action is neither verified nor withdrawn.",
        "{count} actions are neither verified nor withdrawn.",
        "count",
    ),
    "follow-up-ahead": _("Its follow-up is on {day}. Close it then, or change that day."),
    "answer-not-due": _("The answer is not overdue yet: it is due by {day}."),
    "too-many-actions": _("There are too many actions on this finding: at most {most}."),
    "before-due": _("The follow-up cannot come before the day by which to answer."),
    "papers-waiting": _("Wait until one of your files is written: at most {most} are written at a time."),
    "paper-not-ready": _("The file is not ready yet, or is no longer kept."),
    "papers-too-large": _(
        "These papers would hold more than {most} entries of the trail, or too many exceptions or findings. "
        "Choose fewer days."
    ),
    "papers-too-long": _("Working papers cover at most {most} days."),
    "not-begun": _("This year has not begun."),
    "not-sealed": _("This entry is not sealed yet. The next seal, in a few minutes, will include it."),
}

# What the trail calls acts.
ACTS: dict[str, Words] = {
    "exception.find": _("Exception detected"),
    "exception.review": _("Exception under review"),
    "exception.explained": _("Exception explained"),
    "exception.confirmed": _("Exception confirmed"),
    "riskweight.add": _("Weight of an audit rule entered"),
    "auditrun.done": _("Audit rules run"),
    "finding.raise": _("Finding raised"),
    "finding.reply": _("Finding answered"),
    "finding.return": _("Answer to a finding sent back"),
    "finding.close": _("Finding closed"),
    "finding.unanswered": _("No answer to a finding stated"),
    "finding.follow-up": _("Follow-up of a finding set"),
    "finding.attach": _("Files attached to a finding"),
    "action.agree": _("Action agreed"),
    "action.change": _("Owner or due date of an action changed"),
    "action.done": _("Action reported as done"),
    "action.verify": _("Action verified"),
    "action.return": _("Action sent back"),
    "action.withdraw": _("Action withdrawn"),
    "paper.start": _("Auditor's report or working papers requested"),
    "paper.download": _("Auditor's report or working papers downloaded"),
    "sample.draw": _("Sample drawn"),
    "user.bundle": _("Trail bundle exported"),
    "user.seals": _("Newest seal by mail turned on or off"),
}
