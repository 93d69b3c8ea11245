"""The other exports: customers, contacts, sales notes, tickets, people, measures, targets."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd

from analysis.demo import documents, words
from analysis.demo.kinds import START
from analysis.demo.measures import MEASURES

DUPLICATES = 0.008
TEST_NAMES = ("测试客户一", "测试客户二（勿删）", "系统测试专用", "演示账号有限公司")
BAD_PHONES = ("12345", "1380013", "无", "0000")
STRETCH = (1.02, 0.985, 1.04, 1.01)  # target against what came in, by quarter
STRANGER = "KH9"  # customers that the customer table does not hold


def _few(rate: float, size: int) -> int:
    """So many of `size`, at least two."""
    return min(size, max(2, round(rate * size)))


def customers(population: pd.DataFrame, stream: np.random.Generator) -> pd.DataFrame:
    """The customer list: some numbers twice, four test accounts."""
    frame = pd.DataFrame(
        {
            "客户编号": population["customer_id"],
            "客户名称": population["name"],
            "客户级别": population["tier"],
            "1级行业": population["industry"],
            "人员规模": population["size"],
            "销售大区": population["region"],
            "省": population["province"],
            "市": population["city"],
            "负责人编码": population["owner_id"],
            "归属部门编码": population["team_id"],
            "需求类型": population["need"],
            "是否试用": np.where(population["on_trial"], "是", "否"),
            "创建时间": population["joined"],
            "生命状态": "正常",
            "_why": "",
        }
    )
    size = len(frame)
    twice = np.sort(stream.choice(size, size=_few(DUPLICATES, size), replace=False))
    copies = frame.iloc[twice].assign(**{"1级行业": "", "人员规模": "", "_why": "repeated_keys"})
    test = pd.concat([frame.iloc[:1]] * len(TEST_NAMES), ignore_index=True)
    test = test.assign(
        客户编号=documents.TEST_IDS,
        客户名称=TEST_NAMES,
        是否试用="否",
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
    number = [f"JL{tag}{n:07d}" for n in range(1, size + 1)]
    return pd.DataFrame(
        {
            "记录编号": number,
            "关联客户编号": code,
            "互动类型": found["kind"],
            "互动时间": when,
            "创建人编码": found["owner_id"],
            "跟进内容": found["text"],
            "_why": why,
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
        documents.TEST_IDS[0],
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


def treatments(assigned: pd.DataFrame, population: pd.DataFrame) -> pd.DataFrame:
    """Who got which measure last quarter, and who was left to the next batch."""
    label = {measure.strategy: measure.label for measure in MEASURES}
    customer = assigned["customer"].to_numpy()
    treated = (assigned["arm"] == "treated").to_numpy()
    start = [f"{START + timedelta(days=int(d)):%Y.%m.%d}" for d in assigned["start"]]
    code = population["customer_id"].to_numpy()[customer]
    return pd.DataFrame(
        {
            "客户编号": code,
            "客户名称": population["name"].to_numpy()[customer],
            "动作": assigned["strategy"].map(label),
            "分组": np.where(treated, "已执行", "留到下一批"),
            "开始日期": start,
            "费用(元)": assigned["cost"],
            "是否完成": np.where(assigned["done"], "是", "否"),
            "_why": "",
            "_key": code + "/" + assigned["strategy"],
        }
    )


def targets(quarters: dict[str, int], population: pd.DataFrame) -> pd.DataFrame:
    """The year's targets: money in 万元, set a little above what came in.

    Parameters
    ----------
    quarters
        Revenue of the quarters of the last year [fen], by name.
    """
    size = len(population)
    rows: list[tuple[str, str, object, str]] = []
    stretched = zip(STRETCH, sorted(quarters.items()), strict=False)
    goals = {name: _round(fen / 1e6 * factor, 50) for factor, (name, fen) in stretched}
    goals[max(quarters)[:4]] = _round(sum(goals.values()) * 4 / len(goals) * 1.03, 100)
    for name, goal in goals.items():
        rows.append(("发货收入", name, f"{goal:,}万", "元"))
    last = max(quarters)
    rows += [
        ("毛利率", last, 0.29, "比率"),
        ("老客户留存率", last, 0.88, "比率"),
        ("高价值客户数", last, round(0.14 * size), "家"),
        ("新客户数", last, round(0.055 * size), "家"),
        ("客户覆盖率", last, 0.55, "比率"),
        ("满意度", last, 3.8, "分"),
    ]
    frame = pd.DataFrame(rows, columns=["指标", "期间", "目标值", "单位"])
    frame.insert(2, "客户类型", "全部")
    return frame.assign(_why="", _key=frame["指标"] + "/" + frame["期间"])


def _round(value: float, step: int) -> int:
    return round(value / step) * step


def title(as_of: date) -> str:
    """The line above the header of the customer list."""
    return f"{words.COMPANY}有限公司 客户资料导出（截至{as_of:%Y年%m月%d日}）"
