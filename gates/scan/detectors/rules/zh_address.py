"""Chinese addresses: administrative units followed by a road with a number, or a building, unit and room. HIPAA (B)."""

from __future__ import annotations

from gates.scan.detectors.base import Rule, RulePattern

from .common import ZH

NOT_IN_PLACES = "我你他她它们住在是的了去到从和就也都还那这有没个了说想很跟与把被给让"
_HAN = rf"[^\W\d_A-Za-z{NOT_IN_PLACES}]"
_NUMBER = r"(?:\d{1,5}|[一二三四五六七八九十百零〇]{1,5})"
_ROAD = rf"{_HAN}{{1,10}}?(?:路|街|大道|巷|弄|胡同|村|里|镇|小区|花园|大厦)"
_UNITS = rf"(?:{_HAN}{{2,8}}?(?:省|自治区))?{_HAN}{{2,8}}?(?:市|自治州|地区|盟){_HAN}{{1,8}}?(?:区|县|镇|旗)"
_HOUSE = rf"{_NUMBER}\s?(?:号|弄|巷)(?:{_HAN}{{0,10}}?{_NUMBER}\s?(?:号楼|栋|幢|座|单元|楼|层|室|号))*"

RULE = Rule(
    entity="STREET_ADDRESS",
    name="ZhAddressRule",
    languages=ZH,
    notes=(NOT_IN_PLACES,),
    patterns=(
        RulePattern("units and road", rf"{_UNITS}{_ROAD}(?:{_HOUSE})?", 0.7, "北京市朝阳区建国路88号"),
        RulePattern(
            "road and number", rf"{_HAN}{{1,6}}?(?:路|街|大道|胡同){_NUMBER}\s?(?:号|弄)(?!线)", 0.6, "建国路88号"
        ),
        RulePattern(
            "building and room",
            rf"{_NUMBER}\s?(?:号楼|栋|幢|座){_NUMBER}\s?(?:单元|室|号|层)(?:{_NUMBER}\s?室?)?",
            0.6,
            "3号楼2单元501室",
        ),
    ),
)
