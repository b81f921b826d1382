"""Sentences of the refusals of *series*."""

from django.utils.translation import gettext_lazy as _

from accounts.areas import Sentence, Words

REFUSALS: dict[str, Sentence] = {
    "rule-malformed": _("This is not a recurrence rule such as FREQ=WEEKLY;COUNT=10. Not understood: {part}"),
    "rule-unsupported": _(
        "A recurrence rule is daily, weekly or monthly, on given days. Not possible: {part}"
    ),
    "rule-without-end": _("Specify how many times (COUNT) or until when (UNTIL)."),
    "rule-ends-twice": _("Specify either how many times (COUNT) or until when (UNTIL), not both."),
    "rule-empty": _("The rule gives no date on or after the start."),
    "not-of-the-series": _("This booking is not one of the series."),
    "series-over": _("This series has nothing left to change."),
}

# The names of acts in the trail.
ACTS: dict[str, Words] = {
    "series.create": _("Series booked"),
    "series.move": _("Series moved"),
    "series.cancel": _("Series cancelled"),
}
