"""Whose links and receipts were before it was noted: a manager of the host at that time, who was not
the booking's person, delivers nothing to themselves."""

from django.db import migrations

# Whether a person managed the host of a hand-off, or what absorbed it, at a moment.
MANAGED = """EXISTS (
    SELECT 1 FROM accounts_rolegrant g JOIN accounts_organisation o ON o.id = g.organisation_id
    WHERE g.user_id = {person} AND g.role = 'manager'
      AND (o.id = h.host_id OR h.host_id = ANY(o.absorbed))
      AND g.granted_at <= {at} AND (g.revoked_at IS NULL OR g.revoked_at > {at}))"""

LINKS = f"""
UPDATE bookings_collectlink l SET is_of_host = c.of_host, is_delivery = c.is_person OR NOT c.of_host
FROM (
    SELECT l.id, l.created_by_id = r.user_id AS is_person,
           {MANAGED.format(person="l.created_by_id", at="l.created_at")} AS of_host
    FROM bookings_collectlink l JOIN bookings_handoff h ON h.id = l.hand_off_id
    JOIN bookings_reservation r ON r.id = h.reservation_id
) c WHERE c.id = l.id
"""
RECEIPTS = f"""
UPDATE bookings_receipt t SET is_of_host = c.of_host, is_delivery = t.is_delivery AND c.is_delivery
FROM (
    SELECT t.id,
           CASE WHEN l.id IS NULL THEN {MANAGED.format(person="t.user_id", at="t.started_at")}
                ELSE l.is_of_host END AS of_host,
           CASE WHEN l.id IS NULL THEN t.user_id = r.user_id OR NOT
                     {MANAGED.format(person="t.user_id", at="t.started_at")}
                ELSE l.is_delivery END AS is_delivery
    FROM bookings_receipt t JOIN bookings_handoff h ON h.id = t.hand_off_id
    JOIN bookings_reservation r ON r.id = h.reservation_id
    LEFT JOIN bookings_collectlink l ON l.id = t.link_id
) c WHERE c.id = t.id
"""


class Migration(migrations.Migration):
    dependencies = [("bookings", "0041_links_of_hosts")]

    operations = [
        migrations.RunSQL(LINKS, migrations.RunSQL.noop),
        migrations.RunSQL(RECEIPTS, migrations.RunSQL.noop),
    ]
