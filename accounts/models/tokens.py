"""Tokens of the API, and service accounts, whose tokens are no person's."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.domain import roles
from accounts.domain.roles import Places
from accounts.models.keys import new_id
from accounts.models.organisations import Organisation
from accounts.models.users import User


class ApiToken(models.Model):
    """A token a program signs in with. Only its SHA-256 digest is kept."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="api_tokens")
    label = models.CharField(max_length=60)
    digest = models.BinaryField(max_length=32, unique=True)
    scopes = ArrayField(models.CharField(max_length=10))
    # Whether a second factor was shown to make it; one made by the password alone opens nothing
    # of a role that asks for one, whenever that was given.
    with_second_factor = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)  # null: of a service account, until it is revoked
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)

    @property
    def version(self) -> int:
        """Return the version: 2 once the token is revoked. Using it does not count as a change."""
        return 1 if self.revoked_at is None else 2


class ServiceAccount(models.Model):
    """The account that programs of an organisation act as, whoever works there. Its `user` is no person: it
    stands in the trail, and never signs in. Its roles stand here, not among those of people, and reach the
    organisation alone."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.OneToOneField(
        User, models.PROTECT, related_name="service_account", db_constraint=False, editable=False
    )
    organisation = models.ForeignKey(
        Organisation, models.PROTECT, related_name="service_accounts", db_constraint=False
    )
    purpose = models.CharField(max_length=200)
    roles = ArrayField(models.CharField(max_length=20), default=list)
    scopes = ArrayField(models.CharField(max_length=10))  # no token of it can do more
    created_by = models.ForeignKey(
        User, models.DO_NOTHING, null=True, related_name="+", db_constraint=False, db_index=False
    )
    created_at = models.DateTimeField()
    # When somebody last said that it is needed, and since when they are asked again.
    looked_at = models.DateTimeField()
    asked_at = models.DateTimeField(null=True)
    stopped_at = models.DateTimeField(null=True)  # nobody answered: nothing opens with it until somebody does
    ended_at = models.DateTimeField(null=True)  # for good
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("service account")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(roles__contained_by=sorted(roles.SERVICE_ROLES)),
                name="serviceaccount_roles",
            )
        ]

    def __str__(self) -> str:
        return str(self.user)

    @property
    def state(self) -> str:
        """Return what holds now: `ended`, `stopped`, `asked` (whether it is needed) or `active`."""
        if self.ended_at is not None:
            return "ended"
        if self.stopped_at is not None:
            return "stopped"
        return "active" if self.asked_at is None else "asked"

    @property
    def is_open(self) -> bool:
        """Return whether its tokens open anything."""
        return self.ended_at is None and self.stopped_at is None

    def places(self) -> Places:
        return self.organisation.places()
