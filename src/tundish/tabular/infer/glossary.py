"""The English of the words that headers of steel and coal plants are made of, for names of columns.

A header is translated word by word, the longest first; see `translate`. A header with a word that is not
listed keeps its Chinese name, which Python, Parquet and SQL take as well.
"""

from __future__ import annotations

import re

__all__ = ["TERMS", "translate"]

_PLACES = (
    "高炉 blast_furnace,转炉 converter,电炉 electric_furnace,精炼炉 ladle_furnace,"
    "加热炉 reheating_furnace,热风炉 hot_stove,焦炉 coke_oven,锅炉 boiler,退火炉 annealing_furnace,"
    "均热炉 soaking_pit,烧结机 sinter_machine,烧结 sinter,球团 pellet,炼铁 ironmaking,炼钢 steelmaking,"
    "连铸机 caster,连铸 casting,热轧 hot_rolling,冷轧 cold_rolling,轧机 mill,粗轧 rough,精轧 finish,"
    "终轧 finish,开轧 rolling_start,卷取 coiling,酸洗 pickling,连轧 tandem,酸轧 pickling_tandem,"
    "平整 temper,光整 temper,镀锌 galvanizing,退火 annealing,均热 soaking,中间包 tundish,中包 tundish,"
    "大包 ladle,钢包 ladle,结晶器 mould,铁水包 hot_metal_ladle,炉膛 chamber,炉顶 top,炉缸 hearth,"
    "炉腹 bosh,炉身 shaft,炉喉 throat,炉壳 shell,炉底 bottom,风口 tuyere,铁口 taphole,料线 stock_line,"
    "机架 stand,道次 pass,辊缝 roll_gap,轧辊 roll,工作辊 work_roll,支撑辊 backup_roll,张力辊 bridle,"
    "炉 furnace,皮带 belt,磨煤机 coal_mill,煤仓 coal_bunker,料仓 bin,风机 fan,水泵 pump,泵 pump,"
    "电机 motor,主机 main_drive,车间 shop,产线 line,机组 line,工序 process,工位 station,设备 equipment,"
    "测点 point,区域 zone,段 zone"
)
_THINGS = (
    "铁水 hot_metal,生铁 pig_iron,钢水 steel,废钢 scrap,板坯 slab,钢坯 billet,铸坯 cast_slab,坯 slab,"
    "钢卷 coil,钢板 plate,带钢 strip,带材 strip,板带 strip,钢 steel,铁 iron,炉渣 slag,渣 slag,"
    "焦炭 coke,焦丁 nut_coke,焦 coke,喷煤 pulverized_coal,煤粉 pulverized_coal,煤气 gas,"
    "高炉煤气 bf_gas,焦炉煤气 coke_oven_gas,转炉煤气 converter_gas,天然气 natural_gas,煤 coal,矿石 ore,"
    "铁矿 iron_ore,精矿 concentrate,块矿 lump_ore,矿 ore,石灰石 limestone,石灰 lime,白云石 dolomite,"
    "熔剂 flux,合金 alloy,料 burden,炉料 burden,原料 raw_material,燃料 fuel,氧气 oxygen,氮气 nitrogen,"
    "氩气 argon,富氧 oxygen_enrichment,氧 oxygen,氢 hydrogen,氮 nitrogen,蒸汽 steam,"
    "压缩空气 compressed_air,空气 air,鼓风 blast,热风 hot_blast,冷风 cold_blast,风 blast,烟气 flue_gas,"
    "废气 waste_gas,冷却水 cooling_water,给水 feed_water,循环水 circulating_water,水 water,电 power,"
    "油 oil,酸 acid,锌层 zinc_layer,镀层 coating,锌锅 zinc_pot,粉尘 dust,返矿 return_fines,"
    "试样 specimen,样品 sample,产品 product,物料 material,材料 material,成品 product,休风 blast_stop,"
    "班组 crew,"
    "班次 shift,班 shift,操作员 operator,客户 customer,供应商 supplier,合同 contract,订单 order,"
    "批 batch,批次 batch,仪表 meter,电表 meter,表 meter,缺陷 defect,表面 surface,边部 edge,中部 middle,"
    "头部 head,尾部 tail,上表面 top_side,下表面 bottom_side"
)
_QUANTITIES = (
    "温度 temperature,温差 temperature_difference,压力 pressure,压差 pressure_drop,真空度 vacuum,"
    "流量 flow,风量 blast_volume,风温 blast_temperature,风压 blast_pressure,顶压 top_pressure,"
    "顶温 top_temperature,透气性指数 permeability_index,透气性 permeability,速度 speed,"
    "转速 rotation_speed,拉速 casting_speed,轧制力 rolling_force,力矩 torque,扭矩 torque,张力 tension,"
    "拉力 tension,力 force,电流 current,电压 voltage,功率因数 power_factor,功率 power,频率 frequency,"
    "有功电量 active_energy,无功电量 reactive_energy,电量 electricity,电耗 power_consumption,"
    "能耗 energy_consumption,能源 energy,消耗 consumption,单耗 specific_consumption,焦比 coke_rate,"
    "煤比 coal_rate,燃料比 fuel_rate,利用系数 productivity,系数 coefficient,产量 output,产率 yield,"
    "成材率 yield,收得率 yield,厚度 thickness,宽度 width,长度 length,高度 height,深度 depth,"
    "直径 diameter,外径 outer_diameter,内径 inner_diameter,面积 area,体积 volume,重量 weight,"
    "净重 net_weight,毛重 gross_weight,皮重 tare_weight,质量 mass,粒度 size,粒级 size_class,"
    "密度 density,浓度 concentration,含量 content,品位 grade,成分 composition,碱度 basicity,"
    "水分 moisture,灰分 ash,挥发分 volatile_matter,固定碳 fixed_carbon,全硫 total_sulphur,硫分 sulphur,"
    "发热量 calorific_value,热值 calorific_value,转鼓强度 tumbler_strength,转鼓指数 tumbler_index,"
    "筛分指数 screening_index,还原性 reducibility,屈服强度 yield_strength,抗拉强度 tensile_strength,"
    "强度 strength,延伸率 elongation,断后伸长率 elongation,硬度 hardness,冲击功 impact_energy,"
    "断面收缩率 reduction_of_area,弹性模量 elastic_modulus,压下率 reduction,凸度 crown,平直度 flatness,"
    "粗糙度 roughness,楔形 wedge,过热度 superheat,液位 level,料位 level,开度 opening,振幅 amplitude,"
    "振动 vibration,湿度 humidity,比例 ratio,比 ratio,率 rate,成本 cost,价格 price,单价 unit_price,"
    "金额 amount,数量 quantity,个数 count,次数 count,件数 pieces,指数 index,得分 score,时长 duration,"
    "碳 carbon,硅 silicon,锰 manganese,磷 phosphorus,硫 sulphur,铬 chromium,镍 nickel,铜 copper,"
    "钛 titanium,钒 vanadium,铝 aluminium,钙 calcium,镁 magnesium"
)
_NAMES = (
    "炉号 heat_no,炉次号 heat_no,炉次 heat,熔炼号 heat_no,板坯号 slab_no,坯号 slab_no,钢卷号 coil_no,"
    "卷号 coil_no,试样号 specimen_no,试样编号 specimen_no,样品编号 sample_no,样品号 sample_no,"
    "化验编号 lab_no,批号 batch_no,批次号 batch_no,合同号 contract_no,订单号 order_no,"
    "设备号 equipment_no,设备编号 equipment_no,表号 meter_no,材料号 material_no,铁次 cast_no,"
    "铁次号 cast_no,罐号 ladle_no,包号 ladle_no,钢种 steel_grade,牌号 grade,出钢记号 grade_code,"
    "序号 serial_no,编号 number,编码 code,代码 code,号 no,名称 name,名 name,类型 type,类别 category,"
    "种类 kind,等级 class,级别 class,型号 model,规格 specification,状态 state,结果 result,判定 verdict,"
    "备注 remark,说明 note,单位 unit,部门 department,标准 standard,方法 method,项目 item,元素 element,"
    "分析 analysis,化验 laboratory,检验 inspection,检测 measurement,试验 test,测量 measured,"
    "取样 sampling,采样 sampling"
)
_TIMES = (
    "日期 date,时间 time,时刻 time,年月 month,年 year,月 month,日 day,小时 hour,分钟 minute,开始 start,"
    "结束 end,出铁 tapping,出钢 tapping,生产 production,记录 record,采集 logged,更新 updated,"
    "创建 created,周期 period"
)
_RELATIONS = (
    "目标 target,设定 set,设计 design,计划 planned,实际 actual,实绩 actual,标称 nominal,公称 nominal,"
    "平均 mean,均值 mean,最大 max,最高 max,最小 min,最低 min,上限 upper_limit,下限 lower_limit,"
    "偏差 deviation,公差 tolerance,标准差 standard_deviation,累计 cumulative,总 total,合计 total,"
    "瞬时 instantaneous,有功 active,无功 reactive,入口 entry,出口 exit,进口 inlet,前 before,后 after,"
    "左 left,右 right,上 upper,下 lower,内 inner,外 outer,东 east,西 west,南 south,北 north,一级 first,"
    "二级 second,值 value,是否 is,第 no,主 main,副 secondary,热 hot,冷 cold,进 inlet,出 outlet,"
    "全 total,净 net,毛 gross,量 amount,度 degree,的 "
)

TERMS: dict[str, str] = {
    chinese: english
    for group in (_PLACES, _THINGS, _QUANTITIES, _NAMES, _TIMES, _RELATIONS)
    for chinese, _, english in (pair.strip().partition(" ") for pair in group.split(","))
}
"""English by Chinese: one word, or several with '_' between them."""

_LONGEST = max(map(len, TERMS))
_CHINESE = re.compile(r"[\u3400-\u9fff]+")


def translate(text: str) -> str | None:
    """The text with its Chinese words in English, '_' between them; None where a word is not known.

    '炉顶压力' is 'top_pressure', '灰分Aad' 'ash_Aad'.
    """
    failed = False

    def words(match: re.Match[str]) -> str:
        nonlocal failed
        found = _words(match[0])
        failed |= found is None
        return f"_{'_'.join(filter(None, found or ()))}_"

    translated = _CHINESE.sub(words, text)
    return None if failed else translated


def _words(run: str) -> list[str] | None:
    """The English of a run of Chinese characters: as few words as possible, longer ones first."""
    best: list[list[str] | None] = [[]]
    for end in range(1, len(run) + 1):
        options = [
            [*before, TERMS[run[start:end]]]
            for start in range(max(0, end - _LONGEST), end)
            if run[start:end] in TERMS and (before := best[start]) is not None
        ]
        best.append(min(options, key=len, default=None))
    return best[-1]
