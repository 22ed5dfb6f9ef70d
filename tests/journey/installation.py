"""An installation for the journey, filled by ``python -m tests.journey.installation KIND`` and served with a worker.

``demo``: marked as a demo, on the embedded default. ``clinic``: accounts of its own, to be run on production settings.
Both hold people, a catalog and a source in which something is broken; nothing is built yet.
"""

from __future__ import annotations

import os
import sys

import django

PASSWORD = "try-every-role-here"
DOMAIN = {"demo": "demo.example.org", "clinic": "clinic.example.org"}
SECOND_LEAD = "lead2"


def main(kind: str) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mhds.settings")
    django.setup()
    # Models load after set-up.
    from django.conf import settings  # noqa: PLC0415
    from django.core.management import call_command  # noqa: PLC0415

    from mhds.models import User  # noqa: PLC0415
    from mhds.storage import open_store  # noqa: PLC0415
    from releases import services  # noqa: PLC0415
    from tests.journey import source  # noqa: PLC0415

    call_command("migrate", verbosity=0, interactive=False)
    if not settings.EMBEDDED:
        call_command("collectstatic", verbosity=0, interactive=False)
    {"demo": _demo_people, "clinic": _own_people}[kind]()
    engineer = User.objects.get(email=f"engineer@{DOMAIN[kind]}")
    services.import_catalog(source.catalog(), actor=engineer)
    store = open_store(settings.MHDS_SOURCE_URL)
    for key, body in source.objects():
        store.put_if_absent(key, body)


def _demo_people() -> None:
    from mhds.demo import accounts, setup  # noqa: PLC0415

    setup.write_info(demo=True, accounts=accounts.account_list())
    accounts.make_accounts()


def _own_people() -> None:
    """The same people with addresses of their own, not marked as a demo, and a second lead who publishes."""
    from django.contrib.auth.models import Group  # noqa: PLC0415

    from mhds.demo.accounts import PEOPLE, Person  # noqa: PLC0415
    from mhds.models import User  # noqa: PLC0415
    from mhds.roles import Role  # noqa: PLC0415

    for one in (*PEOPLE, Person(SECOND_LEAD, "Second lead", Role.LEAD)):
        user = User.objects.create_user(
            f"{one.handle}@{DOMAIN['clinic']}",
            PASSWORD,
            name=one.name.replace(" (demo)", ""),
            languages=list(one.languages),
            licence=one.licence.replace("demo ", ""),
            years_experience=one.years,
            training_experience=one.trains,
            crisis_training=one.crisis,
        )
        user.groups.add(Group.objects.get(name=one.role))


if __name__ == "__main__":
    main(sys.argv[1])
