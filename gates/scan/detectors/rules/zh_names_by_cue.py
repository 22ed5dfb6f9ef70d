"""Chinese names that the text introduces: 我叫X, 姓名：X, and family name + title. HIPAA (A).

A name is a family name of the list below and one or two characters, ended by punctuation or by a word that cannot be
part of a name.
"""

from __future__ import annotations

from gates.scan.detectors.base import Rule, RulePattern

from .common import ZH

# The hundred most frequent family names (public statistics) without those that are everyday words; double names apart.
SURNAMES = (
    "王李张刘陈杨黄赵周吴徐孙朱马胡郭林何高梁郑罗宋谢唐韩曹许邓萧冯曾程蔡彭"
    "潘袁董余苏叶吕魏蒋田杜丁沈姜范傅钟卢汪戴崔陆廖姚邹熊郝孔崔康毛邱秦顾侯"
    "邵孟龙万段雷钱汤尹黎武乔贺赖龚文庞樊施洪翟倪严牛温芦俞章鲁葛韦申"
)
DOUBLE = ("欧阳", "司马", "上官", "诸葛", "司徒", "东方", "夏侯", "皇甫", "慕容", "令狐", "端木", "南宫")
# Family names that are also common words before a title ("谢谢老师").
_TITLE_SURNAMES = (
    "王李张刘陈杨黄赵周吴徐孙朱马胡郭林梁郑罗宋唐韩曹许"
    "邓萧冯曾程蔡彭潘袁董余苏吕魏蒋田杜丁沈姜范傅钟卢汪"
    "戴崔陆廖姚邹熊郝孔秦顾侯邵孟贺赖龚庞樊洪翟倪"
)
TITLES = "医生|大夫|老师|教授|主任|先生|女士|小姐|太太|咨询师|护士|同学|阿姨|叔叔|师傅|经理"
NOT_IN_NAMES = (
    "的了是在和也不我你他她它们这那有就都很到会"
    "要说来去吗呢吧啊呀没么什怎为被把让给跟对从"
    "向但而且或与及个只能可以想做过着起得地"
)
_GIVEN = rf"[^\W\d_A-Za-z{NOT_IN_NAMES}]"
_END = rf"(?=[^\w]|$|[{NOT_IN_NAMES}]|今年|现在|来自|目前|女|男|\d)"
_SURNAME = rf"(?:{'|'.join(DOUBLE)}|[{SURNAMES}])"
_NAME = rf"(?:{_SURNAME}{_GIVEN}{{2}}{_END}|{_SURNAME}{_GIVEN}{_END}|{_SURNAME}{_GIVEN}{{2}}(?!\w))"
_NICK = rf"(?:[小阿老]{_GIVEN}{{1,2}}{_END})"
_CUE = r"(?:我(?:的名字)?(?:就)?叫做?|我的名字(?:是|叫做?)|我名叫|(?:姓名|名字)\s*[:：是]|名叫|叫我)\s*"

STATED = Rule(
    entity="PERSON",
    name="ZhStatedNameRule",
    languages=ZH,
    patterns=(
        RulePattern("我叫", rf"{_CUE}(?P<v>{_NAME})", 0.8, "我叫王小明，"),
        RulePattern("我叫小X", rf"(?:我(?:的名字)?叫|我的名字是|可以叫我|名叫)\s*(?P<v>{_NICK})", 0.5, "我叫小芳。"),
        RulePattern("我姓", rf"我姓(?P<v>{_SURNAME}){_END}", 0.6, "我姓欧阳，"),
    ),
    notes=(SURNAMES, NOT_IN_NAMES, *DOUBLE),
)

TITLED = Rule(
    entity="PERSON",
    name="ZhTitledNameRule",
    languages=ZH,
    patterns=(
        RulePattern(
            "X医生",
            rf"(?<![^\W{NOT_IN_NAMES}位名由请问向找谢见好])(?P<v>[{_TITLE_SURNAMES}])(?:{TITLES})",
            0.5,
            "请李医生",
        ),
        RulePattern(
            "full name and title",
            rf"(?<![^\W{NOT_IN_NAMES}位名由请问向找谢见好])(?P<v>[{_TITLE_SURNAMES}]{_GIVEN}{{1,2}})(?:医生|大夫|教授|先生|女士|咨询师)",
            0.5,
            "请李小明医生",
        ),
    ),
    notes=(_TITLE_SURNAMES, TITLES),
)
