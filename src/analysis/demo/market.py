"""What comes from outside: campaigns, leads, signals, who belongs to whom."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analysis.demo import words
from analysis.demo.cells import dates
from analysis.demo.company import person_name
from analysis.demo.kinds import DAYS, LAST, START, day
from analysis.demo.workdays import holidays

# source → (share of the leads, share of them that become customers, channels)
SOURCES: dict[str, tuple[float, float, tuple[str, ...]]] = {
    "展会": (0.24, 0.13, ("行业展", "巡回展")),
    "官网": (0.27, 0.09, ("在线留言", "样本下载", "在线客服")),
    "转介绍": (0.11, 0.34, ("老客户介绍", "员工介绍")),
    "搜索推广": (0.16, 0.06, ("关键词", "信息流")),
    "平台询盘": (0.12, 0.08, ("工业品平台", "询价函")),
    "电话陌拜": (0.10, 0.04, ("电话",)),
}
CONVERTED = 0.13  # of all leads
WRONG = ("没有需求", "号码空号", "预算不足", "同行探价", "个人用户", "重复线索", "区域不符")
GIVEN_BACK = ("联系不上", "短期没有计划", "不归我负责", "已有固定供应商")
# kind of campaign → (name, days, cost in CNY)
CAMPAIGNS: tuple[tuple[str, str, int, int], ...] = (
    ("展会", "{city}工业部件与自动化展", 4, 186_000),
    ("研讨会", "{topic}选型与维护线上研讨会", 1, 12_000),
    ("巡展", "{city}技术巡展", 2, 46_000),
)
TOPICS = ("密封件", "直线传动", "气动元件", "电气连接", "工装夹具", "紧固系统")
CITIES = ("上海", "东莞", "武汉", "天津", "成都", "苏州", "宁波", "沈阳")
# kind of signal → (who it concerns more, texts)
SIGNALS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "招标公告": (
        ("key", "project", "annual"),
        ("发布年度备件采购招标，含{product}，{days}天后开标。",
         "新建产线设备招标，预计用到{product}。",
         "{product}框架采购重新招标，要求两家以上供应商。"),
    ),
    "环评公示": (
        ("growing", "new", "key"),
        ("扩建项目环评公示，新增产线{share}条。", "新厂区环评受理，计划{month}月开工。"),
    ),
    "招聘": (
        ("growing", "new"),
        ("集中招聘设备工程师{share}名。", "招聘采购专员，岗位要求提到{product}。"),
    ),
    "工商变更": (
        ("steady", "declining", "lapsed"),
        ("法定代表人变更。", "注册资本增加。", "经营范围新增设备维修。",
         "股东变更，新增一名法人股东。"),
    ),
    "经营异常": (
        ("lapsed", "declining"),
        ("列入经营异常名录，原因：未按期公示年报。", "作为被告的买卖合同纠纷立案。",
         "部分产线停产，设备挂牌转让。"),
    ),
}  # fmt: skip
OF_SHOW = {"展会": "行业展", "巡展": "巡回展"}
PERSONS = 5000
WATCHED = DAYS - 365  # the day before the first signal
SIGNALLED = 0.28  # signals a customer and year
PARTNERS = 0.01


def campaigns(
    staff: pd.DataFrame, brought: pd.Series, today: int, stream: np.random.Generator
) -> pd.DataFrame:
    """A show, a webinar and a road show every quarter, with the leads they brought.

    Parameters
    ----------
    brought
        Leads by name of the campaign.
    """
    owner = staff.loc[staff["role"] == "大区总监", "person_id"].tolist()
    rows = []
    for number, (kind, name, begin, length, cost) in enumerate(_shows(today)):
        came = int(brought.get(name, 0))
        rows.append(
            {
                "活动编号": f"HD{begin:%y}{number + 1:03d}",
                "活动名称": name,
                "活动类型": kind,
                "开始日期": f"{begin:%Y-%m-%d}",
                "结束日期": f"{begin + timedelta(days=length - 1):%Y-%m-%d}",
                "费用(元)": round(cost * float(stream.uniform(0.85, 1.2)) / 100) * 100,
                "参加人数": came + int(stream.integers(8, 60)),
                "线索数": came,
                "负责人编码": owner[number % len(owner)],
            }
        )
    frame = pd.DataFrame(rows)
    return frame.assign(_why="", _key=frame["活动编号"])


def _shows(today: int) -> list[tuple[str, str, date, int, int]]:
    """Kind, name, first day, length and cost of each campaign so far."""
    found = []
    closed = holidays()
    for number, offset in enumerate(range(40, today - 10, 91)):
        for shift, (kind, pattern, length, cost) in enumerate(CAMPAIGNS):
            begin = START + timedelta(days=offset + 21 * shift)
            begin -= timedelta(days=begin.weekday() % 7 - 1)
            while any(begin + timedelta(days=n) in closed for n in range(-2, length + 2)):
                begin += timedelta(days=7)
            city, topic = CITIES[(number + shift) % len(CITIES)], TOPICS[number % len(TOPICS)]
            name = f"{begin.year}年{pattern.format(city=city, topic=topic)}"
            if day(begin) + length <= today:
                found.append((kind, name, begin, length, cost))
    return found


def leads(
    population: pd.DataFrame, today: int, mark: str, stream: np.random.Generator
) -> pd.DataFrame:
    """Leads of the whole history: those who became customers and the many who did not.

    They are drawn up to the horizon; what becomes of a lead stays unknown until it happens.

    Parameters
    ----------
    population
        All customers up to the horizon.
    """
    joined = np.array([(d - START).days for d in population["joined"]])
    became = np.nonzero((joined > 10) & (population["same_as"] < 0).to_numpy())[0]
    lost = round(len(became) * (1 / CONVERTED - 1))
    customer = np.concatenate([became, np.full(lost, -1)])
    size = len(customer)
    won = customer >= 0
    converted = np.where(won, joined[customer], -1)
    before = 3 + np.floor(stream.gamma(1.6, 16, size))
    created = np.where(won, np.maximum(converted - before, 0), np.floor(stream.random(size) * LAST))
    share = np.array([s for s, _, _ in SOURCES.values()])
    rate = np.array([r for _, r, _ in SOURCES.values()])
    source = np.where(
        won, _draw(share * rate, size, stream), _draw(share * (1 - rate), size, stream)
    )
    owners = population["owner_id"].to_numpy()
    found = pd.DataFrame(
        {
            "created": np.floor(created) + stream.random(size),  # the hour, too
            "converted": converted,
            "source": source,
            "channel": stream.random(size),
            "fate": stream.random(size),
            "score": np.where(won, 1.0, stream.random(size)),
            "wrong": stream.integers(len(WRONG), size=size),
            "back": stream.integers(len(GIVEN_BACK), size=size),
            "handed": 1 + stream.integers(0, 4, size),
            "owner": owners[np.where(won, customer, stream.integers(len(owners), size=size))],
            "firm": np.where(won, population["name"].to_numpy()[customer], _firms(size, stream)),
            "person": stream.integers(PERSONS, size=size),
            "phone": stream.integers(10**7, size=size),
            "number": np.where(won, population["customer_id"].to_numpy()[customer], ""),
        }
    )
    found = found.sort_values("created", kind="stable", ignore_index=True)
    return _lead_cells(found[found["created"] < today + 1], today, mark)


def _draw(weight: np.ndarray, size: int, stream: np.random.Generator) -> np.ndarray:
    return np.asarray(stream.choice(len(weight), size=size, p=weight / weight.sum()))


def _lead_cells(found: pd.DataFrame, today: int, mark: str) -> pd.DataFrame:
    """What the CRM says of the leads on the evening of a day."""
    size = len(found)
    created, converted, fate = (found[c].to_numpy() for c in ("created", "converted", "fate"))
    customer = converted >= 0
    won = customer & (converted <= today)
    age = today - created
    stage = np.select(
        [won, customer | (age < 25), fate < 0.42, fate < 0.72],
        ["已转换", "跟进中", "无效", "已退回公海"],
        np.where(age < 120, "跟进中", "已退回公海"),
    )
    toward = np.where(customer, np.maximum((converted - created) * 0.4, 0.2), 4 + 10 * fate)
    known = (found["score"].to_numpy() > 0.55) & (created + toward < today + 1)
    names = np.array(list(SOURCES))[found["source"]]
    shows = [s for s in _shows(LAST) if s[0] != "研讨会"]
    show = np.searchsorted(np.array([day(s[2]) for s in shows]), created, side="right") - 1
    there = (names == "展会") & (show >= 0)
    offered = [channels for _, _, channels in SOURCES.values()]
    most = np.array([len(channels) for channels in offered])[found["source"]]
    place = np.floor(found["channel"].to_numpy() * most).astype(np.int64)
    table = np.array([(*c, *[""] * (3 - len(c))) for c in offered], dtype=object)
    kind = np.array([OF_SHOW[s[0]] for s in shows], dtype=object)[np.maximum(show, 0)]
    back = stage == "已退回公海"
    number = [f"XS{mark}{n:06d}" for n in range(1, size + 1)]
    persons = np.array([person_name(n) for n in range(PERSONS)], dtype=object)
    phones = pc.utf8_lpad(pa.array(found["phone"]).cast(pa.string()), 8, "0")
    days = np.datetime64(START, "D") + converted.astype("timedelta64[D]")
    return pd.DataFrame(
        {
            "线索编号": number,
            "公司": found["firm"].to_numpy(),
            "姓名": persons[found["person"]],
            "手机": pc.binary_join_element_wise("190", phones, "").to_numpy(zero_copy_only=False),
            "来源": names,
            "推广渠道": np.where(there, kind, table[found["source"], place]),
            "市场活动名称": np.where(
                there, np.array([s[1] for s in shows], dtype=object)[np.maximum(show, 0)], ""
            ),
            "线索阶段": stage,
            "创建时间": _stamps(created),
            "转MQL时间": np.where(known, _stamps(created + toward), ""),
            "转换时间": np.where(won, days.astype(object), ""),
            "转换客户编号": np.where(won, found["number"], ""),
            "线索无效原因": np.where(stage == "无效", np.array(WRONG)[found["wrong"]], ""),
            "销售人员退回原因": np.where(back, np.array(GIVEN_BACK)[found["back"]], ""),
            "转手次数": np.where(back, found["handed"], 0),
            "是否超时": np.where((stage == "跟进中") & (age > 30), "是", "否"),
            "负责人编码": np.where(back, "", found["owner"]),
            "_why": "",
            "_key": number,
        }
    )


def _firms(size: int, stream: np.random.Generator) -> np.ndarray:
    """Made-up companies as people type them: not everybody adds the legal form."""
    trades = [w for _, _, _, offered in words.INDUSTRIES.values() for w in offered]
    cities = [c for _, provinces in words.REGIONS.values() for p in provinces.values() for c in p]
    parts = (
        cities,
        words.BRAND_FIRST,
        words.BRAND_SECOND,
        trades,
        ("有限公司", "有限公司", "", "厂"),
    )
    drawn = [np.array(list(p), dtype=object)[stream.integers(len(p), size=size)] for p in parts]
    return np.asarray(sum(drawn[1:], start=drawn[0]))


def _stamps(days: np.ndarray) -> np.ndarray:
    """Moments of days with a fraction, between eight and twenty o'clock."""
    whole = np.floor(days)
    minute = np.floor(480 + 720 * (days - whole)).astype("timedelta64[m]")
    start = np.datetime64(START, "m")
    when = start + whole.astype("timedelta64[D]").astype("timedelta64[m]") + minute
    return np.asarray(when.astype("datetime64[s]").astype(object))


def signals(
    population: pd.DataFrame,
    products: pd.DataFrame,
    today: int,
    mark: str,
    stream: np.random.Generator,
) -> pd.DataFrame:
    """What public registers and portals said about customers since they have been watched.

    Parameters
    ----------
    population
        All customers up to the horizon.
    """
    kind = population["kind"].to_numpy()
    years = (LAST - WATCHED) / 365
    each = SIGNALLED / len(SIGNALS) * 1.6 * years
    concerned = np.array([np.isin(kind, kinds) for kinds, _ in SIGNALS.values()])
    number = stream.poisson(each * np.where(concerned, 1.0, 0.25))
    place, customer = (np.repeat(axis.ravel(), number.ravel()) for axis in np.indices(number.shape))
    size = len(customer)
    when = WATCHED + 1 + np.floor((LAST - WATCHED) * stream.random(size)).astype(np.int64)
    product = products["name"].to_numpy()[stream.integers(len(products), size=size)]
    drawn = stream.random((4, size))
    joined = np.array([(d - START).days for d in population["joined"]])
    order = np.lexsort((place, customer, when))
    order = order[(when >= joined[customer])[order]]
    order = order[when[order] <= today]
    texts = [offered for _, offered in SIGNALS.values()]
    text = [
        texts[p][int(u * len(texts[p]))].format(
            product=name, days=7 + int(30 * d), share=2 + int(5 * s), month=1 + int(12 * m)
        )
        for p, name, (u, d, s, m) in zip(
            place[order].tolist(), product[order], drawn.T[order].tolist(), strict=True
        )
    ]
    size = len(order)
    frame = pd.DataFrame(
        {
            "信号编号": [f"XH{mark}{n:05d}" for n in range(1, size + 1)],
            "客户编号": population["customer_id"].to_numpy()[customer[order]],
            "日期": dates(when[order]),
            "类型": np.array(list(SIGNALS))[place[order]],
            "内容": np.array(text, dtype=object),
            "来源": np.where(place[order] == 0, "招标网站", "企业信息平台"),
        }
    )
    return frame.assign(_why="", _key=frame["信号编号"])


def relations(
    population: pd.DataFrame, known: pd.DataFrame, handed: int, stream: np.random.Generator
) -> pd.DataFrame:
    """Parents, shareholders and partners among the customers of the hand-over, the first ones."""
    population = population.iloc[:handed]
    parent = population["parent"].to_numpy()
    child = np.nonzero(parent >= 0)[0]
    size = len(population)
    number = max(3, round(PARTNERS * size))
    trade = np.nonzero((population["kind"] == "wholesaler").to_numpy())[0]
    left = stream.choice(size, size=number, replace=False)
    right = trade[stream.integers(len(trade), size=number)]
    owners = stream.choice(size, size=(2, max(2, number // 2)), replace=False)
    part = np.round(stream.uniform(0.51, 0.9, len(child)), 2)
    held = np.concatenate([
        np.where(stream.random(len(child)) < 0.6, 1.0, part),
        np.round(stream.uniform(0.05, 0.4, owners.shape[1]), 2),
        np.full(number, np.nan),
    ])  # fmt: skip
    one = np.concatenate([child, owners[0], left])
    other = np.concatenate([parent[child], owners[1], right])
    kind = np.repeat(["母公司", "股东", "合作伙伴"], [len(child), owners.shape[1], number])
    frame = pd.DataFrame(
        {
            "客户编号": known["number"].to_numpy()[one],
            "客户名称": known["name"].to_numpy()[one],
            "关联客户编号": known["number"].to_numpy()[other],
            "关联客户名称": known["name"].to_numpy()[other],
            "关系": kind,
            "持股比例": ["" if np.isnan(h) else f"{h:.0%}" for h in held],
        }
    )
    keys = ["客户编号", "关联客户编号", "关系"]
    frame = pd.DataFrame(frame[one != other]).drop_duplicates(keys, ignore_index=True)
    return frame.assign(_why="", _key=frame["客户编号"] + "/" + frame["关联客户编号"])
