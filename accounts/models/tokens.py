"""Personal API tokens."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from accounts.models.keys import new_id
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
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)

    @property
    def version(self) -> int:
        """Return the version: 2 once the token is revoked. Using it does not count as a change."""
        return 1 if self.revoked_at is None else 2
