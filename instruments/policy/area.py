"""The manifest of *policy*."""

from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from accounts.areas import FOR_HOST, KEPT, Area, Merges, Personal, Record, Told
from accounts.selectors.names import person, text
from instruments.policy.domain.blocks import DAY
from instruments.policy.messages import ACTS, REFUSALS
from instruments.register.models import HostBlock

AREA = Area(
    "instruments.policy",
    refusals=REFUSALS,
    acts=ACTS,
    act_groups={"policy": _("booking policy")},
    records=(Record(
            HostBlock,
            Coalesce(text("organisation__name"), person("user__")),
            Coalesce(text("organisation__name_zh"), person("user__")),
            acts="block",
        ),),
    personal=(
        Personal(
            "blocks", HostBlock, {"user": KEPT},
            "id reason contact last_day made_at lifted_at lift_reason host=host__code",
            order="made_at",
        ),
    ),
    official={
        "instruments.PolicyVersion.made_by": FOR_HOST,
        "instruments.HostBlock.made_by": FOR_HOST,
        "instruments.HostBlock.lifted_by": FOR_HOST,
    },
    told=(Told("block.", "block", HostBlock, "user"),),
    merges=(
        Merges(
            "blocks", HostBlock, 115, _("Blocks"), is_handed_over=False,
            rows=lambda host, now: HostBlock.objects.filter(host=host),
        ),
        # They do not bind the other organisation, whose people did nothing; the hosts are named, to be told.
        Merges(
            "blocks_of_it", HostBlock, 116, _("Blocks by other hosts, which lapse"),
            rows=lambda payer, now: HostBlock.objects.filter(
                organisation=payer, lifted_at=None, last_day__gte=now.date() - DAY
            ),
            names="host__name", is_handed_over=False,
        ),
    ),
)  # fmt: skip
