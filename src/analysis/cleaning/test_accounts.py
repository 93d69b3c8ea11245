"""Test accounts by their words, without taking a testing company for one."""

from __future__ import annotations

import re
from collections.abc import Sequence

# What may follow a Chinese test word inside a name that is a test account's.
_AFTER = (
    r"(?:客户|账号|帐号|账户|帐户|用户|数据|专用|公司|企业|单位|联系人"
    r"|请勿|勿动|用|号|[\s\d_)(\[\]】【（）\-]|$)"
)
_BEFORE = r"(?:^|[\s_(\[【（\-])"


def pattern(words: Sequence[str]) -> str:
    """One regular expression (RE2) for all words.

    A Latin word counts as a whole word (``test01``, ``Test-A``, not ``Contest``). A Chinese
    word counts at the start of a name, at its end, in brackets or before words such as 客户
    or 账号: ``测试客户`` is a test account, ``苏州华测测试技术有限公司`` is not.
    """
    parts = []
    for word in words:
        plain = re.escape(word.strip())
        if not plain:
            continue
        if word.isascii():
            parts.append(rf"(?:^|[^a-z]){plain}(?:[^a-z]|$)")
        else:
            parts.append(rf"(?:{_BEFORE}{plain}|{plain}{_AFTER})")
    return "(?i)" + "|".join(parts) if parts else r"\A\z.^"
