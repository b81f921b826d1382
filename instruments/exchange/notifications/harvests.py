"""Messages about harvests that were paused after repeated failures."""

from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.letters.kinds import Content, Kind, row_of, table
from accounts.models import OutboxMessage
from accounts.selectors.memberships import managers_or_administrators
from instruments.exchange.models import Fetching, Harvest


def _paused(fetching: Fetching, row: OutboxMessage, now: datetime) -> Content:
    harvest = fetching.harvest
    return Content(
        harvest.pk,
        reverse("instruments:harvest", args=[harvest.pk]),
        {"harvest": harvest.name},
        {"harvest": harvest, "at": fetching.at, "problem": fetching.problem},
    )


_PAUSED = Fetching.objects.filter(harvest__state=Harvest.State.PAUSED)
KINDS = table(
    Kind(
        "harvest.paused",
        _("Paused: {harvest}"),
        topic="connection",
        load=row_of(_PAUSED.select_related("harvest__organisation"), "fetching"),
        readers=lambda fetching: managers_or_administrators(fetching.harvest.organisation_id),
        content=_paused,
        template="instruments/mail/harvest",
    )
)
