from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0009_trail_action'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='invitation',
            name='invitation_email',
        ),
        migrations.AddIndex(
            model_name='invitation',
            index=models.Index(fields=['email', 'created_at'], name='invitation_email'),
        ),
    ]
