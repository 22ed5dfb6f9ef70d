"""The form of a signature: its words, its choices, and what is asked where one is missing. Signs nothing.

Nothing is chosen for the signer. What was typed comes back on every error, except the password.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from django import forms
from django.core import signing as tokens

from reviews.signing import CAPACITY, WORDS
from reviews.states import Decision, Meaning

EXCEPTED = "excepted"  # signed, with exceptions written below
SALT = "reviews.signing.seen"


class Choice(NamedTuple):
    value: str
    label: str
    more: str


_STAND_BY = "I stand by the clinical quality of this release, as far as the sentences above go"
_FAIR = "I stand by the fairness of this release, as far as the sentences above go"
_DECLINE = Choice(Decision.DECLINED.value, "I decline", "The decline is signed, kept and shown. Say why in the notes.")
_PRINTED = "The exceptions go into the release, word for word."
CHOICES = {
    Meaning.CLINICIAN: (
        Choice(Decision.SIGNED.value, _STAND_BY, "The evidence and the sentences are what I read."),
        Choice(EXCEPTED, f"{_STAND_BY}, with the exceptions below", _PRINTED),
        _DECLINE,
    ),
    Meaning.BIAS_REVIEWER: (
        Choice(Decision.SIGNED.value, _FAIR, "The evidence and the sentences are what I read."),
        Choice(EXCEPTED, f"{_FAIR}, with the exceptions below", _PRINTED),
        _DECLINE,
    ),
    Meaning.LEAD: (
        Choice(
            Decision.SIGNED.value,
            "I approve this release for publication",
            "Training jobs can read it as soon as it is published.",
        ),
        Choice(EXCEPTED, "I take responsibility as lead, with the exceptions below", _PRINTED),
        _DECLINE,
    ),
}
CAPACITIES = {
    Meaning.CLINICIAN: ("As clinician", "As clinical supervisor", "As delegate of a clinician"),
    Meaning.BIAS_REVIEWER: ("As bias reviewer", "As delegate of a bias reviewer"),
    Meaning.LEAD: ("As release lead", "As delegate of a release lead"),
}
ASK_WHO = "Type your password: it is asked for every signature."


def token_of(evidence: dict[str, Any]) -> str:
    """The evidence as shown, so that the press can be held to it."""
    return tokens.dumps(evidence, salt=SALT, compress=True)


class SignForm(forms.Form):
    """``decision`` and ``capacity`` are what the page offers for this meaning; the service asks again."""

    decision = forms.ChoiceField(error_messages={"required": "Choose what you mean by signing."})
    capacity = forms.ChoiceField(error_messages={"required": "Choose in what capacity you sign."})
    exceptions = forms.CharField(required=False, max_length=WORDS)
    notes = forms.CharField(required=False, max_length=WORDS)
    password = forms.CharField(strip=False, error_messages={"required": ASK_WHO})
    expected_digest = forms.CharField(required=False, max_length=CAPACITY)
    expected_statement = forms.CharField(required=False, max_length=CAPACITY)
    seen = forms.CharField(required=False)

    def __init__(self, meaning: Meaning, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choices = CHOICES[meaning]
        self.capacities = CAPACITIES[meaning]
        self.fields["decision"].choices = [(one.value, one.label) for one in self.choices]  # type: ignore[attr-defined]
        self.fields["capacity"].choices = [(one, one) for one in self.capacities]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        decision = given.get("decision")
        if decision == EXCEPTED and not given.get("exceptions"):
            self.add_error("exceptions", "Write the exceptions, or sign without them.")
        if decision == Decision.SIGNED and given.get("exceptions"):
            self.add_error("decision", "You wrote exceptions: choose to sign with them, or remove them.")
        if decision == Decision.DECLINED and not given.get("notes"):
            self.add_error("notes", "Say in the notes why you decline.")
        if len(given.get("exceptions", "") + given.get("notes", "")) > WORDS:
            self.add_error("notes", f"Exceptions and notes together hold at most {WORDS:,} characters.")
        return given

    def clean_seen(self) -> dict[str, Any] | None:
        """None where the page was not the one that asked; a token that is not ours saw nothing."""
        text = self.cleaned_data["seen"]
        try:
            return tokens.loads(text, salt=SALT) if text else None
        except tokens.BadSignature:
            raise forms.ValidationError("This page is not whole. Reload it and read again.") from None

    def given(self) -> dict[str, Any]:
        """The arguments of the service, by name."""
        clean = self.cleaned_data
        signed = clean["decision"] == EXCEPTED
        return {
            "decision": Decision.SIGNED.value if signed else clean["decision"],
            "expected_evidence": clean["seen"],
            **{name: clean[name] for name in (
                "capacity", "exceptions", "notes", "password", "expected_digest", "expected_statement",
            )},
        }  # fmt: skip


class WithdrawForm(forms.Form):
    reason = forms.CharField(max_length=WORDS, error_messages={"required": "Say why you withdraw it."})
    password = forms.CharField(strip=False, error_messages={"required": ASK_WHO})


def first_words(form: forms.Form) -> str:
    """Every complaint in one sentence, for who asked without a page."""
    return " ".join(str(words) for found in form.errors.values() for words in found)
