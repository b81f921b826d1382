"""Names of the acts of *house_rules*."""

from django.utils.translation import gettext_lazy as _

from accounts.areas import Words

# What the trail calls acts.
ACTS: dict[str, Words] = {
    "houserules.set": _("House rules set"),
    "houserules.accept": _("House rules accepted"),
    "houserules.record": _("Acceptance of house rules recorded"),
}
