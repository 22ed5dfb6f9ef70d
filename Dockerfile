# One image for every process of the product; what a container does is its command (docker-compose.yml).
FROM python:3.11.11-slim-bookworm

ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 HOME=/tmp \
    DJANGO_SETTINGS_MODULE=mhds.settings \
    MHDS_DATA_DIR=/var/lib/mhds \
    MHDS_STATIC_DIR=/srv/mhds-static

WORKDIR /srv/mhds
COPY requirements.lock ./
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.lock

COPY manage.py pyproject.toml README.md LICENSE ./
COPY mhds mhds
COPY releases releases
COPY gates gates
COPY reviews reviews
COPY templates templates
COPY static static

# The user of all processes; its data directory is where the volume is mounted, and takes its owner from here.
RUN useradd --system --uid 10001 --home-dir /tmp --no-create-home --shell /usr/sbin/nologin mhds \
 && install -d -m 0700 -o mhds -g mhds /var/lib/mhds

# The names with their hashes exist in production's settings only, so they are asked for once, with a throwaway secret.
RUN MHDS_DATA_DIR=/tmp/collect DATABASE_URL=postgresql://none/none CELERY_BROKER_URL=redis://none/0 ALLOWED_HOSTS=none \
    SECRET_KEY="$(python -c 'import secrets; print(secrets.token_hex(32))')" MHDS_PEPPER=collecting-needs-none \
    MHDS_SIGNING_KEY=none MHDS_SOURCE_URL=file:///none MHDS_BUCKET_URL=file:///none \
    python manage.py collectstatic --noinput --verbosity 0 \
 && rm -rf /tmp/collect

USER mhds
