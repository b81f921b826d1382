from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('bookings', '0059_charges_of_courses_listed'),
    ]

    operations = [
        migrations.AddField(
            model_name='unmetdemand',
            name='code',
            field=models.CharField(blank=True, db_default='', default='', max_length=40),
        ),
    ]
