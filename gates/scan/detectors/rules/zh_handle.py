"""WeChat, QQ and Weibo identifiers after their cue."""

from __future__ import annotations

from gates.scan.detectors.base import Rule, RulePattern

from .common import BOTH

_LINK = r"(?:号码|账号|帐号|号|id|ID)?\s*(?:是|为|叫|[:：=])*\s*"

RULE = Rule(
    entity="SOCIAL_HANDLE",
    name="ZhHandleRule",
    languages=BOTH,
    patterns=(
        RulePattern(
            "QQ", rf"(?<![A-Za-z])(?:扣扣|企鹅|QQ){_LINK}(?P<v>[1-9]\d{{4,11}})(?!\d)", 0.8, "我的QQ号是123456789"
        ),
        RulePattern(
            "WeChat",
            (
                rf"(?:微信|威信|(?<![A-Za-z])(?:wechat|weixin|vx|wx)(?![A-Za-z]))"
                rf"{_LINK}(?P<v>[A-Za-z][\w-]{{5,19}}|[1-9]\d{{5,11}})(?![\w-])"
            ),
            0.8,
            "加微信：wxid_jo2020",
        ),
        RulePattern(
            "Weibo", rf"(?:微博|抖音|小红书){_LINK}(?P<v>@?[A-Za-z0-9_]{{5,20}})(?!\w)", 0.6, "微博号是jo_doe2020"
        ),
    ),
)
