"""The demo's people: invented, marked as demo, one password for all. Never made outside a demo installation."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.contrib.auth.models import Group
from django.db import transaction

from mhds import audit
from mhds.models import User
from mhds.roles import Role

PASSWORD = "try-every-role-here"


@dataclass(frozen=True, slots=True)
class Person:
    handle: str
    name: str
    role: Role
    languages: tuple[str, ...] = ("en", "zh")
    licence: str = ""
    years: int = 0
    trains: bool = False
    crisis: bool = False

    @property
    def email(self) -> str:
        return f"{self.handle}@demo.example.org"


def _clinician(number: int, *, crisis: bool) -> Person:
    return Person(
        f"clinician{number}",
        f"Clinician {number} (demo)",
        Role.CLINICIAN,
        licence=f"demo licence {number}",
        years=6 + number,
        trains=True,
        crisis=crisis,
    )


PEOPLE = (
    Person("engineer", "Dataset engineer (demo)", Role.ENGINEER),
    _clinician(1, crisis=True),
    _clinician(2, crisis=True),
    _clinician(3, crisis=True),
    Person("bias1", "Bias reviewer 1 (demo)", Role.BIAS, years=4, trains=True),
    Person("bias2", "Bias reviewer 2 (demo)", Role.BIAS, years=5, trains=True),
    Person("lead", "Release lead (demo)", Role.LEAD),
    Person("compliance1", "Compliance 1 (demo)", Role.COMPLIANCE),
    Person("compliance2", "Compliance 2 (demo)", Role.COMPLIANCE),
    Person("admin", "Administrator (demo)", Role.ADMIN),
)


@dataclass
class Accounts:
    """The people as rows, by handle."""

    by_handle: dict[str, User] = field(default_factory=dict)

    def __getitem__(self, handle: str) -> User:
        return self.by_handle[handle]


@transaction.atomic
def make_accounts() -> Accounts:
    """The accounts, made where they are not there yet; existing ones keep their password."""
    made = Accounts()
    for person in PEOPLE:
        user = User.objects.filter(email=person.email).first()
        if user is None:
            user = User.objects.create_user(
                person.email,
                PASSWORD,
                name=person.name,
                languages=list(person.languages),
                licence=person.licence,
                years_experience=person.years,
                training_experience=person.trains,
                crisis_training=person.crisis,
                # What the preparation scored in their name is no strain on whoever tries the screen.
                tagged_cap=0,
                is_demo=True,
            )
            user.groups.add(Group.objects.get(name=person.role))
            audit.record(None, "account.created", f"user:{user.pk}", role=person.role, by="demo")
        made.by_handle[person.handle] = user
    return made


def account_list() -> list[dict[str, str]]:
    return [{"email": one.email, "password": PASSWORD, "role": one.role.value} for one in PEOPLE]
