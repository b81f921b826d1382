from django.db import migrations, models

# Who had a second factor was asked for it to make a token.
KNOWN = """
UPDATE accounts_apitoken SET with_second_factor = true
WHERE EXISTS (
    SELECT 1 FROM mfa_authenticator
    WHERE mfa_authenticator.user_id = accounts_apitoken.user_id
    AND mfa_authenticator.type IN ('totp', 'webauthn')
    AND mfa_authenticator.created_at <= accounts_apitoken.created_at
)
"""


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0007_messages'),
        ("mfa", "0003_authenticator_type_uniq"),
    ]

    operations = [
        migrations.AddField(
            model_name="apitoken",
            name="with_second_factor",
            field=models.BooleanField(default=False),
        ),
        migrations.RunSQL(KNOWN, migrations.RunSQL.noop),
    ]
