"""The database itself refuses to change or delete draws, scores, verdicts and signatures."""

from django.db import migrations

from mhds.triggers import append_only

TABLES = ("draw", "score", "evaluation", "signature", "signaturewithdrawal")


class Migration(migrations.Migration):
    dependencies = [("reviews", "0001_initial")]
    operations = [append_only([f"reviews_{table}" for table in TABLES])]
