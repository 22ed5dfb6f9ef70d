"""The database itself refuses to change or delete what was written once."""

from django.db import migrations

from mhds.triggers import append_only


class Migration(migrations.Migration):
    dependencies = [("mhds", "0001_initial")]
    operations = [append_only("mhds_auditevent".split(","))]
