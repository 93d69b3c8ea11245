"""Each file has the headers that such firms' systems write, and feeds a table that exists."""

from __future__ import annotations

import pandas as pd
import pytest

from analysis.demo.accounts import ORDERS_BY
from analysis.tables import INPUT

DELIVERY = (
    "发货单号 行号 发货日期 预发货日期 客户编码 客户名称 存货编码 存货名称 存货分类 数量 价目表价 "
    "无税单价 含税单价 本币无税金额 本币税额 本币价税合计 成本金额 业务员编码 单据状态 退货标志"
)
AGED = "客户编码 客户名称 部门 业务员 余额 账期内 1-30 31-60 61-90 91-180 181-360 360以上"
MEASURE = "客户编号 客户名称 动作 分组 批次 开始日期 费用(元) 是否完成 责任人编码"
TASK = "任务编号 客户编号 客户名称 任务 责任人编码 最迟 状态 完成日期 未完成原因"
HEADERS = {
    "客户.xlsx": (
        "客户编号 客户名称 客户级别 客户类型 1级行业 人员规模 国家 销售大区 省 市 电话 "
        "统一社会信用代码 上级客户 成交状态 最后一次成交时间 最后一次成交金额 所属公海 "
        "转手次数 退回/收回原因 负责人编码 归属部门编码 需求类型 是否试用 创建时间 生命状态"
    ),
    "客户档案_U8.csv": (
        "客户编码 客户名称 客户简称 所属分类 所属地区 所属行业 税号 客户总公司 开票单位 "
        "分管部门 专管业务员 信用等级 信用额度 信用期限 付款条件 发展日期 停用日期 "
        "CRM客户编号"
    ),
    "联系人.csv": "联系人编号 客户编号 客户名称 姓名 职务 部门 角色 影响力 态度 手机 邮件",
    "人员.csv": "员工编号 姓名 岗位 部门编码 部门 直属上级编号 每季拜访能力（次）",
    "发货单_2022-2023.csv": DELIVERY,
    "发货单_2024-2025.csv": DELIVERY,
    "销售发票列表.csv": (
        "发票号 发票类型 开票日期 到期日 客户编码 客户名称 业务员 发货单号 币种 本币无税金额 "
        "本币税额 本币价税合计 审核人"
    ),
    "收款单列表.csv": (
        "单据编号 单据类型 单据日期 客户编码 客户名称 结算方式 币种 本币金额 款项类型 摘要 "
        "业务员 审核人"
    ),
    "应收账龄_2025-03-31.xlsx": AGED,
    "应收账龄_2025-06-30.xlsx": AGED,
    "应收账龄_2025-09-30.xlsx": AGED,
    "财务月报.xlsx": "月份 口径 金额(元) 本年累计(元) 编制",
    "目标.xlsx": "指标 期间 客户类型 目标值 单位",
    "目标分解.xlsx": (
        "大区 部门 业务员 年度目标 1月 2月 3月 4月 5月 6月 7月 8月 9月 10月 11月 12月"
    ),
    "CRM销售订单.xlsx": (
        "销售订单编号 客户编号 客户名称 商机编号 下单日期 销售订单金额(元) 产品合计 "
        "已回款金额(元) 待回款金额(元) 发货单号 生命状态 负责人编码"
    ),
    "商机.xlsx": (
        "商机编号 商机名称 客户编号 客户名称 商机金额(元) 商机类型 商机来源 商机阶段 商机状态 "
        "赢率(%) 预计成交日期 竞争对手 丢单原因 创建时间 阶段变更时间 最后跟进时间 结单日期 "
        "负责人编码"
    ),
    "商机阶段记录.csv": "商机编号 阶段 进入时间 停留天数 变更人编码",
    "报价单.csv": (
        "报价单号 行号 报价日期 客户编号 客户名称 商机编号 存货编码 存货名称 数量 价目表价 "
        "报价单价 折扣率(%) 报价金额 有效期至 报价状态 报价人编码"
    ),
    "销售记录.csv": (
        "记录编号 关联客户编号 互动类型 互动时间 外勤签到 签到地点 创建人编码 跟进内容"
    ),
    "售后工单.xlsx": (
        "工单编号 客户编号 客户名称 问题类型 紧急程度 问题描述 受理时间 首次响应时间 完成时间 "
        "是否质保内 责任部门 处理结果 满意度"
    ),
    "满意度调查.csv": "问卷编号 客户编号 客户名称 日期 题目 打分 评价",
    "动作_2025Q2.csv": MEASURE,
    "上季动作.csv": MEASURE,
    "任务_2025Q2.csv": TASK,
    "任务_2025Q3.csv": TASK,
    "试用结果.csv": "客户编号 客户名称 指标 数值",
    "销售线索.xlsx": (
        "线索编号 公司 姓名 手机 来源 推广渠道 市场活动名称 线索阶段 创建时间 转MQL时间 "
        "转换时间 转换客户编号 线索无效原因 销售人员退回原因 转手次数 是否超时 负责人编码"
    ),
    "市场活动.csv": (
        "活动编号 活动名称 活动类型 开始日期 结束日期 费用(元) 参加人数 线索数 负责人编码"
    ),
    "外部信号.csv": "信号编号 客户编号 日期 类型 内容 来源",
    "股权与伙伴关系.csv": "客户编号 客户名称 关联客户编号 关联客户名称 关系 持股比例",
}


@pytest.mark.parametrize("name", HEADERS)
def test_headers(raw, name):
    frame = raw(name)
    assert list(frame.columns) == HEADERS[name].split()
    assert len(frame)


def test_no_export_is_left_out(company):
    assert {p.name for p in company.iterdir() if p.is_file()} == set(HEADERS)


def test_every_table_that_such_a_firm_has_is_fed(small):
    from analysis.demo.cabinet import cabinet
    from analysis.demo.world import simulate

    fed = {export.table for export in cabinet(simulate(60, 1)).exports}
    # it sells no subscriptions, and no plan was loaded into its CRM that could have been refused;
    # its service desk and its ledger export tickets and ages, a person has one number only, and
    # nobody keeps who changed hands
    assert fed == set(INPUT) - {
        *("usage", "subscriptions", "load_failures"),
        *("ticket_events", "open_items", "returns", "people_keys", "customer_changes"),
    }


def test_measures_and_tasks_of_both_quarters(raw):
    for period, name in (("2025Q2", "动作_2025Q2.csv"), ("2025Q3", "上季动作.csv")):
        measures, tasks = raw(name), raw(f"任务_{period}.csv")
        assert set(measures["分组"]) == {"已执行", "留到下一批"}
        assert set(measures["批次"]) <= {"第一批", "第二批", "不分批"}
        first = pd.Timestamp("2025-04-01" if period == "2025Q2" else "2025-07-01")
        started = pd.to_datetime(measures["开始日期"], format="%Y.%m.%d")
        assert started.between(first, first + pd.Timedelta(days=91)).all()
        treated = set(measures.loc[measures["分组"] == "已执行", "客户编号"])
        assert set(tasks["客户编号"]) == treated
        done = tasks["状态"] == "已完成"
        assert 0.6 < done.mean() < 0.97
        assert (tasks.loc[done, "完成日期"] != "").all()
        assert (tasks.loc[~done, "未完成原因"] != "").all()


def test_the_orders_call_customers_as_they_say(raw, dirt):
    name = "发货单_2022-2023.csv"
    clean = raw(name).drop(index=dirt.loc[dirt["file"] == name, "row"])
    bridge = raw("客户档案_U8.csv")
    column = "客户编码" if ORDERS_BY == "code" else "CRM客户编号"
    assert set(clean["客户编码"]) <= set(bridge[column])
