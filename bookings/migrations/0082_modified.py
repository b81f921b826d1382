from django.db import migrations, models
from django.db.models.functions import Now

from accounts.models.steps import Stepwise

# Who writes holds a lock that names the second in which its transaction began, so that readers know before
# which moment nothing can appear any more. The lock comes first: who does not find it reads the clock before.
FUNCTION = """
CREATE FUNCTION copied_modified() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(
        7310847, floor(extract(epoch FROM transaction_timestamp()) - 946684800)::int
    );
    NEW.modified := clock_timestamp();
    RETURN NEW;
END $$;
"""
TRIGGER = """
CREATE TRIGGER {0}_modified BEFORE INSERT OR UPDATE ON bookings_{0}
    FOR EACH ROW EXECUTE FUNCTION copied_modified();
"""


class Migration(Stepwise):
    """When bookings, charges and statements were changed last; those of before at the moment of this step."""

    # Squawk's rules that it breaks, and why it may.
    safe = {"adding-field-with-default": "its clock is read once, for all rows that are there: no rewrite"}

    dependencies = [("bookings", "0081_references")]

    operations = [
        migrations.RunSQL(FUNCTION, "DROP FUNCTION copied_modified()"),
        *(
            operation
            for model in ("reservation", "charge", "statement")
            for operation in (
                migrations.AddField(
                    model_name=model,
                    name="modified",
                    field=models.DateTimeField(db_default=Now(), default=None, editable=False, null=True),
                ),
                migrations.RunSQL(
                    TRIGGER.format(model), f"DROP TRIGGER {model}_modified ON bookings_{model}"
                ),
            )
        ),
    ]
