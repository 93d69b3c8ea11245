"""What the software vendor's world is called: its products, its teams, its customers' people."""

from __future__ import annotations

COMPANY = "湉翮软件"

# edition → price of a seat for a year [fen], functions it holds
EDITIONS: dict[str, tuple[int, int]] = {
    "标准版": (198_000, 4),
    "专业版": (298_000, 6),
    "旗舰版": (398_000, 8),
}
PRODUCT = "制造云"
FUNCTIONS = (
    "生产排程",
    "库存管理",
    "报表看板",
    "质量追溯",
    "设备点检",
    "移动审批",
    "能耗分析",
    "成本核算",
)

SIZES = ("50人以下", "50-199人", "200-499人", "500-1999人", "2000人以上")
SIZE_EDGES = (50, 200, 500, 2000)
TIERS = ("D", "C", "B", "A")
SOURCES = ("官网", "渠道推荐", "展会", "线上研讨会", "老客户介绍", "电话开拓")

# team → role → how many, visits a quarter; the first of a team leads it
MANAGERS = (("销售运营总监", 12), ("客户成功总监", 16))
CSM_ROLE, CSMS, CSM_CAPACITY = "客户成功经理", 14, 75
REP_ROLE, REPS_PER_REGION, REP_CAPACITY = "销售代表", 3, 60
DIRECTOR_ROLE, DIRECTOR_CAPACITY = "大区总监", 24

TITLES: tuple[tuple[str, str, str], ...] = (
    # job title, department, role in the decision
    ("总经理", "总经办", "拍板人"),
    ("信息总监", "信息部", "拍板人"),
    ("信息主管", "信息部", "把关人"),
    ("财务经理", "财务部", "把关人"),
    ("生产经理", "生产部", "使用人"),
    ("计划主管", "计划部", "使用人"),
    ("质量经理", "质量部", "使用人"),
    ("系统管理员", "信息部", "内线"),
)

LOSS_REASONS: dict[str, str] = {
    # the pain that leads to it → what the ledger says
    "onboarding": "上线慢，没用起来",
    "training": "使用率低，用不起来",
    "stability": "系统不稳定",
    "response": "服务响应慢",
    "price": "预算削减，嫌贵",
    "integration": "与现有系统对接不上",
}
CLOSED = "客户停业或被并购"
OTHER_REASON = "换用其他产品"

MEASURES: dict[str, str] = {
    "proactive_care": "主动关怀",
    "onboarding": "上线陪跑",
    "expansion": "增购活动",
}
OUTCOMES: dict[str, str] = {
    "proactive_care": "是否续费",
    "onboarding": "九十天内上线",
    "expansion": "增购账号数",
}

CAMPAIGNS: tuple[tuple[str, str, str, int], ...] = (
    # number, name, first day, cost [CNY]
    ("HD2023-01", "制造云春季巡展", "2023-03-15", 260_000),
    ("HD2023-02", "年度用户大会", "2023-11-09", 480_000),
    ("HD2024-01", "车间数字化线上研讨会", "2024-04-18", 60_000),
    ("HD2024-02", "年度用户大会", "2024-11-07", 520_000),
    ("HD2025-01", "制造云春季巡展", "2025-03-20", 300_000),
    ("HD2025-02", "质量追溯专题研讨会", "2025-06-12", 80_000),
    ("HD2025-03", "老带新推荐月", "2025-08-04", 150_000),
)

SIGNALS: dict[str, tuple[str, ...]] = {
    # health of the customer → kind, text
    "green": ("招聘", "招聘网站新挂出计划员、质量工程师等岗位，在扩产。"),
    "amber": ("招标", "发布信息化改造招标公告，范围与我们的产品有重叠。"),
    "red": ("负责人变更", "工商登记显示法定代表人变更，信息部负责人同月离任。"),
    "closing": ("经营异常", "被列入经营异常名录，厂房有转租信息。"),
}
