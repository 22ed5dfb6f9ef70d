"""Start-up of the base app: database settings are checked at the first connection, roles exist after a migration."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.core.checks import Error, Tags, register
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate

from mhds.env import SQLITE_PRAGMAS
from mhds.errors import ConfigurationError
from mhds.roles import Role


def check_sqlite(connection: BaseDatabaseWrapper, **_kwargs: Any) -> None:
    """Refuse a SQLite that would lose commits or let an append-only row be replaced."""
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        for pragma, wanted in SQLITE_PRAGMAS.items():
            found = str(cursor.execute(f"PRAGMA {pragma}").fetchone()[0]).lower()
            # An in-memory database (tests) has no journal file.
            if found != wanted and not (pragma == "journal_mode" and found == "memory"):
                raise ConfigurationError(f"SQLite runs with {pragma}={found}, needed is {wanted}.")
    mode = getattr(connection, "transaction_mode", None)
    if mode != "IMMEDIATE":
        raise ConfigurationError(f"SQLite runs with transaction_mode={mode}, needed is IMMEDIATE.")


def make_roles(**_kwargs: Any) -> None:
    from django.contrib.auth.models import Group  # noqa: PLC0415  models load after apps

    for role in Role:
        Group.objects.get_or_create(name=role.value)


@register(Tags.database)
def check_append_only(**_kwargs: Any) -> list[Error]:
    """Triggers may be dropped by hand: say so at ``manage.py check --database default``."""
    from mhds.triggers import missing_triggers  # noqa: PLC0415  models load after apps

    return [
        Error(f"table {table} accepts UPDATE or DELETE", hint="Run manage.py migrate mhds", id="mhds.E001")
        for table in missing_triggers()
    ]


class MhdsConfig(AppConfig):
    name = "mhds"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        connection_created.connect(check_sqlite, dispatch_uid="mhds.check_sqlite")
        post_migrate.connect(make_roles, sender=self, dispatch_uid="mhds.make_roles")
