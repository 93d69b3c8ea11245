"""What the made-up names are built from: places, trades, syllables, products.

Cities and trades exist; the two-character brands are put together from syllables that firms
seldom use, persons are called after the sexagenary cycle, so that nobody is meant.
"""

from __future__ import annotations

COMPANY = "岱泓工业部件"

# region → (share, province → cities)
REGIONS: dict[str, tuple[float, dict[str, tuple[str, ...]]]] = {
    "华东": (
        0.34,
        {
            "江苏": ("苏州", "无锡", "常州", "南通"),
            "浙江": ("宁波", "杭州", "嘉兴", "台州"),
            "上海": ("上海",),
            "山东": ("青岛", "济南", "烟台"),
        },
    ),
    "华南": (
        0.22,
        {
            "广东": ("东莞", "佛山", "深圳", "惠州", "中山"),
            "福建": ("厦门", "泉州"),
            "广西": ("柳州",),
        },
    ),
    "华北": (
        0.15,
        {
            "天津": ("天津",),
            "河北": ("石家庄", "保定", "唐山"),
            "北京": ("北京",),
            "山西": ("太原",),
        },
    ),
    "华中": (
        0.12,
        {"湖北": ("武汉", "襄阳"), "湖南": ("长沙", "株洲"), "河南": ("郑州", "洛阳")},
    ),
    "西南": (0.11, {"重庆": ("重庆",), "四川": ("成都", "德阳", "绵阳"), "贵州": ("贵阳",)}),
    "东北": (0.06, {"辽宁": ("沈阳", "大连"), "吉林": ("长春",), "黑龙江": ("哈尔滨",)}),
}

# industry → (share, factor of the buying cycle, categories bought, words in a firm's name)
INDUSTRIES: dict[str, tuple[float, float, tuple[int, ...], tuple[str, ...]]] = {
    "汽车零部件": (0.20, 0.85, (0, 1, 5), ("汽车零部件", "汽车部件", "车桥制造")),
    "电子制造": (0.17, 0.85, (3, 4, 5), ("电子", "电子科技", "精密电子")),
    "工程机械": (0.14, 1.15, (1, 2, 0), ("工程机械", "重工机械", "机械制造")),
    "食品饮料": (0.12, 0.95, (2, 3, 1), ("食品", "饮品", "食品科技")),
    "新能源": (0.13, 1.00, (4, 5, 0), ("新能源", "新能源科技", "储能科技")),
    "医疗器械": (0.09, 1.10, (3, 4, 2), ("医疗器械", "医疗科技", "医用设备")),
    "包装印刷": (0.08, 1.00, (1, 3, 0), ("包装", "包装机械", "印刷包装")),
    "通用设备": (0.07, 1.10, (0, 1, 2), ("设备制造", "泵阀", "自动化设备")),
}
TRADE_WORDS = ("工业品贸易", "机电贸易", "五金机电")
TRADE = "工业品贸易"

BRAND_FIRST = "岱泓筱砺旻屿芃翎铎桉潞甫峤昶澍璟苒祺翀崧湉骞舸洺"
BRAND_SECOND = "铎翮砾榛渌壑岑稷芮晏祎翊泽椿衡骁禾禹朔沅阙迩筑屹"

SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张"
STEMS = "甲乙丙丁戊己庚辛壬癸"
BRANCHES = "子丑寅卯辰巳午未申酉戌亥"

SIZES = ("50人以下", "50-199人", "200-499人", "500-1999人", "2000人以上")
NEEDS = ("标准件", "组合方案", "定制件")
TIERS = ("A", "B", "C", "D")

# category → (code, items with their list price in CNY)
PRODUCTS: dict[str, tuple[str, tuple[tuple[str, float], ...]]] = {
    "紧固件": (
        "JG",
        (
            ("高强度螺栓", 18.6),
            ("法兰螺母", 9.8),
            ("自攻螺钉", 4.2),
            ("防松垫圈", 3.1),
            ("双头螺柱", 22.5),
            ("不锈钢螺栓", 26.4),
            ("卡箍组件", 38.0),
        ),
    ),
    "传动件": (
        "CD",
        (
            ("深沟球轴承", 86.0),
            ("圆锥滚子轴承", 148.0),
            ("同步带轮", 125.0),
            ("精密滚珠丝杠", 1680.0),
            ("直线导轨", 960.0),
            ("联轴器", 210.0),
            ("减速机组件", 2350.0),
        ),
    ),
    "液压密封": (
        "YM",
        (
            ("液压油缸密封包", 135.0),
            ("骨架油封", 28.0),
            ("耐高温密封圈", 12.5),
            ("高压软管总成", 265.0),
            ("液压阀组", 1480.0),
            ("食品级密封件", 46.0),
        ),
    ),
    "气动元件": (
        "QD",
        (
            ("标准气缸", 320.0),
            ("薄型气缸", 240.0),
            ("电磁阀", 185.0),
            ("气源处理器", 410.0),
            ("真空发生器", 278.0),
            ("气管接头", 8.6),
            ("阀岛", 2180.0),
        ),
    ),
    "电气连接": (
        "DQ",
        (
            ("重载连接器", 198.0),
            ("接线端子", 6.8),
            ("铜排组件", 156.0),
            ("传感器线束", 92.0),
            ("接近开关", 118.0),
            ("防爆接线盒", 345.0),
        ),
    ),
    "工装夹具": (
        "GJ",
        (
            ("快换夹具", 860.0),
            ("定位销组件", 42.0),
            ("焊接工装", 3650.0),
            ("检测治具", 2860.0),
            ("真空吸盘", 64.0),
            ("铝型材机架", 720.0),
            ("非标定制工装", 5200.0),
        ),
    ),
}

TITLES: tuple[tuple[str, str, str], ...] = (
    # job title, department, role in the decision
    ("总经理", "总经办", "拍板人"),
    ("采购总监", "采购部", "拍板人"),
    ("采购经理", "采购部", "把关人"),
    ("采购员", "采购部", "使用人"),
    ("技术总工", "技术部", "把关人"),
    ("设备主管", "设备部", "使用人"),
    ("生产经理", "生产部", "使用人"),
    ("质量经理", "质量部", "把关人"),
    ("仓储主管", "物流部", "内线"),
)

# how the syllables, cities and trades are written where somebody typed the name in English
LATIN: dict[str, str] = {
    "岱": "dai", "泓": "hong", "筱": "xiao", "砺": "li", "旻": "min", "屿": "yu", "芃": "peng",
    "翎": "ling", "铎": "duo", "桉": "an", "潞": "lu", "甫": "fu", "峤": "qiao", "昶": "chang",
    "澍": "shu", "璟": "jing", "苒": "ran", "祺": "qi", "翀": "chong", "崧": "song", "湉": "tian",
    "骞": "qian", "舸": "ge", "洺": "ming", "翮": "he", "砾": "li", "榛": "zhen", "渌": "lu",
    "壑": "he", "岑": "cen", "稷": "ji", "芮": "rui", "晏": "yan", "祎": "yi", "翊": "yi",
    "泽": "ze", "椿": "chun", "衡": "heng", "骁": "xiao", "禾": "he", "禹": "yu", "朔": "shuo",
    "沅": "yuan", "阙": "que", "迩": "er", "筑": "zhu", "屹": "yi",
}  # fmt: skip
LATIN_CITIES: dict[str, str] = {
    "苏州": "Suzhou", "无锡": "Wuxi", "常州": "Changzhou", "南通": "Nantong", "宁波": "Ningbo",
    "杭州": "Hangzhou", "嘉兴": "Jiaxing", "台州": "Taizhou", "上海": "Shanghai",
    "青岛": "Qingdao", "济南": "Jinan", "烟台": "Yantai", "东莞": "Dongguan", "佛山": "Foshan",
    "深圳": "Shenzhen", "惠州": "Huizhou", "中山": "Zhongshan", "厦门": "Xiamen",
    "泉州": "Quanzhou", "柳州": "Liuzhou", "天津": "Tianjin", "石家庄": "Shijiazhuang",
    "保定": "Baoding", "唐山": "Tangshan", "北京": "Beijing", "太原": "Taiyuan",
    "武汉": "Wuhan", "襄阳": "Xiangyang", "长沙": "Changsha", "株洲": "Zhuzhou",
    "郑州": "Zhengzhou", "洛阳": "Luoyang", "重庆": "Chongqing", "成都": "Chengdu",
    "德阳": "Deyang", "绵阳": "Mianyang", "贵阳": "Guiyang", "沈阳": "Shenyang",
    "大连": "Dalian", "长春": "Changchun", "哈尔滨": "Harbin",
}  # fmt: skip
ENGLISH: dict[str, str] = {
    "汽车零部件": "Auto Parts", "电子制造": "Electronics", "工程机械": "Machinery",
    "食品饮料": "Foods", "新能源": "New Energy", "医疗器械": "Medical", "包装印刷": "Packaging",
    "通用设备": "Equipment", "工业品贸易": "Trading",
}  # fmt: skip
