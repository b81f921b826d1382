"""What a finished, cancelled or missed reservation costs, frozen with its inputs."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.keys import new_id
from bookings.models.reservations import Reservation


class Charge(models.Model):
    """Never edited. `inputs` replay to `result`, to the cent."""

    class Kind(models.TextChoices):
        USE = "use", _("use")
        CANCELLATION = "cancellation", _("cancellation")
        NO_SHOW = "no_show", _("not used")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    reservation = models.OneToOneField(Reservation, models.PROTECT, related_name="charge")
    kind = models.CharField(max_length=12, choices=Kind)
    inputs = models.JSONField()
    result = models.JSONField()
    currency = models.CharField(max_length=3)
    total = models.DecimalField(max_digits=16, decimal_places=2)
    payable = models.DecimalField(max_digits=16, decimal_places=2)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("charge")
