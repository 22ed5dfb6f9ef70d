"""What is an identifier and what is not: hits, near-misses with the reason, disguises, and loud failures."""

from __future__ import annotations

import json
import socket
import subprocess
import sys

import pytest

from gates.scan.detectors import default_detector
from gates.scan.detectors.base import Rule, RulePattern
from gates.scan.detectors.detector import PresidioDetector
from gates.scan.detectors.engine import Engine
from gates.scan.detectors.own import OwnRecogniser
from gates.scan.detectors.rules import RULES
from mhds.errors import ConfigurationError, DetectorFailed
from releases.build.types import Message
from tests.gates.detecting import conversation, spans_of, sure

pytestmark = pytest.mark.gates

HITS = [
    ("write to jo.doe@example.com please", "EMAIL_ADDRESS", "jo.doe@example.com"),
    ("call me on (415) 555-0132 tonight", "PHONE_NUMBER", "(415) 555-0132"),
    ("+44 20 7946 0958 is her office", "PHONE_NUMBER", "+44 20 7946 0958"),
    ("my phone number is 467 3395", "PHONE_NUMBER", "467 3395"),
    ("ssn 219-09-9999", "US_SSN", "219-09-9999"),
    ("card 4111 1111 1111 1111", "CREDIT_CARD", "4111 1111 1111 1111"),
    ("GB82 WEST 1234 5698 7654 32", "IBAN_CODE", "GB82 WEST 1234 5698 7654 32"),
    ("MRN: 00123456", "MEDICAL_RECORD_NUMBER", "00123456"),
    ("member id XYZ-9912345", "INSURANCE_NUMBER", "XYZ-9912345"),
    ("her DEA is BB1388568", "MEDICAL_LICENSE", "BB1388568"),
    ("i live at 12 maple street", "STREET_ADDRESS", "12 maple street"),
    ("It is 42 Wallaby Way, Springfield, IL 62704", "STREET_ADDRESS", "42 Wallaby Way, Springfield, IL 62704"),
    ("we moved to SW1A 1AA", "UK_POSTCODE", "SW1A 1AA"),
    ("born on March 3rd, 1990", "DATE_OF_BIRTH", "March 3rd, 1990"),
    ("my birthday is 3/4", "DATE_OF_BIRTH", "3/4"),
    ("admitted 12/31/1999", "DATE_TIME", "12/31/1999"),
    ("she is 93 years old", "AGE_OVER_89", "93"),
    ("00:1B:44:11:3A:B7", "MAC_ADDRESS", "00:1B:44:11:3A:B7"),
    ("from 192.0.2.17", "IP_ADDRESS", "192.0.2.17"),
    ("at 40.7128, -74.0060", "GPS_COORDINATES", "40.7128, -74.0060"),
    ("my license plate is 7ABC123", "LICENSE_PLATE", "7ABC123"),
    ("my insta is @jo.doe9", "SOCIAL_HANDLE", "@jo.doe9"),
    ("api key: abcd1234efgh5678", "SECRET", "abcd1234efgh5678"),
    ("my name is Jo Doe and", "PERSON", "Jo Doe"),
    ("my name is jo.", "PERSON", "jo"),
    ("My name is Will", "PERSON", "Will"),
    ("this is Dana speaking", "PERSON", "Dana"),
    ("you can call me Dana.", "PERSON", "Dana"),
    ("I'm Dr. Reuquén", "PERSON", "Reuquén"),
    ("my son Mark left", "PERSON", "Mark"),
    ("see https://example.org/me?id=4", "URL", "https://example.org/me?id=4"),
]


@pytest.mark.parametrize(("text", "entity", "value"), HITS)
def test_it_finds_an_identifier_without_its_cue(text: str, entity: str, value: str) -> None:
    assert (entity, value) in sure(text)


CHINESE_HITS = [
    ("我叫王小明，今年23岁", "PERSON", "王小明"),
    ("我的名字是欧阳娜娜。", "PERSON", "欧阳娜娜"),
    ("电话13812345678谢谢", "PHONE_NUMBER", "13812345678"),
    ("打138-1234-5678吧", "PHONE_NUMBER", "138-1234-5678"),
    ("身份证11010519491231002X", "CN_RESIDENT_ID", "11010519491231002X"),
    ("卡号6222020111122223337", "BANK_CARD", "6222020111122223337"),
    ("加我微信：wxid_jo2020", "SOCIAL_HANDLE", "wxid_jo2020"),
    ("我的QQ号是123456789", "SOCIAL_HANDLE", "123456789"),
    ("我住在北京市朝阳区建国路88号", "STREET_ADDRESS", "北京市朝阳区建国路88号"),
    ("我的邮箱是abc@qq.com哦", "EMAIL_ADDRESS", "abc@qq.com"),
    ("生日是1990年3月5日", "DATE_OF_BIRTH", "1990年3月5日"),
    ("奶奶今年93岁", "AGE_OVER_89", "93"),
    ("李医生，您好", "PERSON", "李"),
]


@pytest.mark.parametrize(("text", "entity", "value"), CHINESE_HITS)
def test_it_finds_an_identifier_in_chinese_text(text: str, entity: str, value: str) -> None:
    assert (entity, value) in sure(text, language="zh")


NEAR_MISSES = [
    ("I want to die and I took 20 pills of 50 mg", "crisis language and numbers of pills carry the meaning"),
    ("I am 45 years old, my son is 12", "ages under 90 are no identifiers"),
    ("it is 90% of the time", "a share is no age"),
    ("I wake at 10:30 pm for 3-4 hours", "times of day and durations"),
    ("since last Monday, or 2019, maybe in March", "relative dates and years"),
    ("pain is 10/10, update: 9/10", "ratings"),
    ("diagnosed F32.1 and F41, took vitamin B12 without a license", "diagnosis codes and vitamins"),
    ("I feel tired.It is bad.My mom is in.Me too", "a missing space is no web address"),
    ("plt.plot(x); trace.append(1)", "code is no web address"),
    ("our relationship :: it is over", "two colons are no address of a machine"),
    ("call me crazy, call me when you can, call me back", "call me is no introduction"),
    ("My name is not important. my name is on the list", "a name that is not given"),
    ("I'm Sorry. I'm Depressed here", "feelings in capitals"),
    ("5 minutes down the road, 3 people in a place", "a number and a road are no address"),
    ("ratio 0.0021, 0.0043", "small decimals"),
    ("I slept 10 20 30 40 50 minutes", "a list of numbers is no phone number"),
    ("from 2015-2019 or 2018 2019", "years are no phone number"),
    ("the password is secret", "a password that is not given"),
]


@pytest.mark.parametrize(("text", "reason"), NEAR_MISSES)
def test_it_leaves_what_only_looks_like_an_identifier(text: str, reason: str) -> None:
    assert sure(text) == set(), reason


CHINESE_NEAR_MISSES = [
    ("我叫他不要去，我叫了外卖", "叫 as to ask for"),
    ("谢谢老师，小学老师说我，任何医生", "titles without a name"),
    ("凌晨2点还没睡，吃了20片药，2019年", "times, pills and years"),
    ("我今年23岁，孩子9岁", "ages under 90"),
    ("走在路上，过了两个路口", "roads without numbers"),
]


@pytest.mark.parametrize(("text", "reason"), CHINESE_NEAR_MISSES)
def test_it_leaves_chinese_text_without_identifiers(text: str, reason: str) -> None:
    assert sure(text, language="zh") == set(), reason


@pytest.mark.parametrize(
    "text",
    [
        "call 988 or 1-800-273-8255 now",
        "text HOME to 741741",
        "(800) 273-8255",
        "+1 800 273 8255",
        "call me at 1-800-662-4357",
        "Samaritans: 116 123",
        "see https://988lifeline.org/chat",
        "Lifeline 13 11 14",
    ],
)
def test_public_crisis_lines_are_no_identifiers(text: str) -> None:
    assert sure(text) == set()


@pytest.mark.parametrize("text", ["请拨打400-161-9995", "拨打12320或010-82951332", "北京热线800-810-1117"])
def test_public_crisis_lines_are_no_identifiers_in_chinese(text: str) -> None:
    assert sure(text, language="zh") == set()


def test_a_page_of_a_crisis_service_with_a_query_is_still_an_identifier() -> None:
    assert any(entity == "URL" for entity, _ in sure("https://988lifeline.org/u?name=jo"))


PHONE = "415-555-0132"
FULL_WIDTH = PHONE.translate({ord(c): ord(c) - ord("0") + 0xFF10 for c in "0123456789"})
ARABIC = PHONE.translate({ord(c): ord(c) - ord("0") + 0x660 for c in "0123456789"})
DEVANAGARI = PHONE.translate({ord(c): ord(c) - ord("0") + 0x966 for c in "0123456789"})
DISGUISES = {
    "zero-width space": "\u200b".join(PHONE),
    "zero-width joiner": "\u200d".join(PHONE),
    "word joiner": "\u2060".join(PHONE),
    "soft hyphen": "415\u00ad-555\u00ad-01\u00ad32",
    "combining grapheme joiner": "41\u034f5-55\u034f5-0132",
    "full-width": FULL_WIDTH,
    "full-width with dash": FULL_WIDTH.replace("-", "\uff0d"),
    "arabic-indic": ARABIC,
    "devanagari": DEVANAGARI,
    "mathematical": PHONE.translate({ord(c): ord(c) - ord("0") + 0x1D7D8 for c in "0123456789"}),
    "tag characters": "415\U000e0041-555\U000e0042-0132",
    "variation selectors": "4\ufe0f1\ufe0f5-555-0132",
    "zalgo": "".join(c + "\u0336\u0489" for c in PHONE),
    "en dashes": PHONE.replace("-", "\u2013"),
    "no-break spaces": PHONE.replace("-", "\u00a0"),
    "html entities": "".join(f"&#{ord(c)};" for c in PHONE),
    "percent": "".join(f"%{ord(c):02X}" for c in PHONE),
    "backslash": "".join(f"\\u{ord(c):04x}" for c in PHONE),
    "base64": "Y2FsbCA0MTUtNTU1LTAxMzI=",
    "hex": "3431352d3535352d30313332",
    "percent of percent": "%2534%2531%2535-555-0132",
}


@pytest.mark.parametrize("name", sorted(DISGUISES))
def test_it_finds_a_disguised_number_at_its_raw_offsets(name: str) -> None:
    disguised = DISGUISES[name]
    text = f"reach me: {disguised} ok"
    start = text.index(disguised)
    found = [s for s in spans_of(text) if s.entity == "PHONE_NUMBER" and s.score_bp >= 4000]
    assert any(s.start <= start + 2 and s.end >= start + len(disguised) - 8 for s in found)


def test_it_finds_an_address_written_with_letters_of_another_script() -> None:
    assert ("EMAIL_ADDRESS", "jоhn.dое@gmаil.com") in sure("jоhn.dое@gmаil.com")
    assert any(entity == "PERSON" for entity, _ in sure("Му name is Jоhn"))


@pytest.mark.parametrize(
    ("texts", "parts"),
    [
        (("my number is 415 555", "go on", "0132 is the rest"), {0: "415 555", 2: "0132"}),
        (("it starts 415-", "yes?", "555", "and?", "0132"), {0: "415", 2: "555", 4: "0132"}),
        (("mail me: john.smith@", "ok", "gmail.com please"), {0: "john.smith@", 2: "gmail.com"}),
        (("my ssn is 219-09", "9999 is how it ends"), {0: "219-09", 1: "9999"}),
    ],
)
def test_it_finds_what_is_split_over_turns_in_each_of_them(texts: tuple[str, ...], parts: dict[int, str]) -> None:
    joined = [s for s in spans_of(*texts) if s.view == "joined" and s.score_bp >= 4000]
    for turn, part in parts.items():
        at = texts[turn].index(part)
        assert any(s.turn == turn and s.start <= at and s.end >= at + len(part.rstrip("-")) for s in joined)


def test_numbers_of_separate_turns_that_make_no_identifier_stay_separate() -> None:
    assert sure("I took 20", "when?", "30 minutes ago", "and slept?", "at 10") == set()


def test_a_number_split_over_turns_in_full_width_digits_is_found() -> None:
    assert ("PHONE_NUMBER", "５５５０１３２") in sure("number: ４１５", "yes", "５５５０１３２")


def test_a_crisis_line_split_over_turns_is_no_identifier() -> None:
    assert sure("call 1-800-273-", "go on", "8255") == set()


def test_a_pattern_that_runs_out_of_time_fails_the_scan() -> None:
    slow = Rule("SLOW", "SlowRule", frozenset({"en"}), (RulePattern("nested", r"(?:a|aa)+\d$", 0.5, "aa1"),))
    engine = Engine([OwnRecogniser(slow)], timeout=0.05)
    with pytest.raises(DetectorFailed, match="SlowRule ran out of time") as failed:
        engine.hits("a" * 60 + "1!")
    assert "aaaa" not in str(failed.value)


HOSTILE = {
    "one endless word": "a" * 100_000 + "!",
    "one endless number": "1" * 50_000,
    "dots": "a." * 20_000,
    "a long host label": "www." + "a-" * 20_000,
    "at signs": "@" * 20_000,
    "stop words before a number": "the " * 50_000 + "call 415-555-0132",
    "digits of another width": "４１５ " * 10_000,
    "entities": "&#52;" * 10_000,
    "cues": "my name is Dr. A" * 5_000,
    "house numbers": "42 A" * 10_000,
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_hostile_text_ends_in_findings_or_an_error_never_in_a_hang(name: str) -> None:
    text = HOSTILE[name]
    try:
        spans = spans_of(text)
    except DetectorFailed:
        return
    assert all(0 <= span.start < span.end <= len(text) for span in spans)


def test_a_text_of_nothing_but_findings_fails_the_scan_instead_of_stalling_it() -> None:
    with pytest.raises(DetectorFailed, match="over 2000 findings"):
        spans_of("".join(f"10.1.{n // 250}.{n % 250}, " for n in range(2500)))


def test_a_language_without_recognisers_is_refused() -> None:
    with pytest.raises(DetectorFailed, match="no recognisers"):
        default_detector().detect(conversation("bonjour"), "fr")


def test_a_lone_surrogate_is_refused_without_quoting_the_text() -> None:
    with pytest.raises(DetectorFailed) as failed:
        spans_of("hidden \ud83d text")
    assert "hidden" not in str(failed.value)
    assert failed.value.__cause__ is None


def test_it_works_without_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("the detector reached for the network")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    found = PresidioDetector().detect((Message("user", "jo.doe@example.com http://example.org/a"),), "en")
    assert {s.entity for s in found} >= {"EMAIL_ADDRESS", "URL"}


def test_importing_it_is_cheap_and_its_version_does_not_depend_on_the_process() -> None:
    code = (
        "import sys, json; from gates.scan.detectors import default_detector; cheap = 'spacy' not in sys.modules;"
        "print(json.dumps([cheap, default_detector().version]))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, env={"PYTHONHASHSEED": "77"})
    assert json.loads(out.stdout) == [True, default_detector().version]


def test_no_text_reaches_a_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    spans_of("GB82 ÜEST 1234 5698 7654 3٢ and iban AA00 ZZZZ ZZZZ ZZZZ ZZZ٢")
    assert "ZZZZ" not in caplog.text


def test_every_rule_refuses_a_canary_that_it_does_not_match() -> None:
    with pytest.raises(ConfigurationError, match="own canary"):
        OwnRecogniser(Rule("X", "X", frozenset({"en"}), (RulePattern("x", "abc", 0.5, "xyz"),)))
    assert len({rule.name for rule in RULES}) == len(RULES)


def test_spans_lie_inside_their_messages_and_are_sorted() -> None:
    texts = ("my name is Jo, ４１５-555-0132 &#52;", "mail jo@exa\u00admple.com", "born 3 March 1990")
    spans = spans_of(*texts)
    assert spans
    assert all(0 <= s.start < s.end <= len(texts[s.turn]) for s in spans)
    assert [(s.turn, s.start) for s in spans] == sorted((s.turn, s.start) for s in spans)
