import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q
from django.db.models.functions import Now

import accounts.models.keys
from accounts.models.steps import Stepwise

# The function is that of 0082.
TRIGGER = """
CREATE TRIGGER {0}_modified BEFORE INSERT OR UPDATE ON bookings_{0}
    FOR EACH ROW EXECUTE FUNCTION copied_modified();
"""


def followed(model):
    """Return the operation that makes the trigger of a table."""
    return migrations.RunSQL(TRIGGER.format(model), f"DROP TRIGGER {model}_modified ON bookings_{model}")


class Migration(Stepwise):
    """When settlements, samples, needs, enquiries and results were changed last; those of before at the
    moment of this step. Notes of what is gone from lists. Settlements are too few for an index."""

    # Squawk's rules that it breaks, and why it may.
    safe = {"adding-field-with-default": "its clock is read once, for all rows that are there: no rewrite"}

    dependencies = [("bookings", "0083_modified_indexes"), ("instruments", "0033_booking_questions")]

    operations = [
        *(
            operation
            for model in ("settlement", "sampleitem", "need", "enquiry", "handoff")
            for operation in (
                migrations.AddField(
                    model_name=model,
                    name="modified",
                    field=models.DateTimeField(db_default=Now(), default=None, editable=False, null=True),
                ),
                followed(model),
            )
        ),
        migrations.CreateModel(
            name="Deletion",
            fields=[
                (
                    "modified",
                    models.DateTimeField(db_default=Now(), default=None, editable=False, null=True),
                ),
                (
                    "id",
                    models.UUIDField(
                        default=accounts.models.keys.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("kind", models.CharField(choices=[("need", "need"), ("sample", "sample item")], max_length=10)),
                ("about", models.UUIDField()),
                ("person", models.UUIDField(null=True)),
                ("payer", models.UUIDField(null=True)),
                ("host", models.UUIDField(null=True)),
                (
                    "instrument",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="instruments.instrument",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=Q(kind__in=["need", "sample"]), name="deletion_kind"),
                    models.CheckConstraint(
                        condition=Q(person__isnull=False)
                        | Q(payer__isnull=False)
                        | Q(host__isnull=False, instrument__isnull=False),
                        name="deletion_readers",
                    ),
                ],
                "indexes": [models.Index(fields=["modified", "id"], name="deletion_modified")],
            },
        ),
        followed("deletion"),
    ]
