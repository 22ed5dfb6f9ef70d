"""SQL that makes a table append-only in the database itself. Owns the triggers' text; used by migrations and checks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import apps
from django.db import connection
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import RunPython

from mhds.models import AppendOnly

SQLITE = """
CREATE TRIGGER IF NOT EXISTS {table}_no_{verb} BEFORE {verb} ON {table}
BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END;
"""
POSTGRES_FUNCTION = """
CREATE OR REPLACE FUNCTION mhds_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END $$;
"""
POSTGRES = """
CREATE OR REPLACE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}
FOR EACH ROW EXECUTE FUNCTION mhds_append_only();
CREATE OR REPLACE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION mhds_append_only();
"""


def statements(vendor: str, table: str) -> list[str]:
    """The statements that make ``table`` refuse UPDATE, DELETE (and so REPLACE) and TRUNCATE."""
    if vendor == "sqlite":
        return [SQLITE.format(table=table, verb=verb) for verb in ("update", "delete")]
    return [POSTGRES_FUNCTION, POSTGRES.format(table=table)]


def append_only(tables: Sequence[str]) -> RunPython:
    """A migration operation that installs the triggers on ``tables`` for the database in use."""

    def install(_apps: Any, editor: BaseDatabaseSchemaEditor) -> None:
        for table in tables:
            for statement in statements(editor.connection.vendor, table):
                editor.execute(statement, None)  # no parameters: psycopg would read the % of RAISE as one

    return RunPython(install, RunPython.noop)


def missing_triggers() -> list[str]:
    """Tables of append-only models whose triggers are not there. An empty list is the only good answer."""
    with connection.cursor() as cursor:
        existing = set(connection.introspection.table_names(cursor))
        cursor.execute(
            "SELECT tbl_name, count(*) FROM sqlite_master WHERE type = 'trigger' GROUP BY tbl_name"
            if connection.vendor == "sqlite"
            else "SELECT c.relname, count(*) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
            "WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' GROUP BY c.relname"
        )
        counts = dict(cursor.fetchall())
    tables = {model._meta.db_table for model in apps.get_models() if issubclass(model, AppendOnly)}
    return sorted(table for table in tables & existing if counts.get(table, 0) < 2)
