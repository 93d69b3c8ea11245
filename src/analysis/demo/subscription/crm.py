"""The files of the CRM and of the help desk."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd

from analysis.demo import words as places
from analysis.demo.cells import money as yuan
from analysis.demo.company import person_name
from analysis.demo.subscription import dirt, words
from analysis.demo.subscription.dirt import Fault, again, cycled, numbered
from analysis.demo.subscription.kinds import AS_OF, DAYS, START, dates

STRANGER = "KH9"  # customers that the customer table does not hold
BAD_PHONES = ("12345", "1380013", "无", "0000")


def title() -> str:
    """The line above the header of the customer list."""
    return f"{words.COMPANY}有限公司 客户资料导出（截至{AS_OF:%Y年%m月%d日}）"


def customers(
    folk: pd.DataFrame, book: pd.DataFrame, notes: pd.DataFrame, stream: np.random.Generator
) -> pd.DataFrame:
    """The customer list."""
    size = len(folk)
    signed = book.groupby("customer")
    number = signed.size().reindex(range(size)).fillna(0).to_numpy()
    last = signed.tail(1).set_index("customer")
    when = last["signed"].reindex(range(size))
    amount = last["amount"].reindex(range(size))
    talked = notes.groupby("customer")["when"].max().reindex(range(size))
    parent = folk["parent"].to_numpy()
    np.array(["未成交", "已成交", "多次成交"])[np.clip(number, 0, 2).astype(int)]
    frame = pd.DataFrame(
        {
            "客户编号": folk["customer_id"],
            "客户名称": folk["name"],
            "客户级别": folk["tier"],
            "客户类型": np.where(parent >= 0, "集团子公司", "独立企业"),
            "来源": folk["source"],
            "1级行业": folk["industry"],
            "员工人数": folk["staff"],
            "人员规模": folk["size"],
            "销售大区": folk["region"],
            "省": folk["province"],
            "市": folk["city"],
            "电话": [f"0{n % 900 + 100}-{n:07d}" for n in range(2_000_001, 2_000_001 + size)],
            "成交状态": np.array(["未成交", "已成交", "多次成交"])[
                np.clip(number, 0, 2).astype(int)
            ],
            "最后一次成交时间": _days(when),
            "最后一次成交金额": ["" if np.isnan(a) else a / 100 for a in amount],
            "最后跟进时间": [w.to_pydatetime() if w is not pd.NaT else "" for w in talked],
            "统一社会信用代码": [f"91990000MA{n:08d}" for n in range(1, size + 1)],
            "上级客户": np.where(parent >= 0, folk["customer_id"].to_numpy()[parent], ""),
            "负责人编码": folk["csm_id"],
            "归属部门编码": folk["team_id"],
            "是否试用": np.where(folk["on_trial"], "是", "否"),
            "创建时间": folk["joined"],
            "生命状态": "正常",
        }
    )
    test: dict[str, dirt.Change] = {
        "客户编号": cycled(dirt.TEST_IDS),
        "客户名称": cycled(dirt.TEST_NAMES),
        "是否试用": "否",
        "创建时间": START - timedelta(days=900),
    }
    void = {**numbered("客户编号", "KH98"), "生命状态": "作废", "是否试用": "否"}
    faults = (
        Fault("repeated_keys", 0.008, {"1级行业": ""}),
        Fault("test_accounts", len(dirt.TEST_IDS) / size, test),
        Fault("voided", 0.003, void),
    )
    return dirt.spoil(frame, "客户编号", faults, stream)


def _days(when: pd.Series) -> list[date | str]:
    return ["" if np.isnan(d) else START + timedelta(days=int(d)) for d in when]


def contacts(found: pd.DataFrame, folk: pd.DataFrame, stream: np.random.Generator) -> pd.DataFrame:
    """The contact list: some cannot be reached."""
    wrong = np.zeros(len(found), dtype=bool)
    wrong[stream.choice(len(found), max(2, len(found) // 100), replace=False)] = True
    bad = np.array(BAD_PHONES, dtype=object)[stream.integers(len(BAD_PHONES), size=len(found))]
    at = found["customer"].to_numpy()
    frame = pd.DataFrame(
        {
            "联系人编号": found["contact"],
            "客户编号": folk["customer_id"].to_numpy()[at],
            "客户名称": folk["name"].to_numpy()[at],
            "姓名": found["name"],
            "职务": found["title"],
            "部门": found["department"],
            "角色": found["role"],
            "影响力": found["influence"],
            "态度": found["leaning"],
            "是否关键决策人": np.where(found["role"] == "拍板人", "是", "否"),
            "手机": np.where(wrong, bad, found["phone"]),
            "邮件": np.where(wrong, "", found["mail"]),
            "_why": np.where(wrong, "wrong_contacts", ""),
        }
    )
    return dirt.keyed(frame, "联系人编号")


def activities(
    found: pd.DataFrame, folk: pd.DataFrame, stream: np.random.Generator
) -> pd.DataFrame:
    """Visit and call notes."""
    frame = pd.DataFrame(
        {
            "记录编号": [f"JL{n:07d}" for n in range(1, len(found) + 1)],
            "关联客户编号": folk["customer_id"].to_numpy()[found["customer"]],
            "互动类型": found["kind"],
            "互动时间": found["when"].dt.strftime("%Y/%m/%d %H:%M"),
            "创建人编码": found["owner"],
            "跟进内容": found["text"],
            "_customer": folk["customer_id"].to_numpy()[found["customer"]],
            "_pain": found["pain"],
            "_private": found["private"],
        }
    )
    strange = {
        **numbered("记录编号", "JLW"),
        "关联客户编号": lambda rows: [f"{STRANGER}{n:05d}" for n in range(len(rows))],
    }
    ahead = {**numbered("记录编号", "JLF"), "互动时间": "2035/03/15 09:30"}
    faults = (Fault("unknown_customer", 0.002, strange), Fault("after_as_of", 0.0, ahead))
    return dirt.spoil(frame, "记录编号", faults, stream)


def tickets(found: pd.DataFrame, folk: pd.DataFrame, stream: np.random.Generator) -> pd.DataFrame:
    """Service tickets."""
    at = found["customer"].to_numpy()
    moments = {
        header: pd.Series(
            ["" if w is pd.NaT else w.to_pydatetime() for w in found[name]], dtype=object
        )
        for header, name in (
            ("受理时间", "opened"),
            ("首次响应时间", "answered"),
            ("完成时间", "closed"),
        )
    }
    rating = ["" if np.isnan(r) else int(r) for r in found["satisfaction"]]
    frame = pd.DataFrame(
        {
            "工单编号": [f"GD{n:06d}" for n in range(1, len(found) + 1)],
            "客户编号": folk["customer_id"].to_numpy()[at],
            "客户名称": folk["name"].to_numpy()[at],
            "问题类型": found["kind"],
            "紧急程度": found["priority"],
            "问题描述": found["text"],
            **moments,
            "满意度": pd.Series(rating, dtype=object),
            "_customer": folk["customer_id"].to_numpy()[at],
            "_pain": found["pain"],
            "_private": False,
        }
    )
    test = {
        **numbered("工单编号", "GDCS"),
        "客户编号": dirt.TEST_IDS[0],
        "客户名称": dirt.TEST_NAMES[0],
    }
    faults = (Fault("test_accounts", 0.002, test), again(rate=0.004))
    return dirt.spoil(frame, "工单编号", faults, stream)


def surveys(found: pd.DataFrame, folk: pd.DataFrame, stream: np.random.Generator) -> pd.DataFrame:
    """Answers to the question whether one would recommend the vendor, 0 to 10."""
    frame = pd.DataFrame(
        {
            "答卷编号": [f"DJ{n:06d}" for n in range(1, len(found) + 1)],
            "客户编号": folk["customer_id"].to_numpy()[found["customer"]],
            "日期": dates(found["day"].to_numpy()),
            "题目": "NPS",
            "打分": found["score"],
            "评价": found["text"],
        }
    )
    nobody = {**numbered("答卷编号", "DJW"), "客户编号": ""}
    faults = (Fault("missing_customer", 0.003, nobody), again(rate=0.003))
    return dirt.spoil(frame, "答卷编号", faults, stream)


def people() -> pd.DataFrame:
    """Everybody in sales and customer success."""
    rows: list[tuple[str, str, str, str, str, int]] = []
    for number, (role, capacity) in enumerate(words.MANAGERS, start=1):
        rows.append(
            (f"M{number:03d}", role, "X00", "管理层", "" if number == 1 else "M001", capacity)
        )
    for number in range(1, words.CSMS + 1):
        csm = (f"C{number:03d}", words.CSM_ROLE, "X90", "客户成功部", "M002", words.CSM_CAPACITY)
        rows.append(csm)
    for team, region in enumerate(places.REGIONS, start=1):
        own, name = f"X{team:02d}", f"{region}大区"
        head = f"S{100 * team:03d}"
        rows.append((head, words.DIRECTOR_ROLE, own, name, "M001", words.DIRECTOR_CAPACITY))
        rows += [
            (f"S{100 * team + n:03d}", words.REP_ROLE, own, name, head, words.REP_CAPACITY)
            for n in range(1, words.REPS_PER_REGION + 1)
        ]
    headers = ["员工编号", "岗位", "部门编码", "部门", "直属上级编号", "每季拜访能力（次）"]
    frame = pd.DataFrame(rows, columns=headers)
    frame.insert(1, "姓名", [person_name(11 + 13 * n) for n in range(len(frame))])
    return dirt.keyed(frame, "员工编号")


def opportunities(
    found: pd.DataFrame, folk: pd.DataFrame, stream: np.random.Generator
) -> pd.DataFrame:
    """The list of opportunities; firms that never became customers have a name only."""
    code = folk["customer_id"].to_numpy()[found["customer"].clip(lower=0)]
    frame = pd.DataFrame(
        {
            "商机编号": found["opportunity"],
            "商机名称": found["name"].str.removesuffix("有限公司") + found["kind"],
            "客户编号": np.where(found["customer"] >= 0, code, ""),
            "客户名称": found["name"],
            "商机类型": found["kind"],
            "商机金额": found["amount"] / 100,
            "预计成交日期": dates(found["expected"].to_numpy()),
            "商机阶段": found["stage"],
            "商机状态": found["status"],
            "结单日期": _days(found["closed"]),
            "赢率": np.round(stream.uniform(0.1, 0.95, len(found)), 1),
            "丢单原因": found["reason"],
            "负责人": found["owner"],
            "创建时间": dates(found["opened"].to_numpy()),
        }
    )
    void = {**numbered("商机编号", "SJZF"), "商机状态": "无效", "商机阶段": "无效"}
    return dirt.spoil(frame, "商机编号", (Fault("voided", 0.006, void), again(rate=0.003)), stream)


def stages(found: pd.DataFrame) -> pd.DataFrame:
    """When each opportunity entered each stage."""
    frame = pd.DataFrame(
        {
            "商机编号": found["opportunity"],
            "阶段": found["stage"],
            "进入时间": _minutes(found["minute"]),
        }
    )
    return dirt.keyed(frame, "商机编号 阶段")


def _minutes(minute: pd.Series) -> np.ndarray:
    at = np.datetime64(START, "m") + minute.to_numpy().astype("timedelta64[m]")
    return np.char.replace(np.datetime_as_string(at), "T", " ").astype(object)


def quotes(found: pd.DataFrame, folk: pd.DataFrame) -> pd.DataFrame:
    """The list of quotes."""
    frame = pd.DataFrame(
        {
            "报价单号": found["quote"],
            "行号": 1,
            "商机编号": found["opportunity"],
            "客户编号": folk["customer_id"].to_numpy()[found["customer"]],
            "报价日期": _minutes(found["minute"]),
            "产品/版本": words.PRODUCT + " " + found["edition"],
            "数量": found["seats"],
            "报价单价": yuan(found["price"]),
            "标准价": yuan(found["listed"]),
        }
    )
    return dirt.keyed(frame, "报价单号 行号")


def leads(found: pd.DataFrame, folk: pd.DataFrame, stream: np.random.Generator) -> pd.DataFrame:
    """The list of leads; one that was handed on stands twice."""
    code = folk["customer_id"].to_numpy()[found["customer"].clip(lower=0)]
    frame = pd.DataFrame(
        {
            "线索编号": found["lead"],
            "公司": found["name"],
            "来源": found["source"],
            "线索阶段": found["stage"],
            "创建时间": dates(found["created"].to_numpy()),
            "转换时间": _days(found["converted"]),
            "转换客户编号": np.where(found["customer"] >= 0, code, ""),
            "转换商机编号": found["opportunity"],
            "线索无效原因": found["reason"],
            "负责人": found["owner"],
        }
    )
    return dirt.spoil(frame, "线索编号", (again(rate=0.01),), stream)


def campaigns() -> pd.DataFrame:
    """Events of the marketing team."""
    frame = pd.DataFrame(words.CAMPAIGNS, columns=["活动编号", "活动名称", "开始日期", "费用(元)"])
    return dirt.keyed(frame, "活动编号")


def relations(folk: pd.DataFrame, stream: np.random.Generator) -> pd.DataFrame:
    """Who belongs to whom, and who holds shares of whom."""
    at = np.nonzero((folk["parent"] >= 0).to_numpy())[0]
    code = folk["customer_id"].to_numpy()
    parent = code[folk["parent"].to_numpy()[at]]
    other = stream.permutation(len(folk))[: 2 * max(1, len(folk) // 80)].reshape(2, -1)
    held = np.round(stream.uniform(0.51, 1.0, len(at)), 2)
    np.repeat(["母公司", "合作伙伴"], [len(at), other.shape[1]])
    frame = pd.DataFrame(
        {
            "客户编号": np.concatenate([code[at], code[other[0]]]),
            "关联客户编号": np.concatenate([parent, code[other[1]]]),
            "关系": np.concatenate(
                [np.full(len(at), "母公司"), np.full(other.shape[1], "合作伙伴")]
            ),
            "持股比例": np.concatenate([held.astype(object), np.full(other.shape[1], "")]),
        }
    )
    return dirt.keyed(frame, "客户编号 关联客户编号 关系")


def signals(folk: pd.DataFrame, health: np.ndarray, stream: np.random.Generator) -> pd.DataFrame:
    """What was seen outside: hiring, tenders, changes in the register."""
    closing = (folk["kind"] == "closing").to_numpy()
    light = np.where(closing, "closing", health)
    rate = np.where(closing, 0.6, 0.12)
    at = np.nonzero((stream.random(len(folk)) < rate) & np.isin(light, list(words.SIGNALS)))[0]
    when = DAYS - np.sort(stream.integers(0, 270, len(at)))[::-1]
    frame = pd.DataFrame(
        {
            "信号编号": [f"XH{n:05d}" for n in range(1, len(at) + 1)],
            "客户编号": folk["customer_id"].to_numpy()[at],
            "发现日期": dates(when),
            "信号类型": [words.SIGNALS[h][0] for h in light[at]],
            "内容": [words.SIGNALS[h][1] for h in light[at]],
        }
    )
    return dirt.keyed(frame, "信号编号")
