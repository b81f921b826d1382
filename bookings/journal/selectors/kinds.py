"""The words of entries, by the kind of charge or money that they come from."""

from django.utils.translation import pgettext_lazy

from accounts.areas import Words

KIND_LABELS: dict[str, Words] = {
    "use": pgettext_lazy("journal", "Use"),
    "cancellation": pgettext_lazy("journal", "Cancellation fee"),
    "no_show": pgettext_lazy("journal", "Not used"),
    "reversal": pgettext_lazy("journal", "Reversal"),
    "melting": pgettext_lazy("journal", "Fee reduction on rebooking"),
    "training": pgettext_lazy("journal", "Course attended"),
    "charge": pgettext_lazy("journal", "Charge"),
    "payment": pgettext_lazy("journal", "Payment"),
    "credit": pgettext_lazy("journal", "Payer's credit"),
}
