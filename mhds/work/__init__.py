"""Work rows: lease, fenced attempt, idempotency key. The database is the truth; Celery only rings the bell."""
