"""One release for each state of the page of rounds: run as ``python -m tests.pages.prepare_rounds all``.

Each is built from a source of its own size, since a draw counts for its bytes and not for its release.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import django
from django.core.management import call_command

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mhds.settings")
django.setup()

from django.conf import settings  # noqa: E402  Django first

from mhds.demo import accounts  # noqa: E402
from mhds.models import User  # noqa: E402
from releases import services  # noqa: E402
from reviews import closing, drawing, escalating  # noqa: E402
from reviews.plans import RoundKind  # noqa: E402
from tests.factories import PREFIXES, conversation, jsonl, write_source  # noqa: E402
from tests.pages.rounds_names import (  # noqa: E402
    DRAWN,
    FAILED,
    INCONCLUSIVE,
    OPENED,
    PASSED,
    PLAN,
    SCORING,
    UNREADABLE,
)
from tests.reviews import factory  # noqa: E402
from tests.reviews.factory import KINDS, World  # noqa: E402

EDGE = RoundKind.CLINICIAN_EDGE
# Left in the text by its low score, for people to judge.
LEFT = "The card 1234567 and the slip 4412803 were lost, she said, and nobody had seen either of them since."


def world(version: str, people: dict[str, User]) -> World:
    root = Path(settings.DATA_DIR) / "source"
    write_source(root, {f"{PREFIXES['priority']}{version}.jsonl": factory.records(version, 2)})
    return World(factory.build(people["engineer"], version), people)


def planned(people: dict[str, User]) -> None:
    root = Path(settings.DATA_DIR) / "source"
    write_source(root, {f"{PREFIXES['edge_cases']}many.jsonl": factory.records("many", 360)})
    world(PLAN, people)


def opened(here: World) -> None:
    factory.open_all(here)


def drawn(here: World) -> None:
    factory.open_all(here)
    for kind in KINDS[:2]:
        drawing.draw(here.round(kind), actor=here.lead)
    drawing.draw(here.round(EDGE), actor=here.lead, reason="the wrong people were at hand")


def scoring(here: World) -> None:
    """One escalation open, one settled, and the first score in."""
    factory.start(here)
    first, second, third, *_rest = factory.waiting(here.round(EDGE), here["clinician1"])
    factory.submit(first)
    escalating.escalate(second.reviewer, second, "minor", "An age is said in turn 3.")
    other = escalating.escalate(third.reviewer, third, "identifier", "A street and a number.")
    escalating.close_escalation(here["compliance1"], other, "It is a public square.", confirmed=False)


def unreadable(here: World) -> None:
    """Nobody who may score the edge round reads English while it is handed out."""
    able = User.objects.filter(email__startswith="clinician")
    able.update(languages=["de"])
    factory.start(here, EDGE)
    able.update(languages=["en", "zh"])
    closing.close_round(here.round(EDGE), actor=here.lead)


def inconclusive(here: World) -> None:
    factory.start(here)
    first, *_rest = waiting = factory.waiting(here.round(EDGE))
    for one in waiting:
        factory.submit(one, factory.bad(one.item.round.rubric) if one == first else None)
    closing.close_round(here.round(EDGE), actor=here.lead)
    factory.pass_round(here, RoundKind.PRIVACY)
    for kind in (RoundKind.CLINICIAN_FOUNDATION, RoundKind.BIAS_FOUNDATION):
        factory.pass_round(here, kind)


def failed(here: World) -> None:
    factory.start(here)
    for one in factory.waiting(here.round(EDGE)):
        factory.submit(one, factory.bad(one.item.round.rubric))
    closing.close_round(here.round(EDGE), actor=here.lead)


def passed(here: World) -> None:
    factory.pass_all(here)


STATES = {
    OPENED: opened, DRAWN: drawn, SCORING: scoring, UNREADABLE: unreadable, INCONCLUSIVE: inconclusive, FAILED: failed,
    PASSED: passed,
}  # fmt: skip


def fill() -> None:
    people = dict(accounts.make_accounts().by_handle)
    root = Path(settings.DATA_DIR) / "source"
    factory.fill_source(root)
    row = conversation("left", turns=4, words=40)
    row["messages"][2]["content"] += f" {LEFT}"
    write_source(root, {f"{PREFIXES['voice']}left.jsonl": jsonl([row])})
    services.import_catalog(factory.catalog(), actor=people["engineer"])
    for version, make in STATES.items():
        make(world(version, people))
    planned(people)


if __name__ == "__main__":
    call_command("migrate", verbosity=0, interactive=False)
    fill()
    sys.stdout.write(json.dumps({"done": sys.argv[1]}) + "\n")
