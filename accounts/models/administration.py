"""Rows of what administrators do with a person's account and is not over at once."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models.keys import new_id
from accounts.models.users import User


class FactorReset(models.Model):
    """A request of an administrator to reset a person's second factor. Another administrator confirms it
    within a day."""

    class State(models.TextChoices):
        REQUESTED = "requested", _("requested")
        CONFIRMED = "confirmed", _("confirmed")
        WITHDRAWN = "withdrawn", _("withdrawn")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="factor_resets", db_constraint=False)
    asked_by = models.ForeignKey(
        User, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    decided_by = models.ForeignKey(
        User, models.DO_NOTHING, null=True, related_name="+", db_constraint=False, db_index=False
    )
    reason = models.CharField(max_length=500)
    state = models.CharField(max_length=10, choices=State, default=State.REQUESTED)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("reset of a second factor")
        constraints = [
            models.UniqueConstraint(
                fields=["user"], condition=Q(state="requested"), name="factorreset_one_open"
            )
        ]

    def __str__(self) -> str:
        return str(self.user_id)


class AddressChange(models.Model):
    """A change of a person's mail address that an administrator asks for. It takes effect when the link sent
    to the new address is opened within a day; the old address can stop it, or undo it for a week."""

    class State(models.TextChoices):
        REQUESTED = "requested", _("requested")
        TAKEN = "taken", _("in effect")
        WITHDRAWN = "withdrawn", _("withdrawn")
        STOPPED = "stopped", _("stopped by the old address")
        UNDONE = "undone", _("undone by the old address")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="address_changes", db_constraint=False)
    asked_by = models.ForeignKey(
        User, models.DO_NOTHING, null=True, related_name="+", db_constraint=False, db_index=False
    )
    old = models.EmailField(max_length=254)
    new = models.EmailField(max_length=254)
    reason = models.CharField(max_length=500)
    state = models.CharField(max_length=10, choices=State, default=State.REQUESTED)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("change of a mail address")
        constraints = [
            models.UniqueConstraint(
                fields=["user"], condition=Q(state="requested"), name="addresschange_one_open"
            )
        ]

    def __str__(self) -> str:
        return str(self.user_id)


class Viewing(models.Model):
    """An hour at most in which an administrator sees pages as somebody else does, and changes nothing."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    viewer = models.ForeignKey(User, models.CASCADE, related_name="+", db_constraint=False, db_index=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="viewings", db_constraint=False)
    reason = models.CharField(max_length=500)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("looking as somebody")

    def __str__(self) -> str:
        return str(self.user_id)
