"""What sales notes and service tickets say: plain Chinese sentences with planted pains.

A sentence of `NOTES` or `TICKETS` carries the pain it stands below. ``{product}``, ``{days}``,
``{share}`` and ``{who}`` are filled in.
"""

from __future__ import annotations

PAINS: tuple[str, ...] = ("delivery", "response", "price", "quality", "coordination")

# the words by which a pain can be found in a text; every sentence holds one of its own pain
MARKS: dict[str, tuple[str, ...]] = {
    "delivery": ("交期", "交货", "延期", "晚到", "缺货"),
    "response": ("响应慢", "没人回", "回复慢", "等了", "没有回音"),
    "price": ("价格", "报价", "降价", "便宜", "单价"),
    "quality": ("质量", "不良", "漏油", "超差", "批次不一致"),
    "coordination": ("对接", "换了人", "不知道找谁", "交接", "联系不上"),
}

WHO: tuple[str, ...] = ("采购经理", "采购总监", "生产经理", "设备主管", "仓储主管", "技术总工")

NOTES: dict[str, tuple[str, ...]] = {
    "delivery": (
        "与{who}见面，对方抱怨{product}交期不稳，上一批延期{days}天，产线差点停。答应回去盯生产排期。",
        "{who}说最近两批{product}都晚到，要求我们每周报一次交货进度，否则分单给别家。",
        "现场看了库存，{product}只够用一周，对方担心缺货，希望我们做安全库存。",
        "客户旺季要货急，{product}从下单到交货要{days}天，对方希望压到十天以内。",
        "沟通四季度排产，{who}最关心交期，要求合同里写明延期罚则。",
        "{who}反映交期总是口头说、到日子又改，财务已经把我们列进延期供应商名单。",
    ),
    "response": (
        "电话沟通，{who}对我们意见大：技术问题响应慢，发邮件{days}天没有回音。",
        "{who}说报修之后等了{days}天才有人联系，别家当天就到，今年的量可能要转走。",
        "客户明确说售后回复慢，{product}选型问了三次没人回，这次先不下单。",
        "拜访时{who}态度冷淡，说样品跟进没人回，已经在试用另一家的{product}。",
        "打电话问下单计划，对方表示响应慢的问题不解决就不谈新订单。",
    ),
    "price": (
        "{who}拿了同行的报价来比，{product}我们高了{share}个点，要求给个说法。",
        "谈年度框架，对方要求{product}降价{share}个点，量可以往上走。",
        "{who}认可产品，但预算紧，{product}的单价希望按阶梯走，量大便宜一些。",
        "客户在做降本，采购要求所有供应商重新报价，重点是{product}。",
        "对方说价格是唯一的问题，如果{product}能做到去年的价，可以多给两个型号。",
    ),
    "quality": (
        "{who}反馈最近一批{product}有不良，比例大概{share}个点，要求我们出分析报告。",
        "上门处理{product}质量问题，尺寸超差，答应一周内补货。",
        "{who}担心质量波动，{product}前后批次不一致，希望每批附检测报告。",
        "客户设备停机一次，怀疑是{product}漏油，质量部已经取样。",
        "年度大修在即，{who}说{product}质量必须稳，一年就这一两单，出不得问题。",
    ),
    "coordination": (
        "{who}说我们这边换了人也没交接，账期、图纸都要重新讲一遍。",
        "客户反映对接的人太多，技术、商务、物流各说各话，希望固定一个窗口。",
        "新项目启动会，{who}提出对接流程不清楚，图纸确认不知道找谁。",
        "{who}第一次下单，开户、合同、发货单分别找了三个人，对接很费劲。",
        "原来的销售联系不上，{who}从官网打进来的电话，要求重新指定联系人。",
    ),
}

NEUTRAL: tuple[str, ...] = (
    "例行拜访{who}，了解下季度用量，{product}预计持平。",
    "电话确认{product}到货情况，对方已签收，无异常。",
    "介绍新款{product}，{who}愿意先看资料，约下周再谈。",
    "送样{product}两件，技术部安排试装，等反馈。",
    "对账完成，双方余额一致，开票资料已更新。",
    "客户在扩产，明年新增两条线，{product}用量会上来。",
    "与{who}喝茶，了解到对方在看自动化改造，可以推{product}。",
    "节前走访，送了台历，确认年后第一批{product}的要货时间。",
    "{who}出差，改为线上沟通，重点过了一遍在途订单。",
    "陪同技术部上门交流，{product}选型方案基本定了。",
    "确认框架协议条款，{who}没有大的意见，走盖章流程。",
    "参加客户的供应商大会，{product}评分中上，没有扣分项。",
)
VISIT = "高层互访：陪同总经理拜访{who}，谈全年合作，对方愿意把{product}的份额多给我们一些。"
TRIAL = "客户在试用{product}，{who}对手感和精度认可，等内部立项后再谈首单。"
PHONE = "联系电话{phone}，让直接打给他。"
MAIL = "资料发到{mail}。"

TICKETS: dict[str, tuple[str, ...]] = {
    "delivery": (
        "订单中的{product}已过约定交期{days}天仍未发货，请尽快回复到货时间。",
        "{product}到货比约定晚到{days}天，影响我司装配计划，要求说明原因。",
        "缺货通知太晚，{product}本周必须到，否则产线停。",
        "同一订单分三次发货，{product}交货一拖再拖。",
    ),
    "response": (
        "{product}安装问题已经问了{days}天，电话没人回，请安排工程师。",
        "上次报修之后等了{days}天才有人联系，请给出固定的售后电话。",
        "发了邮件要{product}的技术参数，一直没有回音。",
        "售后回复慢，同一个问题每次都要重新说明。",
    ),
    "price": (
        "发票上{product}单价与合同不一致，请核对。",
        "{product}最新报价比上季高{share}个点，请说明调价依据。",
        "申请按年度用量重新核定{product}价格。",
    ),
    "quality": (
        "{product}使用不到一个月出现漏油，要求换货并提供分析报告。",
        "来料检验发现{product}尺寸超差，不良比例约{share}个点。",
        "{product}外观质量差，有划伤，客户拒收。",
        "两批{product}批次不一致，装配困难，请质量部到现场。",
    ),
    "coordination": (
        "负责我们的销售换了人，没有交接，合同条款需要重新确认。",
        "开票资料改了三次还是错，不知道找谁处理，请指定对接窗口。",
        "新客户开户资料已交两周，联系不上负责人，无法下单{product}。",
    ),
}
QUESTIONS: tuple[str, ...] = (
    "咨询{product}的安装力矩和润滑周期。",
    "请提供{product}的最新检测报告和材质证明。",
    "申请{product}备件清单，用于年度检修。",
    "请安排工程师协助{product}调试，时间可配合。",
    "询问{product}是否有替代型号，图纸见附件。",
    "申请补寄发货单回单。",
)
