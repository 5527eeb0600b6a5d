import django.db.models.deletion
import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('annotation', '0003_campaign_order_and_invitations'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='campaign',
            name='extra_wanted',
            field=models.IntegerField(default=0),
        ),
        migrations.AddField(
            model_name='campaign',
            name='has_participants',
            field=models.BooleanField(default=False),
        ),
        # Without a default: no gold answer can have been given before.
        migrations.AddField(
            model_name='goldanswer',
            name='campaign',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='gold', to='annotation.campaign'),
        ),
        migrations.AddField(
            model_name='participant',
            name='qualification',
            field=models.JSONField(default=dict),
        ),
        migrations.AddField(
            model_name='task',
            name='returned_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddIndex(
            model_name='assignment',
            index=models.Index(condition=models.Q(('purpose', 'work'), _negated=True), fields=['campaign', 'annotator'], name='looks_beside_work'),
        ),
        migrations.AddIndex(
            model_name='goldanswer',
            index=models.Index(fields=['campaign', 'phase'], name='gold_of_a_campaign'),
        ),
        migrations.AddIndex(
            model_name='task',
            index=models.Index(condition=models.Q(('cap__gt', django.db.models.expressions.CombinedExpression(models.F('slots_a_first'), '+', models.F('slots_b_first'))), ('returned_at__isnull', False)), fields=['campaign', 'returned_at', 'id'], name='tasks_that_came_back'),
        ),
        migrations.CreateModel(
            name='Passed',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('rank', models.BigIntegerField()),
                ('task', models.BigIntegerField()),
                ('at', models.DateTimeField()),
                ('annotator', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('campaign', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='annotation.campaign')),
            ],
            options={
                'constraints': [models.UniqueConstraint(models.F('campaign'), models.F('annotator'), name='one_mark_per_person')],
            },
        ),
    ]
