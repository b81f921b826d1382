from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('bookings', '0060_refused_code'),
    ]

    operations = [
        migrations.AlterField(
            model_name='hoursexport',
            name='format',
            field=models.CharField(choices=[('csv', 'CSV'), ('xlsx', 'XLSX'), ('pdf', 'PDF'), ('docx', 'DOCX')], max_length=4),
        ),
    ]
