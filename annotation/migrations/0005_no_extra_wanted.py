from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('annotation', '0004_quality_rounds'),
    ]

    operations = [
        migrations.RemoveField(
            model_name='campaign',
            name='extra_wanted',
        ),
    ]
