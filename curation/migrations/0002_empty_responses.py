# The field `empty_side` asks for the few empty responses of a table of long texts.

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [("curation", "0001_initial"), ("corpus", "0001_initial")]

    operations = [
        migrations.RunSQL(
            r"CREATE INDEX empty_responses ON corpus_response (id) WHERE content ~ '^\s*$'",
            "DROP INDEX empty_responses",
        )
    ]
