"""The manifest of *opening*."""

from django.utils.translation import gettext_lazy as _

from accounts.areas import Area
from instruments.opening.messages import ACTS, REFUSALS

AREA = Area(
    "instruments.opening",
    refusals=REFUSALS,
    acts=ACTS,
    act_groups={"opening": _("opening hours")},
)  # fmt: skip
