"""The database itself refuses to change or delete a verdict or an explanation."""

from django.db import migrations

from mhds.triggers import append_only


class Migration(migrations.Migration):
    dependencies = [("gates", "0001_initial")]
    operations = [append_only(["gates_gateresult", "gates_explanation"])]
