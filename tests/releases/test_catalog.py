"""The catalog as a file: errors name the row and the field, what is exported reads back, approval is never assumed."""

from __future__ import annotations

import tomllib
from dataclasses import replace

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from mhds.errors import CatalogInvalid, Conflict
from mhds.models import AuditEvent
from mhds.roles import Role
from releases import services
from releases.catalog.export import export_catalog
from releases.catalog.parse import CHECKLISTS, parse_catalog
from releases.models import CatalogVersion, SourceDecision
from tests.factories import EDGE, PRIORITY, catalog_toml, person, source_row

pytestmark = pytest.mark.build
DEFAULT = services.DEFAULT_CATALOG.read_text(encoding="utf-8")
APPROVED = parse_catalog(catalog_toml(source_row("priority"))).sources[0]


def test_the_shipped_catalog_is_the_checklist_of_release_0_and_approves_nothing():
    catalog = parse_catalog(DEFAULT)
    assert tuple(family.id for family in catalog.families) == CHECKLISTS["release-0"]
    assert all(family.required for family in catalog.families)
    assert {family.id: family.weight_bp for family in catalog.families} == {
        "professional_therapeutic": 3000, "priority": 4000, "cot_reasoning": 2000, "edge_cases": 1000, "voice": 0,
    }  # fmt: skip
    assert {family.id for family in catalog.families if family.holdout_sensitive} == {"edge_cases", "voice"}
    assert {family.id: family.reviews for family in catalog.families if family.reviews} == {
        "professional_therapeutic": ("clinician_foundation", "bias_foundation"),
        "priority": ("clinician_foundation", "bias_foundation"),
        "edge_cases": ("clinician_edge",),
    }
    assert [rule.kind for rule in catalog.family_by_id["voice"].evidence] == ["persona_profile", "conversations"]
    assert catalog.splits_bp == {"train": 9000, "val": 500, "test": 500}
    assert catalog.sources == ()


ERRORS = [
    ("[release", "the file is not TOML"),
    (DEFAULT + "[extra]\n", "unknown table extra"),
    (DEFAULT.replace("seed = 42", ""), r"\[release\]: seed is missing"),
    (DEFAULT.replace("seed = 42", 'seed = "42"'), r"\[release\]: seed must be int, found str"),
    (DEFAULT.replace("seed = 42", "seed = true"), r"\[release\]: seed must be int, found bool"),
    (DEFAULT.replace("train = 9000", "train = 9001"), "splits_bp sums to 10001; it must be 10000"),
    (DEFAULT.replace("train = 9000, val = 500", "train = 10500, val = -1000"), "splits_bp"),
    (DEFAULT.replace('checklist = "release-0"', 'checklist = "mine"'), "checklist is 'mine'; use one of release-0"),
    (DEFAULT.replace('client = "user"', 'client = "customer"'), r"\[roles\]: client is 'customer'"),
    (DEFAULT.replace("weight_bp = 4000", "weight_bp = 10001"), r"\[\[family\]\] priority: weight_bp 10001 is outside"),
    (DEFAULT.replace("weight_bp = 4000", "wieght_bp = 4000"), r"\[\[family\]\] priority: unknown field wieght_bp"),
    (DEFAULT.replace('reviews = ["clinician_edge"]', 'reviews = ["clinic"]'), "edge_cases: unknown review 'clinic'"),
    (DEFAULT.replace('stage = "stage3_edge_stress_test"', 'stage = "s9"'), "edge_cases: there is no stage 's9'"),
    (DEFAULT.replace('prefixes = ["voice/", "pixel_voice/"]', "prefixes = []"), "voice: prefixes must name"),
    (DEFAULT.replace('prefixes = ["voice/", "pixel_voice/"]', 'prefixes = [""]'), "voice: prefixes must name"),
    (DEFAULT.replace('prefixes = ["voice/"', 'prefixes = ["edge_cases/"'), "family prefix 'edge_cases/' stands twice"),
    (DEFAULT.replace('id = "voice"', 'id = "priority"'), "family 'priority' stands twice"),
    (DEFAULT.replace('kind = "persona_profile", min', 'kind = "persona", min'), "voice evidence: kind is 'persona'"),
    (catalog_toml(source_row("priority", family="voices", prefix=PRIORITY)), "there is no family 'voices'"),
    (catalog_toml(source_row("priority", prefix=EDGE)), "priority: its prefix does not lie under family priority"),
    (catalog_toml(source_row("priority", license_status="maybe")), "license_status is 'maybe'"),
    (catalog_toml(source_row("priority", id=None)), r"\[\[source\]\] number 1: id is missing"),
    (catalog_toml(source_row("priority"), source_row("priority")), "source 'priority' stands twice"),
    (catalog_toml(source_row("priority").replace("2026-01-01T00:00:00Z", "2026-01-01")), "a time with its zone"),
    (catalog_toml(source_row("priority").replace("00:00Z", "00:00")), "a time with its zone"),
    (catalog_toml(source_row("priority", allowed_uses=[1])), "allowed_uses must be a list of strings"),
    (catalog_toml(source_row("priority") + "join = {on = 1, questions = ''}"), "priority join: on must be str"),
]  # fmt: skip


FOUNDATION_ROUNDS = 'reviews = ["clinician_foundation", "bias_foundation"]'
SWITCHED_OFF = {
    "a round without its only family": DEFAULT.replace('reviews = ["clinician_edge"]', "reviews = []"),
    "one of two rounds": DEFAULT.replace(FOUNDATION_ROUNDS, 'reviews = ["clinician_foundation"]'),
    "one of two families": DEFAULT.replace(FOUNDATION_ROUNDS, "reviews = []", 1),
    "a stage of another name": DEFAULT.replace("stage3_edge_stress_test", "s3").replace('["clinician_edge"]', "[]"),
    "another family of the stage": DEFAULT.replace('"stage4_voice_persona"\nprefixes', '"stage1_foundation"\nprefixes'),
}


@pytest.mark.django_db
@pytest.mark.parametrize("toml", SWITCHED_OFF.values(), ids=SWITCHED_OFF)
def test_a_catalog_that_switches_a_round_off_is_not_imported(toml):
    assert toml != DEFAULT
    engineer = person("engineer", Role.ENGINEER)
    with pytest.raises(CatalogInvalid, match="reviews lacks") as caught:
        services.import_catalog(toml, actor=engineer)
    assert "cannot be switched off" in caught.value.hint
    assert not services.CatalogVersion.objects.exists()


@pytest.mark.parametrize(("toml", "said"), ERRORS, ids=[said for _toml, said in ERRORS])
def test_an_error_names_the_row_and_the_field(toml, said):
    with pytest.raises(CatalogInvalid, match=said):
        parse_catalog(toml)


def test_a_catalog_reads_back_to_the_same_digest():
    found = parse_catalog(catalog_toml(source_row("priority") + 'join = {on = "id", questions = "q.jsonl"}'))
    again = parse_catalog(export_catalog(found))
    assert again == found
    assert again.digest == found.digest


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), st.integers())
def test_any_words_and_seed_survive_the_round_trip(words, seed):
    found = replace(
        parse_catalog(catalog_toml(source_row("priority"))),
        seed=seed,
        sources=(replace(APPROVED, acquisition=words, attribution=words),),
        roles={"ключ " + "x": "user"},
    )
    assert tomllib.loads(export_catalog(found))
    assert parse_catalog(export_catalog(found)) == found


def test_every_field_counts_in_the_digest_of_a_source():
    other = {"prohibited_uses": ("resale",), "allowed_uses": (), "join": None}
    for name in APPROVED.__dataclass_fields__:
        if name != "join":
            changed = replace(APPROVED, **{name: other.get(name, "changed")})
            assert changed.digest != APPROVED.digest, name


def test_the_longest_prefix_wins_for_families_and_sources():
    toml = catalog_toml(
        source_row("priority", id="all"),
        source_row("priority", id="inner", prefix=f"{PRIORITY}inner/"),
        source_row("edge_cases", prefix="edge_cases/"),
        replace=[('"edge_cases/",', f'"edge_cases/", "{PRIORITY}edge/",')],
    )
    catalog = parse_catalog(toml)

    def place(key):
        found = catalog.family_of(key)
        source = catalog.source_of(key, found[0].id) if found else None
        return (found[0].id if found else None, source.id if source else None)

    assert place(f"{PRIORITY}a") == ("priority", "all")
    assert place(f"{PRIORITY}inner/a") == ("priority", "inner")
    assert place(f"{PRIORITY}edge/a") == ("edge_cases", None), "a source of another family does not cover it"
    assert place("gdrive/processed/priority") == (None, None)
    assert place("/" + PRIORITY) == (None, None)


DOUBTS = [
    ({"license_status": "pending"}, "licence status is pending"),
    ({"license_status": "unclear"}, "licence status is unclear"),
    ({"license_tag": ""}, "no licence"),
    ({"license_tag": "CC-BY-ND-4.0"}, "CC-BY-ND-4.0 forbids derivatives"),
    ({"license_tag": "cc-by-nc-nd-3.0"}, "forbids derivatives"),
    ({"allowed_uses": ()}, "use for training is not allowed"),
    ({"allowed_uses": ("evaluation",)}, "use for training is not allowed"),
    ({"prohibited_uses": ("training",)}, "use for training is prohibited"),
    ({"approved_by": ""}, "nobody approved it"),
    ({"approved_at": ""}, "nobody approved it"),
    ({"acquisition": ""}, "how it was acquired is not said"),
]


@pytest.mark.parametrize(("changed", "said"), DOUBTS)
def test_a_row_that_leaves_something_unsaid_gives_no_approval(changed, said):
    assert APPROVED.doubts == ()
    (doubt,) = replace(APPROVED, **changed).doubts
    assert said in doubt


def test_a_row_with_nothing_but_its_place_is_doubted_in_every_way():
    row = f'[[source]]\nid = "x"\nfamily = "priority"\nprefix = "{PRIORITY}"\n'
    bare = parse_catalog(catalog_toml(row))
    assert len(bare.sources[0].doubts) == 5


@pytest.mark.django_db
def test_the_newest_decision_on_the_very_row_counts_before_the_row():
    kinds = SourceDecision.Kind
    pending = replace(APPROVED, license_status="pending")
    assert services.standing(APPROVED) == ""
    assert services.standing(pending)

    def decide(source, kind):
        SourceDecision.objects.create(source_id=source.id, row_digest=source.digest, kind=kind, because="so")

    decide(pending, kinds.APPROVED)
    assert services.standing(pending) == ""
    decide(pending, kinds.EXCLUDED)
    assert services.standing(pending) == "excluded by compliance: so"
    assert services.standing(replace(pending, attribution="edited")) == "licence status is pending"


FORBIDS = [
    ({"license_tag": "CC-BY-ND-4.0"}, "forbids derivatives"),
    ({"license_tag": ""}, "no licence"),
    ({"prohibited_uses": ("training",)}, "use for training is prohibited"),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("changed", "said"), FORBIDS)
def test_no_approval_heals_a_row_that_forbids_the_use(changed, said):
    row = replace(APPROVED, **changed)
    SourceDecision.objects.create(source_id=row.id, row_digest=row.digest, kind="approved", because="so")
    assert said in services.standing(row)


def test_a_decision_of_an_unknown_word_opens_nothing():
    assert APPROVED.standing("approved") == ""
    assert APPROVED.standing("Approved")


@pytest.mark.django_db
def test_the_catalog_page_shows_a_forbidden_source_with_its_reason_and_no_way_to_approve_it(home):
    home.use(catalog_toml(source_row("priority", license_tag="CC-BY-ND-4.0"), source_row("edge_cases")))
    row = services.current_catalog().source_by_id["priority"]
    SourceDecision.objects.create(source_id=row.id, row_digest=row.digest, kind="approved", because="seen")
    client = Client()
    client.force_login(person("compliance", Role.COMPLIANCE))
    page = client.get("/catalog/").content.decode()
    assert "CC-BY-ND-4.0 forbids derivatives: no approval heals that" in page
    assert "Approve edge_cases" in page
    assert "Approve priority" not in page
    assert "Exclude priority" in page
    assert ">priority</span>" in page.split('aria-label="What waits"')[1].split("</section>")[0]


@pytest.mark.django_db
def test_one_catalog_is_current_and_the_same_again_changes_nothing():
    engineer = person("engineer", Role.ENGINEER)
    first = services.import_catalog(catalog_toml(), actor=engineer)
    second = services.import_catalog(DEFAULT, actor=engineer)
    assert services.current_version() == second
    assert services.import_catalog(export_catalog(first.catalog), actor=engineer) == first
    assert services.current_version() == first
    assert CatalogVersion.objects.count() == 2
    assert AuditEvent.objects.filter(action="catalog.imported", actor=engineer).count() == 3


@pytest.mark.django_db
def test_without_a_catalog_nothing_can_be_built():
    with pytest.raises(Conflict, match="no catalog yet"):
        services.current_catalog()


@pytest.mark.django_db
def test_a_broken_catalog_leaves_the_current_one_in_place():
    before = services.import_default_catalog()
    with pytest.raises(CatalogInvalid):
        services.import_catalog("[release]\n", actor=None)
    assert services.current_version() == before
