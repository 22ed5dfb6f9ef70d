"""Full Chinese dates, dates of birth after a cue, and ages over 89. A year or a month alone is no identifier."""

from __future__ import annotations

from gates.scan.detectors.base import Rule, RulePattern

from .common import ZH

_YEAR = r"(?:(?:18|19|20)\d{2}|[一二][〇零○一二三四五六七八九]{3})"
_MONTH = r"(?:1[0-2]|0?[1-9]|十[一二]?|[一二三四五六七八九])"
_DAY = r"(?:3[01]|[12]\d|0?[1-9]|三十一?|二?十[一二三四五六七八九]?|[一二三四五六七八九])"
_CUE = r"(?:出生日期|出生年月|出生于|出生在|生日|生于)\s*(?:是|为|在|[:：])*\s*"

CUED = Rule(
    entity="DATE_OF_BIRTH",
    name="ZhBirthDateRule",
    languages=ZH,
    patterns=(
        RulePattern(
            "cue",
            rf"{_CUE}(?P<v>(?:{_YEAR}年)?{_MONTH}月{_DAY}[日号]?|{_YEAR}[-./]{_MONTH}[-./]{_DAY})",
            0.85,
            "生日是3月5日",
        ),
        RulePattern("month and year", rf"{_CUE}(?P<v>{_YEAR}年{_MONTH}月)", 0.6, "出生于1990年3月"),
    ),
)

FULL = Rule(
    entity="DATE_TIME",
    name="ZhDateRule",
    languages=ZH,
    patterns=(
        RulePattern("year month day", rf"(?<!\d){_YEAR}\s?年\s?{_MONTH}\s?月\s?{_DAY}\s?[日号]", 0.6, "1990年3月5日"),
    ),
)

AGE = Rule(
    entity="AGE_OVER_89",
    name="ZhAgeRule",
    languages=ZH,
    patterns=(
        RulePattern("digits", r"(?<![\d.-])(?P<v>9\d|1[01]\d)\s?(?:多)?(?:周)?岁", 0.7, "今年93岁"),
        RulePattern(
            "characters",
            r"(?<!百)(?P<v>九十[一二三四五六七八九]?|一百[零一二三四五六七八九十]{0,3})(?:多|几)?岁",
            0.6,
            "九十三岁",
        ),
    ),
)
