"""The table of people and organisations from whom a host takes no bookings for a time."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.domain.roles import Places
from accounts.models import Organisation, User
from accounts.models.keys import new_id
from instruments.register.models.facilities import Facility


class HostBlock(models.Model):
    """A block: until the end of `last_day` (in the host's region) a host takes no new bookings of a person,
    or at the cost of an organisation, on all its instruments or on those of one facility. `contact` is the
    mail address for objections."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    host = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    facility = models.ForeignKey(Facility, models.PROTECT, null=True, related_name="+")
    user = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    organisation = models.ForeignKey(Organisation, models.PROTECT, null=True, related_name="+")
    reason = models.CharField(max_length=500)
    contact = models.EmailField(max_length=254)
    last_day = models.DateField()
    made_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    lifted_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    lifted_at = models.DateTimeField(null=True)
    lift_reason = models.CharField(max_length=500, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("block")
        constraints = [
            models.CheckConstraint(
                condition=Q(user=None, organisation__isnull=False) | Q(user__isnull=False, organisation=None),
                name="hostblock_of_one",
            )
        ]

    @property
    def whom(self) -> User | Organisation:
        """Return the person or the organisation that is blocked."""
        found: User | Organisation | None = self.user or self.organisation
        assert found is not None  # as the constraint says
        return found

    def places(self) -> Places:
        return self.host.places()
