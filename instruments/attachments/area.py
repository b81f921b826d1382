"""The manifest of *attachments*."""

from accounts.areas import FOR_HOST, Area
from instruments.attachments.messages import ACTS, REFUSALS
from instruments.attachments.models import Attachment

AREA = Area(
    "instruments.attachments",
    refusals=REFUSALS,
    acts=ACTS,
    official={"instruments.Attachment.added_by": FOR_HOST},
    files=(Attachment.objects.values_list("pk", "kind"),),
)  # fmt: skip
