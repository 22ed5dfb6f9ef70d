"""The database itself refuses to change or delete what was written once."""

from django.db import migrations

from mhds.triggers import append_only


class Migration(migrations.Migration):
    dependencies = [("releases", "0001_initial")]
    operations = [append_only("releases_sourcedecision,releases_exclusiondecision,releases_contribution,releases_candidateevent".split(","))]
