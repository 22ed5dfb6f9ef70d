"""The audit log is a chain that shows every change, and the database itself refuses to make one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from mhds import audit
from mhds.models import AppendOnly, AuditEvent
from mhds.triggers import missing_triggers
from tests.factories import person

pytestmark = [pytest.mark.audit, pytest.mark.django_db]

TABLES = sorted(model._meta.db_table for model in apps.get_models() if issubclass(model, AppendOnly))
AUDIT = AuditEvent._meta.db_table


@pytest.fixture
def log():
    someone = person("someone")
    return [audit.record(someone if number % 2 else None, f"act.{number}", "thing:1", n=number) for number in range(5)]


def without_triggers(sql, params=()):
    """Change the table behind the database's back, as somebody who may drop triggers would."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            for verb in ("update", "delete"):
                cursor.execute(f"DROP TRIGGER {AUDIT}_no_{verb}")
        else:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # no ALTER TABLE while any is waiting
            cursor.execute(f"ALTER TABLE {AUDIT} DISABLE TRIGGER USER")
        cursor.execute(sql, params)


def test_the_chain_holds_and_starts_at_one(log):
    assert [event.seq for event in log] == list(range(log[0].seq, log[0].seq + 5))
    assert AuditEvent.objects.order_by("seq").first().prev_hash == audit.GENESIS
    assert list(audit.broken_links()) == []


OTHER_VALUES = {
    "seq": 99, "at": timezone.now() - timedelta(days=1), "actor_id": None, "actor_name": "somebody else",
    "action": "act.other", "subject": "thing:2", "data": '{"n": 99}', "prev_hash": "f" * 64, "hash": "f" * 64,
}  # fmt: skip


@pytest.mark.parametrize(("column", "value"), OTHER_VALUES.items())
def test_a_change_of_any_column_is_found(log, column, value):
    changed = log[1]
    if column == "at":
        value = value if connection.vendor == "postgresql" else value.replace(tzinfo=None).isoformat(" ")
    without_triggers(f"UPDATE {AUDIT} SET {column} = %s WHERE seq = %s", [value, changed.seq])
    broken = dict(audit.broken_links())
    assert (99 if column == "seq" else changed.seq) in broken


def test_every_column_has_a_case_above():
    assert set(OTHER_VALUES) == {field.column for field in AuditEvent._meta.concrete_fields}


def test_a_removed_event_is_found(log):
    without_triggers(f"DELETE FROM {AUDIT} WHERE seq = %s", [log[2].seq])
    assert log[3].seq in dict(audit.broken_links())


def test_an_event_is_undone_with_the_act_that_it_records():
    before = AuditEvent.objects.count()

    def act():
        with transaction.atomic():
            audit.record(None, "act", "thing:1")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        act()
    assert AuditEvent.objects.count() == before


def test_an_event_cannot_be_saved_again_or_deleted_through_the_model(log):
    with pytest.raises(TypeError, match="never changed"):
        log[0].save()
    with pytest.raises(TypeError, match="never deleted"):
        log[0].delete()


@pytest.mark.parametrize("change", ["update", "delete"])
def test_a_queryset_cannot_change_an_event_either(log, change):
    mine = AuditEvent.objects.filter(pk=log[0].pk)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        mine.update(actor_name="x") if change == "update" else mine._raw_delete(mine.db)
    assert list(audit.broken_links()) == []


def test_a_row_cannot_be_replaced_by_an_insert(log):
    columns = ", ".join(field.column for field in AuditEvent._meta.concrete_fields)
    replace = (
        f"INSERT OR REPLACE INTO {AUDIT} SELECT * FROM {AUDIT} WHERE seq = {log[0].seq}"
        if connection.vendor == "sqlite"
        else f"INSERT INTO {AUDIT} ({columns}) SELECT {columns} FROM {AUDIT} WHERE seq = {log[0].seq} "
        "ON CONFLICT (seq) DO UPDATE SET actor_name = 'x'"
    )
    with connection.cursor() as cursor, pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        cursor.execute(replace)


@pytest.mark.parametrize("table", TABLES)
def test_no_append_only_table_lacks_its_triggers(table):
    assert table not in missing_triggers()
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s", [table])
            written = " ".join(row[0] for row in cursor.fetchall()).upper()
            assert "BEFORE UPDATE" in written
            assert "BEFORE DELETE" in written
        else:
            # 16 update, 8 delete, 32 truncate
            cursor.execute(
                "SELECT bit_or(tgtype::int) & 56 FROM pg_trigger WHERE tgrelid = %s::regclass AND tgenabled = 'O'",
                [table],
            )
            assert cursor.fetchone()[0] == 56


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="PostgreSQL only; SQLite has no TRUNCATE")
@pytest.mark.parametrize("table", TABLES)
def test_no_append_only_table_can_be_truncated(table):
    with connection.cursor() as cursor, pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        cursor.execute(f"TRUNCATE {table} CASCADE")


def test_dropped_triggers_are_reported(log):
    without_triggers(f"UPDATE {AUDIT} SET subject = subject WHERE seq = -1")
    assert AUDIT in missing_triggers()
