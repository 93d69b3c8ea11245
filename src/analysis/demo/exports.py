"""Exports of the CRM and the service desk: customers, contacts, notes, tickets, people."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd

from analysis.demo import chance, replies, words
from analysis.demo.accounts import TEST_IDS, credit_codes
from analysis.demo.kinds import START, rng

DUPLICATES = 0.008
TEST_NAMES = ("测试客户一", "测试客户二（勿删）", "系统测试专用", "演示账号有限公司")
BAD_PHONES = ("12345", "1380013", "无", "0000")
PADDED = 0.003  # share of the sales notes whose customer number carries a full-width space
WRONG_CODES = 0.01  # share of the social credit codes typed with a wrong letter
DEPARTMENTS = {
    "delivery": "物流部",
    "response": "售后服务部",
    "price": "商务部",
    "quality": "质量部",
    "coordination": "销售部",
}
STRANGER = "KH9"  # customers that the customer table does not hold


def _few(rate: float, size: int) -> int:
    """So many of `size`, at least two."""
    return min(size, max(2, round(rate * size)))


def customers(
    population: pd.DataFrame,
    clean: pd.DataFrame,
    handed: int,
    seed: int,
) -> pd.DataFrame:
    """The customer list: some numbers twice, some companies twice, four test accounts.

    Parameters
    ----------
    clean
        Clean order lines: ``customer, day, order, amount`` [fen].
    handed
        Rows of `population` at the hand-over: faults stand among these.
    seed
        Of the chance that hangs on each customer.
    """
    stream = rng(seed, "customer dirt")
    ids = population["customer_id"]
    number = ids.to_numpy().astype(object)
    parent = population["parent"].to_numpy()
    size = len(population)
    code = credit_codes(population)
    empty = chance.uniform(ids, seed, "no credit code") < 0.12
    own = np.nonzero(~empty[:handed] & (population["same_as"].to_numpy()[:handed] < 0))[0]
    wrong = stream.choice(own, size=_few(WRONG_CODES, len(own)), replace=False)
    code[wrong] = [c[:-1] for c in code[wrong]]
    code[empty] = ""
    flaw = np.where(population["same_as"].to_numpy() >= 0, "same_company", "").astype(object)
    flaw[wrong] = "wrong_credit_code"
    held = chance.whole(ids, seed, "handed on", 0, 3)
    phone = chance.whole(ids, seed, "telephone", 0, 10**7)
    sold = _deals(clean, size)
    frame = pd.DataFrame(
        {
            "客户编号": number,
            "客户名称": population["name"],
            "客户级别": population["tier"],
            "客户类型": np.where(population["on_trial"], "潜在客户", "最终用户"),
            "1级行业": population["industry"],
            "人员规模": population["size"],
            "国家": "中国",
            "销售大区": population["region"],
            "省": population["province"],
            "市": population["city"],
            "电话": [f"0190-{n:08d}" for n in phone.tolist()],
            "统一社会信用代码": code,
            "上级客户": np.where(parent >= 0, number[parent], ""),
            "成交状态": sold["状态"],
            "最后一次成交时间": sold["时间"],
            "最后一次成交金额": sold["金额"],
            "所属公海": population["region"] + "公海",
            "转手次数": held,
            "退回/收回原因": np.where(held == 2, "超期未跟进", ""),
            "负责人编码": population["owner_id"],
            "归属部门编码": population["team_id"],
            "需求类型": population["need"],
            "是否试用": np.where(population["on_trial"], "是", "否"),
            "创建时间": population["joined"],
            "生命状态": "正常",
            "_why": "",
            "_flaw": flaw,
        }
    )
    size = len(frame)
    twice = np.sort(stream.choice(handed, size=_few(DUPLICATES, handed), replace=False))
    copies = frame.iloc[twice].assign(
        **{"1级行业": "", "人员规模": "", "_why": "repeated_keys", "_flaw": ""}
    )
    test = pd.concat([frame.iloc[:1]] * len(TEST_NAMES), ignore_index=True)
    test = test.assign(
        客户编号=TEST_IDS,
        客户名称=TEST_NAMES,
        是否试用="否",
        统一社会信用代码="",
        上级客户="",
        _flaw="",
        创建时间=START - timedelta(days=900),
        _why="test_accounts",
    )
    both = pd.concat([frame, copies, test], ignore_index=True)
    # a copy stands somewhere below its original, a test account anywhere
    place = np.concatenate(
        [
            np.arange(size, dtype=float),
            twice + 0.5 + np.floor(stream.random(len(twice)) * (size - twice)),
            np.floor(stream.random(len(test)) * size) + 0.25,
        ]
    )
    both = both.iloc[np.argsort(place, kind="stable")].reset_index(drop=True)
    return both.assign(_key=both["客户编号"])


def _deals(clean: pd.DataFrame, size: int) -> dict[str, list[object]]:
    """State, day and money of every customer's last deal."""
    bought = clean[clean["amount"] > 0]
    orders = bought.groupby(["customer", "day", "order"])["amount"].sum().reset_index()
    deals = orders.groupby("customer")
    last = deals[["day", "amount"]].last().reindex(range(size))
    number = deals.size().reindex(range(size), fill_value=0).to_numpy()
    return {
        "状态": np.array(["未成交", "已成交", "多次成交"])[np.minimum(number, 2)].tolist(),
        "时间": ["" if np.isnan(d) else START + timedelta(days=int(d)) for d in last["day"]],
        "金额": ["" if np.isnan(f) else int(f) / 100 for f in last["amount"]],
    }


def contacts(
    found: pd.DataFrame, population: pd.DataFrame, stream: np.random.Generator
) -> pd.DataFrame:
    """The contact list: some without a number one could call."""
    wrong = np.zeros(len(found), dtype=bool)
    wrong[stream.choice(len(found), size=_few(0.01, len(found)), replace=False)] = True
    bad = np.array(BAD_PHONES, dtype=object)[stream.integers(len(BAD_PHONES), size=len(found))]
    customer = found["customer"].to_numpy()
    return pd.DataFrame(
        {
            "联系人编号": found["contact_id"],
            "客户编号": population["customer_id"].to_numpy()[customer],
            "客户名称": population["name"].to_numpy()[customer],
            "姓名": found["name"],
            "职务": found["title"],
            "部门": found["department"],
            "角色": found["role"],
            "影响力": found["influence"],
            "态度": found["leaning"],
            "手机": np.where(wrong, bad, found["phone"]),
            "邮件": np.where(wrong, "", found["mail"]),
            "_why": np.where(wrong, "wrong_contacts", ""),
            "_key": found["contact_id"],
        }
    )


def activities(
    found: pd.DataFrame, population: pd.DataFrame, tag: str, stream: np.random.Generator
) -> pd.DataFrame:
    """Sales notes: some of customers nobody knows, some dated in the future."""
    size = len(found)
    fault = stream.permutation(size)
    strange, future = fault[: _few(0.002, size)], fault[-2:]
    code = population["customer_id"].to_numpy().astype(object)[found["customer"]]
    when = found["when"].dt.strftime("%Y/%m/%d %H:%M").to_numpy().astype(object)
    why = np.full(size, "", dtype=object)
    code[strange] = [f"{STRANGER}{n:05d}" for n in range(len(strange))]
    why[strange] = "unknown_customer"
    when[future] = "2035/03/15 09:30"
    why[future] = "after_as_of"
    padded = fault[_few(0.002, size) : _few(0.002, size) + _few(PADDED, size)]
    code[padded] = "　" + code[padded]
    number = [f"JL{tag}{n:07d}" for n in range(1, size + 1)]
    city = population["province"].to_numpy().astype(object) + population["city"].to_numpy()
    there = (found["kind"] == "现场拜访").to_numpy() & (stream.random(size) < 0.9)
    return pd.DataFrame(
        {
            "记录编号": number,
            "关联客户编号": code,
            "互动类型": found["kind"],
            "互动时间": when,
            "外勤签到": np.where(found["kind"] == "现场拜访", np.where(there, "是", "否"), ""),
            "签到地点": np.where(there, city[found["customer"]], ""),
            "创建人编码": found["owner_id"],
            "跟进内容": found["text"],
            "_why": why,
            "_flaw": np.where(np.isin(np.arange(size), padded), "padded_key", ""),
            "_key": number,
            "_customer": population["customer_id"].to_numpy()[found["customer"]],
            "_pain": found["pain"],
            "_private": found["private"],
        }
    )


def tickets(
    found: pd.DataFrame, population: pd.DataFrame, tag: str, stream: np.random.Generator
) -> pd.DataFrame:
    """Service tickets: some stand twice, some belong to a test account."""
    size = len(found)
    number = [f"GD{tag}{n:06d}" for n in range(1, size + 1)]
    customer = found["customer"].to_numpy()
    rated = found["satisfaction"]
    rating: list[object] = [
        int(r) if known else "" for r, known in zip(rated, rated.notna(), strict=True)
    ]
    drawn = stream.random(size)
    offered = [replies.ANSWERS[pain] for pain in found["pain"]]
    answer = [o[int(u * len(o))] for o, u in zip(offered, drawn, strict=True)]
    frame = pd.DataFrame(
        {
            "工单编号": number,
            "客户编号": population["customer_id"].to_numpy().astype(object)[customer],
            "客户名称": population["name"].to_numpy()[customer],
            "问题类型": found["kind"],
            "紧急程度": found["priority"],
            "问题描述": found["text"],
            "受理时间": _moments(found["opened"]),
            "首次响应时间": _moments(found["answered"]),
            "完成时间": _moments(found["closed"]),
            "是否质保内": np.where(stream.random(size) < 0.7, "是", "否"),
            "责任部门": found["pain"].map(DEPARTMENTS).fillna("技术支持部"),
            "处理结果": np.where(found["closed"].notna(), answer, "处理中"),
            "满意度": pd.Series(rating, dtype=object),
            "_why": "",
            "_key": number,
            "_customer": population["customer_id"].to_numpy()[customer],
            "_pain": found["pain"],
            "_private": False,
        }
    )
    fault = stream.permutation(size)
    test = fault[: _few(0.002, size)]
    frame.loc[test, ["客户编号", "客户名称", "_why"]] = [
        TEST_IDS[0],
        TEST_NAMES[0],
        "test_accounts",
    ]
    again = np.sort(fault[-_few(0.004, size) :])
    copies = frame.iloc[again].assign(_why="repeated_keys")
    copies.index = pd.Index(again)
    return pd.concat([frame, copies]).sort_index(kind="stable").reset_index(drop=True)


def _moments(when: pd.Series) -> pd.Series:
    """Python moments; an empty cell where there is none."""
    cells = [w.to_pydatetime() if w is not pd.NaT else "" for w in when]
    return pd.Series(cells, dtype=object)


def people(found: pd.DataFrame) -> pd.DataFrame:
    """The staff list."""
    headers = {
        "person_id": "员工编号",
        "name": "姓名",
        "role": "岗位",
        "team_id": "部门编码",
        "team": "部门",
        "manager_id": "直属上级编号",
        "capacity": "每季拜访能力（次）",
    }
    return found.rename(columns=headers).assign(_why="", _key=found["person_id"])


def title(as_of: date) -> str:
    """The line above the header of the customer list."""
    return f"{words.COMPANY}有限公司 客户资料导出（截至{as_of:%Y年%m月%d日}）"
