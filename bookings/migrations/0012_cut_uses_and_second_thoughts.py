from django.conf import settings
from django.db import migrations, models

# Uses that a closure entered meanwhile has cut short: at once, or from a moment still to come.
CUT = """
UPDATE bookings_usagesession s
SET cut_at = cut.at
FROM (
    SELECT s.id, min(greatest(s.checked_in_at, c.start_at)) AS at
    FROM bookings_usagesession s
    JOIN bookings_reservation r ON r.id = s.reservation_id
    JOIN bookings_closure c ON c.instrument_id = s.instrument_id
        AND (c.units = '{}' OR s.unit = ANY (c.units))
        AND c.start_at < r.end_at
        AND c.created_at >= s.checked_in_at
        AND c.created_at <= coalesce(r.ended_at, 'infinity')
        AND coalesce(c.end_at, 'infinity') > greatest(c.created_at, s.checked_in_at)
    GROUP BY s.id
) cut
WHERE cut.id = s.id
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0009_trail_action"),
        ("bookings", "0011_books_compared"),
        ("instruments", "0009_search_groups"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField("usagesession", "cut_at", models.DateTimeField(null=True)),
        migrations.AddField(
            "reservation", "is_second_thought", models.BooleanField(default=False)
        ),
        migrations.AddField("reservation", "second_thought_on", models.DateField(null=True)),
        migrations.AddConstraint(
            "reservation",
            models.UniqueConstraint(
                condition=models.Q(("second_thought_on__isnull", False)),
                fields=("user", "instrument", "second_thought_on"),
                name="reservation_second_thought",
            ),
        ),
        migrations.RunSQL(CUT, migrations.RunSQL.noop),
    ]
