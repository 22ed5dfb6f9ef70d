"""The table of the demo's good sources: where each lies, what it holds, its shape and its share; writes nothing."""

from __future__ import annotations

from dataclasses import dataclass

from mhds.demo import compose, containers
from mhds.demo.compose import Composer
from mhds.demo.containers import Shape

PROCESSED = "gdrive/processed/"


@dataclass(frozen=True, slots=True)
class SourcePlan:
    """``share_bp`` of the bucket's bytes go to this source (0: whatever is left); ``name`` numbers its objects.

    ``wraps`` are suffixes applied in turn to successive objects ("" plain, ``.gz``, ``.zst``).
    """

    id: str
    prefix: str
    family: str
    compose: Composer
    shape: Shape
    share_bp: int
    name: str = "part-{number:05d}"
    language: str = "en"
    exchanges: int = 0  # of hand-written conversations, only those with so many exchanges fit (0: any)
    wraps: tuple[str, ...] = ("",)


def _plan(
    family: str,
    source: str,
    make: Composer,
    shape: Shape,
    share_bp: int,
    name: str = "part-{number:05d}",
    *,
    root: str = PROCESSED,
    language: str = "en",
    exchanges: int = 0,
    wraps: tuple[str, ...] = ("",),
) -> SourcePlan:
    prefix = f"{root}{source}/" if root != PROCESSED else f"{PROCESSED}{family}/{source}/"
    return SourcePlan(source, prefix, family, make, shape, share_bp, name, language, exchanges, wraps)


_JSONL = Shape(containers.chatml, containers.jsonl, ".jsonl")
_FILE_EACH = Shape(containers.client_counselor, containers.single, ".json", part_bytes=0)
_TXT = Shape(containers.transcript("Client: ", "Therapist: "), containers.single, ".txt", part_bytes=0)
_ZH_TXT = Shape(
    containers.transcript("来访者：", "心理咨询师：", newline="\r\n"), containers.single, ".txt", part_bytes=0
)
_NESTED = Shape(containers.nested, containers.nested_runs, ".json")
_QA_CSV = Shape(containers.question_answer_row, containers.csv_table("question", "answer"), ".csv")
_SHAREGPT = Shape(containers.sharegpt, containers.json_array, ".json")
_PARQUET = Shape(containers.prompt_response, containers.parquet_table, ".parquet")
_PROMPTS = Shape(containers.prompt_response, containers.jsonl, ".jsonl")
_COT = Shape(containers.complex_cot, containers.jsonl, ".jsonl")
_NOTES = Shape(containers.reasoning, containers.jsonl, ".jsonl")
_SESSIONS = Shape(containers.dialog, containers.wrapped("sessions"), ".json")
_PERSONA_CSV = Shape(
    containers.persona_row,
    containers.csv_table("user 1 personas", "user 2 personas", "Best Generated Conversation"),
    ".csv",
)
_PERSONA_LINES = Shape(containers.persona_lines, containers.jsonl, ".jsonl")

_THERAPY, _PRIORITY, _COT_FAMILY, _EDGE, _VOICE = (
    "professional_therapeutic",
    "priority",
    "cot_reasoning",
    "edge_cases",
    "voice",
)
HOLDOUT = "long_running_therapy"

# The last one takes what is left of the size, so that the total comes out right.
PLANS: tuple[SourcePlan, ...] = (
    _plan(
        _THERAPY, "open_door_sessions", compose.therapy_session, _FILE_EACH, 200, "Session {number:04d} – Café am See"
    ),
    _plan(_THERAPY, "riverside_transcripts", compose.therapy_session, _TXT, 250, "transcript {number:04d}"),
    _plan(_THERAPY, "qingkong_zh", compose.chinese_session, _ZH_TXT, 200, "咨询记录{number:04d}", language="zh"),
    _plan(_THERAPY, "nested_supervision", compose.therapy_session, _NESTED, 300, "runs_{number:02d}"),
    _plan(_PRIORITY, "first_questions", compose.question_and_answer, _QA_CSV, 650, exchanges=1),
    _plan(_PRIORITY, "short_dialogues", compose.short_dialogue, _SHAREGPT, 700),
    _plan(_PRIORITY, "qa_parquet", compose.question_and_answer, _PARQUET, 450, "train-{number:05d}", exchanges=1),
    _plan(_PRIORITY, "zh_questions", compose.chinese_question, _PROMPTS, 200, language="zh", exchanges=1),
    _plan(_COT_FAMILY, "clinical_reasoning", compose.clinical_reasoning, _COT, 1300, exchanges=1),
    _plan(_COT_FAMILY, "formulation_notes", compose.clinical_reasoning, _NOTES, 220, exchanges=1, wraps=(".zst",)),
    _plan(_EDGE, "crisis_drills", compose.crisis_dialogue, _JSONL, 650),
    _plan(_EDGE, "safety_scenarios", compose.crisis_dialogue, _SESSIONS, 350, root="edge_cases/"),
    _plan(_VOICE, "companion_voices", compose.warm_talk, _PERSONA_CSV, 500, root="voice/"),
    _plan(_VOICE, "warm_line", compose.warm_talk, _PERSONA_LINES, 300, root="voice/"),
    _plan(HOLDOUT, "long_view_holdout", compose.holdout_session, _JSONL, 100),
    _plan(_THERAPY, "harbour_clinic_dialogues", compose.therapy_session, _JSONL, 0, wraps=("", ".gz", "", ".zst")),
)
