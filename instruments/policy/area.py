"""The manifest of *policy*."""

from django.utils.translation import gettext_lazy as _

from accounts.areas import FOR_HOST, Area
from instruments.policy.messages import ACTS, REFUSALS

AREA = Area(
    "instruments.policy",
    refusals=REFUSALS,
    acts=ACTS,
    act_groups={"policy": _("booking policy")},
    official={"instruments.PolicyVersion.made_by": FOR_HOST},
)  # fmt: skip
