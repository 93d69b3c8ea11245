"""Amounts in the capital numerals of cheques and invoices: 壹万贰仟叁佰元整."""

from __future__ import annotations

import re
from decimal import Decimal

_DIGITS = {c: i for i, c in enumerate("零壹贰叁肆伍陆柒捌玖")} | {"两": 2, "〇": 0}
_PLACES = (("仟", 1000), ("佰", 100), ("拾", 10), ("", 1))
_VARIANTS = str.maketrans("贰弍兩两陸圓圆億萬參貮弎園", "贰贰贰贰陆元元亿万叁贰叁元")
_LOOKS = re.compile(
    r"\A(?:人民币)?负?[零〇壹贰弍兩叁參肆伍陆陸柒捌玖拾佰仟万萬亿億元圆圓角分整正]+\Z"
)
_AMOUNT = re.compile(
    r"\A(?:人民币)?(?P<minus>负)?(?:(?P<yi>[^亿万元]+)亿)?(?:(?P<wan>[^亿万元]+)万)?"
    r"(?P<ones>[^亿万元角分整正]*)(?P<yuan>元)?"
    r"(?:零?(?P<jiao>[壹贰叁肆伍陆柒捌玖])角)?(?:零?(?P<fen>[壹贰叁肆伍陆柒捌玖])分)?[整正]?\Z"
)


def looks(text: str) -> bool:
    """Whether a text is made of capital numerals alone."""
    return _LOOKS.match(text) is not None


def parse(text: str) -> Decimal | None:
    """An amount in capital numerals; None where it is not written as the rules say.

    Within four digits the places fall (仟, 佰, 拾), none stands twice, and what is left out in
    between is a 零; ``壹万贰`` could be 12,000 or 10,002 and is none.
    """
    found = _AMOUNT.match(text.translate(_VARIANTS).replace("〇", "零"))
    if found is None or not (found["yi"] or found["wan"] or found["ones"]):
        return None
    if (found["jiao"] or found["fen"]) and not found["yuan"]:
        return None
    total = 0
    for part, factor in ((found["yi"], 10**8), (found["wan"], 10**4), (found["ones"], 1)):
        value = _four(part or "", inner=total > 0)
        if value is None or (part and factor > 1 and not value):
            return None  # 零万 is no number
        total += value * factor
    amount = Decimal(total) + Decimal(_DIGITS[found["jiao"] or "零"]) / 10
    amount += Decimal(_DIGITS[found["fen"] or "零"]) / 100
    return -amount if found["minus"] else amount


def _four(text: str, *, inner: bool) -> int | None:
    """Up to 9999; `inner`: a larger part stands before, so that a gap needs its 零."""
    if text in ("", "零"):
        return 0
    total, rest, gap, started = 0, text, inner, False
    for mark, size in _PLACES:
        zero = rest.startswith("零")
        body = rest[1:] if zero else rest
        if body and body[0] in _DIGITS and body[0] != "零" and body[1 : 1 + len(mark)] == mark:
            if zero and not gap:
                return None
            if gap and started and not zero:
                return None
            if inner and not started and size < 1000 and not zero:
                return None
            total += _DIGITS[body[0]] * size
            rest, gap, started = body[1 + len(mark) :], False, True
        else:
            gap = True
    return total if rest in ("", "零") else None
