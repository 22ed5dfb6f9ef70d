"""The sentences that people sign: generated from facts, never typed. Knows no request, no record text, no person.

Every sentence says what was drawn from what, by whom it was read, what was found, and only then what that shows, with
the figure for this very population. A round that did not pass makes no claim, and says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from mhds.errors import InvalidInput
from reviews.plans import CONFIDENCE_PERCENT, Claim, Plan, RoundKind, claim, percent, refusals
from reviews.verdicts import Verdict, majors_allowed

NO_MORE = "This says nothing about records outside this release, nor about any single record."


class Words(NamedTuple):
    """How a kind of round speaks of its readers and of what they look for."""

    reader: str
    readers: str
    verb: str
    failure: str
    caught: str
    has: tuple[str, str] = ("has one", "have one")


_QA = "had a critical failure"
_IDENTIFIED = "made a person identifiable"
WORDS = {
    RoundKind.CLINICIAN_FOUNDATION: Words("clinician", "clinicians", "scored", _QA, "critical failure"),
    RoundKind.CLINICIAN_EDGE: Words("clinician", "clinicians", "scored", _QA, "critical failure"),
    RoundKind.BIAS_FOUNDATION: Words("bias reviewer", "bias reviewers", "scored", _QA, "critical failure"),
    RoundKind.PRIVACY: Words(
        "compliance reviewer", "compliance reviewers", "read", _IDENTIFIED, "such conversation", ("does", "do")
    ),
}
_NUMBERS = ("None", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten")


@dataclass(frozen=True, slots=True)
class RoundFacts:
    """What a closed round's sentence is made of.

    ``families`` are the round's own, sorted by the caller; ``drawn`` counts the records read, ``by_two`` those read by
    two people, ``people`` the different readers. ``reasons`` are the verdict's, in words, for a round without a pass.
    """

    kind: RoundKind
    families: tuple[str, ...]
    population: int
    plan: Plan
    drawn: int
    people: int
    by_two: int
    verdict: Verdict
    criticals: int = 0
    majors: int = 0
    reasons: tuple[str, ...] = ()


def planned_sentence(kind: RoundKind, families: Sequence[str], population: int, plan: Plan) -> str:
    """The sentence that a plan would earn if nothing is found; shown before the draw."""
    if population == 0:
        return _empty(families)
    words, stated = WORDS[kind], claim(plan, population)
    none = f"None {words.failure}."
    return _join(_opening(families, population, stated.drawn, words), none, _claim_words(words, stated), NO_MORE)


def round_statement(facts: RoundFacts) -> str:
    """The stored sentence of one round."""
    return _join(_round_body(facts), NO_MORE)


def signoff_statement(rounds: Sequence[RoundFacts], families: Mapping[str, int]) -> str:
    """What the signers put their names to: every round's sentence, what nobody reviewed, and the limits of it all.

    ``families`` gives the records of every family of the catalog, absent ones with 0.
    """
    kinds = [facts.kind for facts in rounds]
    if sorted(kinds) != sorted(RoundKind):
        raise InvalidInput("A sign-off speaks of each of the four rounds, once.", hint=f"Given: {', '.join(kinds)}.")
    ordered = sorted(rounds, key=lambda facts: list(RoundKind).index(facts.kind))
    bodies = [f"{facts.kind}: {_round_body(facts)}" for facts in ordered]
    return "\n".join([*bodies, _join(*_not_reviewed(ordered, families), NO_MORE)])


def _round_body(facts: RoundFacts) -> str:
    if facts.population == 0:
        return _empty(facts.families)
    words = WORDS[facts.kind]
    # An inconclusive round may lack scores, so that nothing is said to have been read.
    done = facts.verdict is not Verdict.INCONCLUSIVE
    opening = _opening(facts.families, facts.population, facts.drawn, words, done=done)
    if facts.verdict is not Verdict.PASS:
        return _join(opening, _no_claim(facts))
    _check_pass(facts)
    stated = claim(facts.plan, facts.population)
    return _join(opening, _read_by(facts, words), _found(facts, words), _claim_words(words, stated, facts.criticals))


def _check_pass(facts: RoundFacts) -> None:
    """A sentence must not claim more than the numbers beside it: a pass that they do not carry is refused."""
    plan = facts.plan
    due = plan.size if facts.criticals <= plan.stages[0].accept else plan.total_size
    allowed = majors_allowed(facts.kind, plan, facts.population)
    read = min(due, facts.population) <= facts.drawn <= facts.population and facts.people >= 1
    within = 0 <= facts.criticals <= plan.accept and 0 <= facts.majors <= allowed
    if not (read and within) or refusals(plan, facts.population, facts.kind):
        raise InvalidInput(f"Round {facts.kind} is said to have passed, but its numbers do not carry its plan.")


def _opening(families: Sequence[str], population: int, drawn: int, words: Words, *, done: bool = True) -> str:
    if drawn < population:
        some = f"{drawn:,} of the {population:,} conversations of {name_families(families)}"
        return f"{some} {'was' if drawn == 1 else 'were'} drawn at random after the release was frozen."
    if population == 1:
        was = "was" if done else "was to be"
        return f"The one conversation of {name_families(families)} {was} {words.verb} after the release was frozen."
    everyone = f"All {population:,} conversations of {name_families(families)}"
    return f"{everyone} {'were' if done else 'were to be'} {words.verb} after the release was frozen."


def _read_by(facts: RoundFacts, words: Words) -> str:
    people = _number(facts.people)
    noun = words.reader if facts.people == 1 else words.readers
    if facts.by_two == 0:
        return f"{people} {noun} {words.verb} them, each by one."
    if facts.by_two < facts.drawn:
        return f"{people} {noun} {words.verb} them, {facts.by_two:,} by two."
    if facts.people == 2:
        return f"Two {noun} {words.verb} each."
    return f"{people} {noun} {words.verb} them, each by two."


def _found(facts: RoundFacts, words: Words) -> str:
    if facts.kind is RoundKind.PRIVACY:
        return f"None {words.failure}."
    critical = f"{_number(facts.criticals)} {words.failure}"
    if facts.criticals:
        critical += ", which the plan of two stages allows"
    allowed = majors_allowed(facts.kind, facts.plan, facts.population)
    return (
        f"{critical}. {_number(facts.majors)} {_be(facts.majors)} unacceptable otherwise; {allowed} would have passed."
    )


def _be(count: int) -> str:
    return "was" if count <= 1 else "were"


def _claim_words(words: Words, stated: Claim, found: int = 0) -> str:
    if stated.all_read:
        return f"As every one was {words.verb}, this is a count and not an estimate; it is as good as the reading."
    condition = f"If reviewers catch every {words.caught}, this gives {CONFIDENCE_PERCENT} % confidence that"
    if stated.at_most == 0 and found == 0:
        return f"{condition} none of the {stated.population:,} {words.has[0]}."
    share = f"fewer than {percent(stated.limit_bp)} of the {stated.population:,} (at most {stated.at_most:,})"
    return f"{condition} {share} {words.has[1]}."


def _no_claim(facts: RoundFacts) -> str:
    outcome = "The round failed" if facts.verdict is Verdict.FAIL else "The round is inconclusive"
    because = f": {'; '.join(facts.reasons)}" if facts.reasons else ""
    return f"{outcome}{because}. It makes no claim."


def _empty(families: Sequence[str]) -> str:
    if not families:
        return "No family of the catalog asks for this review: nothing was drawn, nothing is claimed."
    return (
        f"There is no conversation of {name_families(families)} in this release: nothing was drawn, nothing is claimed."
    )


def _not_reviewed(rounds: Sequence[RoundFacts], families: Mapping[str, int]) -> list[str]:
    """One sentence for each set of families that the same readers did not see."""
    seen: dict[str, set[str]] = {words.reader: set() for words in WORDS.values()}
    for facts in rounds:
        seen[WORDS[facts.kind].reader].update(facts.families if facts.drawn else ())
    groups: dict[tuple[str, ...], list[str]] = {}
    for family in sorted((name for name, count in families.items() if count), key=str.encode):
        unseen_by = tuple(reader for reader, names in seen.items() if family not in names)
        groups.setdefault(unseen_by, []).append(family)
    widest = sorted(groups.items(), key=lambda group: (-len(group[0]), group[1]))
    sentences = [_unseen(readers, names, families, len(seen)) for readers, names in widest if readers]
    absent = sorted((name for name, count in families.items() if not count), key=str.encode)
    if absent:
        sentences.append(f"{_capital(name_families(absent))} {'has' if len(absent) == 1 else 'have'} no records.")
    return sentences


def _unseen(readers: tuple[str, ...], names: list[str], families: Mapping[str, int], all_readers: int) -> str:
    noun = "family" if len(names) == 1 else "families"
    listed = f"{noun} {_and([f'{name} ({families[name]:,} conversations)' for name in names])}"
    if len(readers) == all_readers:
        return f"{_capital(listed)} {_be(len(names))} not reviewed by people."
    return f"No {' and no '.join(readers)} reviewed {listed}."


def name_families(families: Sequence[str]) -> str:
    """``family x``, ``families x and y``, ``families x, y and z``."""
    return f"{'family' if len(families) == 1 else 'families'} {_and(families)}"


def _and(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _capital(words: str) -> str:
    """The first letter only: family names keep theirs."""
    return words[0].upper() + words[1:]


def _number(count: int) -> str:
    return _NUMBERS[count] if count < len(_NUMBERS) else f"{count:,}"


def _join(*sentences: str) -> str:
    return " ".join(sentences)
