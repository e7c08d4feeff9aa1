"""What the demo shop sells and what is wrong with some of it; everything is invented. `make_examples.py` writes it out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# title | category | brand | freight | weight in g | price in yuan | spec=values; spec=values
PASSING = """
手工羊毛围巾加厚款|6091|7001|47428464001|300|298.00|颜色=红,藏青;尺码=M
桑蚕丝小方巾|6091|7001|47428464001|60|128.00|颜色=樱粉,雾蓝,杏白
羊绒混纺披肩两用款|6091|7005|47428464001|420|459.00|颜色=驼色,烟灰;款式=流苏,素边
粗棒针毛线帽|6092|7001|47428464001|120|79.00|颜色=米白,焦糖,墨绿
遮阳渔夫帽|6092|7005|47428464002|110|69.90|颜色=卡其,黑;尺码=M,L
头层牛皮针扣腰带|6093|7005|47428464001|260|169.00|颜色=黑,棕;尺寸=105cm,115cm,125cm
棉麻系带连衣裙|6101|7005|47428464001|380|329.00|颜色=藕粉,石青;尺码=S,M,L
法式收腰碎花长裙|6101|7005|47428464001|350|289.00|颜色=蓝底,黄底;尺码=S,M,L,XL
真丝吊带连衣裙|6101|7005|47428464001|240|699.00|尺码=S,M,L
圆领羊毛套头毛衣|6102|7001|47428464001|460|399.00|颜色=燕麦,砖红,墨蓝;尺码=S,M,L
慵懒风开衫外套|6102|7005|47428464002|520|359.00|颜色=奶咖,浅灰;尺码=均码
长绒棉白衬衫|6103|7005|47428464001|230|219.00|尺码=S,M,L,XL
亚麻立领衬衫|6103|7005|47428464001|250|259.00|颜色=本白,豆绿;尺码=S,M,L
高腰直筒牛仔裤|6104|7005|47428464001|610|239.00|颜色=复古蓝,烟黑;尺寸=26,27,28,29
羊毛阔腿裤|6104|7001|47428464001|540|379.00|颜色=炭灰,驼色;尺码=S,M,L
重磅纯棉圆领T恤|6111|7005|47428464001|260|99.00|颜色=白,黑,军绿;尺码=M,L,XL
冰感速干短袖|6111|7005|47428464002|180|89.00|颜色=浅蓝,深灰;尺码=M,L,XL,XXL
连帽防风夹克|6112|7005|47428464001|640|459.00|颜色=黑,橄榄绿;尺码=M,L,XL
手工缝制乐福鞋|6121|7001|47428464001|820|529.00|颜色=棕,黑;尺码=38,39,40,41,42
厚底帆布鞋|6121|7005|47428464001|760|199.00|颜色=米白,黑;尺码=36,37,38,39
全棉四件套|6131|7003|47428464001|2600|599.00|颜色=浅灰,奶白;尺寸=1.5米,1.8米
水洗亚麻四件套|6131|7003|47428464001|2900|1099.00|颜色=燕麦,雾蓝;尺寸=1.5米,1.8米,2米
新疆棉花被|6132|7003|47428464003|4000|459.00|净含量=4斤,6斤,8斤
蚕丝夏凉被|6132|7003|47428464001|1500|899.00|尺寸=150x200,200x230
荞麦壳护颈枕|6133|7003|47428464003|2100|129.00|款式=单只,一对
天然乳胶枕|6133|7003|47428464001|1300|269.00|款式=高低,平面;颜色=白,灰
铸铁炖锅|6141|7004|47428464003|5200|499.00|颜色=樱桃红,墨黑;尺寸=22cm,24cm
不粘平底煎锅|6141|7004|47428464001|1100|189.00|尺寸=24cm,26cm,28cm
粗陶手作饭碗|6142|7004|47428464001|420|58.00|颜色=青灰,米黄
骨瓷餐盘套装|6142|7004|47428464001|2300|328.00|套餐=6件套,12件套
竹筷家庭装|6142|7004|47428464002|260|39.90|套餐=5双,10双
双层玻璃水杯|6143|7004|47428464001|310|69.00|容量=300ml,450ml
便携保温杯|6143|7004|47428464001|360|129.00|颜色=雾粉,深空灰,墨绿;容量=350ml,500ml
大豆蜡香薰蜡烛|6151|7001|47428464001|320|118.00|香型=雪松,橙花,白茶
无火藤条香薰|6151|7001|47428464001|410|158.00|香型=桂花,乌木;容量=120ml,200ml
手拉坯陶瓷花瓶|6152|7001|47428464001|980|168.00|颜色=哑白,窑变蓝;尺寸=小号,大号
可折叠布艺收纳箱|6161|7006|47428464002|900|59.90|颜色=灰,米;尺寸=中号,大号
原木抽屉收纳盒|6161|7006|47428464003|1700|139.00|尺寸=两层,三层
每日坚果混合装|6171|7002|47428464001|750|89.00|套餐=7日装,30日装
山核桃仁罐装|6171|7002|47428464001|500|76.00|口味=原味,椒盐;净含量=250g,500g
手剥松子|6171|7002|47428464001|520|99.00|净含量=250g,500g
桂花绿豆糕|6172|7002|47428464001|480|42.80|口味=桂花,抹茶,原味
红糖核桃酥|6172|7002|47428464002|600|36.80|净含量=300g,600g
五常稻花香大米|6181|7002|47428464003|5100|79.90|净含量=2.5kg,5kg
有机胚芽米|6181|7002|47428464003|2600|59.00|净含量=1kg,2kg
冷榨山茶油|6182|7002|47428464001|1100|158.00|容量=500ml,1L
小磨芝麻香油|6182|7002|47428464001|700|45.00|容量=250ml,500ml
明前龙井茶叶|6191|7002|47428464001|300|328.00|净含量=50g,100g;套餐=罐装,礼盒
安吉白茶|6191|7002|47428464001|280|268.00|净含量=50g,100g
云南小粒咖啡豆|6192|7002|47428464001|520|88.00|口味=中烘,深烘;净含量=227g,454g
冷萃挂耳咖啡|6192|7002|47428464001|240|69.00|口味=花果,坚果,巧克力
"""


@dataclass(frozen=True, slots=True)
class Failing:
    """Describe a row that is meant to fail.

    Attributes:
        good: The product, as a line of `PASSING`; empty where the row's product isn't among the shop's.
        why: What is wrong, in Chinese.
        rules: Ids of the rules that must say so.
        notes: Ids of the rules that remark on it and decide nothing.
        product: Fields of the payload that differ from a good one's.
        row: Cells that differ, by column title.
        outcome: rejected or undetermined.
        times: How often the row stands in the upload.
        shape: `detail` (item.detail.get 1.0.1) or `old` (item.get 3.0.0).
        listed: Whether the product stands among those already listed.
    """

    good: str
    why: str
    rules: Sequence[str]
    product: Mapping[str, Any] = field(default_factory=dict)
    row: Mapping[str, str] = field(default_factory=dict)
    outcome: str = "rejected"
    times: int = 1
    shape: str = "detail"
    listed: bool = False
    notes: Sequence[str] = ()


def _delivery(**ways: bool) -> dict[str, Any]:
    return {"item_delivery_param": {"postage": 0, "delivery_template_id": 535943, "delivery_setting": ways}}


def _skus(*of_each: tuple[str, int, int]) -> dict[str, Any]:
    """Write SKUs of one spec level, 颜色, each with its value, price in fen and stock."""
    return {
        "sku_list": [
            {
                "sku_id": 36_900_000 + number,
                "price": price,
                "stock_num": stock,
                "sku_props": [
                    {
                        "prop_name_id": 1,
                        "prop_name": "颜色",
                        "prop_value_id": 1000 + number,
                        "prop_value_name": value,
                    }
                ],
            }
            for number, (value, price, stock) in enumerate(of_each)
        ]
    }


FAILING = (
    Failing(
        "香云纱手工团扇|6057|7001|47428464001|90|88.00|",
        "商品没有规格",
        ["spec-levels"],
        row={"类目ID": "6091"},
    ),
    Failing(
        "定制刻字钢笔礼盒|6161|7006|47428464001|420|199.00|颜色=黑,白;款式=明尖,暗尖;套餐=单支,礼盒",
        "商品有三级规格",
        ["spec-levels"],
    ),
    Failing(
        "加绒保暖围脖|6091|7001|47428464001|160|59.00|颜色=灰,红",
        "规格名写成了“色颜”",
        ["spec-name-not-of-product"],
        row={"规格名1": "色颜"},
    ),
    Failing(
        "针织贝雷帽|6092|7001|47428464001|110|75.00|颜色=酒红,黑",
        "规格模板不在惠聚数据里",
        ["spec-template-unknown"],
        row={"规格模板ID1": "30099"},
        notes=["spec-template"],
    ),
    Failing(
        "阔边草帽|6092|7005|47428464001|130|85.00|颜色=本色,咖;尺码=M,L",
        "两级规格只填了一级",
        ["spec-level-missing"],
        row={"规格名2": "", "规格模板ID2": ""},
    ),
    Failing(
        "格纹羊毛长裙|6101|7005|47428464001|420|369.00|尺码=S,M,L",
        "类目不在惠聚数据里",
        ["category-unknown"],
        row={"类目ID": "6199"},
        notes=["category"],
    ),
    Failing(
        "学院风背心毛衣|6102|7005|47428464001|300|199.00|尺码=S,M,L",
        "类目是第二级",
        ["category-not-leaf"],
        row={"类目ID": "6058"},
        notes=["category"],
    ),
    Failing(
        "条纹海魂衫|6111|7005|47428464001|210|89.00|尺码=M,L",
        "类目是第一级",
        ["category-not-leaf"],
        row={"类目ID": "6033"},
        notes=["category"],
    ),
    Failing(
        "灯芯绒工装夹克|6112|7005|47428464001|700|399.00|尺码=M,L,XL",
        "品牌不在惠聚数据里",
        ["brand-unknown"],
        row={"品牌ID": "7100"},
    ),
    Failing(
        "软底居家拖鞋|6121|7006|47428464001|300|39.00|颜色=灰,粉",
        "运费模板不在惠聚数据里",
        ["freight-template-unknown"],
        row={"运费模板ID": "47428464010"},
    ),
    Failing(
        "插花课程体验|6152|7001|47428464001|0|128.00|套餐=单人,双人",
        "标记为虚拟的普通商品",
        ["virtual-goods"],
        {"is_virtual": 1},
    ),
    Failing(
        "烘焙视频课|6172|7002|47428464001|0|59.00|套餐=单次,全年",
        "虚拟商品，且不发快递",
        ["virtual-goods", "no-express"],
        {"item_type": 60, "is_virtual": 1, **_delivery()},
    ),
    Failing(
        "门店茶饮电子券|6191|7002|47428464001|0|29.90|套餐=单杯,双杯",
        "电子卡券，且不发快递",
        ["e-voucher-goods", "no-express"],
        {"item_type": 61, "is_virtual": 1, **_delivery(self_pick=True)},
    ),
    Failing(
        "秋茶定金预售|6191|7002|47428464001|300|258.00|净含量=50g,100g",
        "定金预售",
        ["presale-goods"],
        {"presale_param": {"pre_sale_type": 1, "deposit": 5000}},
    ),
    Failing(
        "新米全款预售|6181|7002|47428464003|5100|99.00|净含量=5kg,10kg",
        "全款预售",
        ["presale-goods"],
        {"presale_param": {"pre_sale_type": 0, "etd_type": 1, "etd_days": 15}},
    ),
    Failing(
        "大闸蟹礼盒预售|6171|7002|47428464001|2500|399.00|套餐=6只,8只",
        "业务类型是预售",
        ["presale-goods"],
        {"biz_code": "010000000002"},
    ),
    Failing(
        "分销蜂蜜礼盒|6171|7002|47428464001|1200|129.00|净含量=500g,1kg",
        "分销商品类型",
        ["distribution-goods"],
        {"item_type": 10},
    ),
    Failing(
        "合作款陶瓷茶具|6142|7004|47428464001|1500|268.00|颜色=青,白",
        "来自分销平台",
        ["distribution-goods"],
        {"goods_platform": 10},
    ),
    Failing(
        "联名帆布袋|6161|7006|47428464001|180|49.00|颜色=白,黑",
        "带分销标记 70001",
        ["distribution-goods"],
        {"ability_mark_codes": [70001]},
    ),
    Failing(
        "供货商直发抱枕|6133|7003|47428464001|500|69.00|颜色=黄,蓝",
        "有供货商商品",
        ["distribution-goods"],
        {"fenxiao_extend": {"supplier_kdt_id": 19005001, "supplier_item_id": 510022001}},
    ),
    Failing(
        "现做鲜花花束|6152|7001|47428464001|1200|199.00|款式=小束,大束",
        "只支持同城配送",
        ["no-express"],
        _delivery(express=False, city_delivery=True),
    ),
    Failing(
        "到店自提生日蛋糕|6172|7002|47428464001|1500|238.00|尺寸=6寸,8寸",
        "只支持到店自提，没有快递这一项",
        ["no-express"],
        _delivery(self_pick=True),
    ),
    Failing(
        "断码清仓凉鞋|6121|7005|47428464001|600|99.00|尺码=36,40",
        "在有赞已下架",
        ["not-on-sale"],
        {"is_display": 0},
    ),
    Failing(
        "招牌坚果礼盒|6171|7002|47428464001|1600|168.00|套餐=标准,豪华",
        "已经上架过惠聚",
        ["listed-already"],
        listed=True,
    ),
    Failing(
        "双面羊绒大衣|6102|7001|47428464001|1200|1599.00|颜色=驼,黑;尺码=S,M,L",
        "同一个商品在表里出现两次",
        ["twice-in-upload"],
        times=2,
    ),
    Failing("", "商品不在店铺里", ["product-unknown"], row={"有赞商品ID": "403689999"}),
    Failing(
        "亚麻桌布|6142|7003|47428464001|500|89.00|尺寸=方形,圆形",
        "没填品牌",
        ["row-incomplete"],
        row={"品牌ID": ""},
    ),
    Failing(
        "珐琅搪瓷锅|6141|7004|47428464001|1800|239.00|颜色=奶白,浅绿",
        "没填类目和运费模板",
        ["row-incomplete"],
        row={"类目ID": "", "运费模板ID": ""},
    ),
    Failing("", "没填有赞商品 ID", ["row-incomplete"], row={"有赞商品ID": ""}),
    Failing(
        "老款手工棉鞋|6121|7001|47428464001|700|159.00|尺码=38,39,40",
        "旧接口的商品数据没有配送方式等字段，无法判断",
        ["virtual-goods", "presale-goods", "distribution-goods", "no-express"],
        outcome="undetermined",
        shape="old",
    ),
    Failing(
        "老款蓝印花布包|6161|7001|47428464001|240|89.00|颜色=靛蓝,月白;款式=手提,斜挎",
        "旧接口的商品数据没有配送方式等字段，无法判断",
        ["virtual-goods", "presale-goods", "distribution-goods", "no-express"],
        outcome="undetermined",
        shape="old",
    ),
    Failing(
        "企业采购圆领T恤批发装|6111|7005|47428464001|2600|890.00|颜色=白,黑;尺码=M,L",
        "批发商品",
        ["not-ordinary-goods"],
        {"item_type": 25},
    ),
    Failing(
        "亲子毛线帽|6092|7001|47428464001|200|128.00|颜色=红,白;尺码=大人,小孩",
        "“颜色”填了两次，漏了“尺码”",
        ["spec-level-missing", "spec-level-twice"],
        row={"规格名2": "颜色", "规格模板ID2": "30001"},
    ),
    Failing(
        "撞色拼接披肩|6091|7005|47428464001|380|269.00|颜色=蓝白,红黑;款式=长款,短款",
        "两级规格对应了同一个规格模板",
        ["spec-template"],
        row={"规格模板ID2": "30001"},
        notes=["spec-template"],
    ),
    Failing(
        "断货王羊毛手套|6093|7001|47428464001|90|59.00|颜色=灰,驼",
        "库存为零",
        [],
        {"quantity": 0},
        outcome="accepted",
        notes=["out-of-stock"],
    ),
    Failing(
        "秋冬厚袜三双装|6121|7006|47428464002|150|39.90|颜色=黑,白",
        "一个 SKU 没有货，另一个忘了填价格",
        [],
        {"quantity": 20, **_skus(("黑", 3990, 0), ("白", 0, 20))},
        outcome="accepted",
        notes=["sku-out-of-stock", "price-zero"],
    ),
    Failing(
        "待拍摄新款发带|6092|7001|47428464001|30|19.90|颜色=红,绿",
        "还没有商品图片",
        [],
        {"images": []},
        outcome="accepted",
        notes=["no-image"],
    ),
)
