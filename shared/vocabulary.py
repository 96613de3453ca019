"""The trade's closed lists, as they stand on the wire: each word once, with its Chinese term."""

from enum import StrEnum
from typing import Final


class Level(StrEnum):
    """Colour of an alarm or warning (四色预警), gravest first."""

    RED = "red"  # 红: 重大
    ORANGE = "orange"  # 橙: 较大
    YELLOW = "yellow"  # 黄: 一般
    BLUE = "blue"  # 蓝: 低


GRAVITY: Final = {Level.RED: 4, Level.ORANGE: 3, Level.YELLOW: 2, Level.BLUE: 1}


class AlarmState(StrEnum):
    """Whether the condition of an alarm began or ended."""

    RAISED = "raised"  # 报警
    CLEARED = "cleared"  # 恢复


class Grade(StrEnum):
    """Grade of a hazard (隐患等级)."""

    GENERAL = "general"  # 一般隐患
    MAJOR = "major"  # 重大隐患


class Category(StrEnum):
    """What a hazard concerns (隐患类型); the eight of the national data exchange, hazardDangerType."""

    SAFETY = "safety"  # 安全
    PROCESS = "process"  # 工艺
    ELECTRICAL = "electrical"  # 电气
    INSTRUMENT = "instrument"  # 仪表
    FIRE = "fire"  # 消防
    LAYOUT = "layout"  # 总图
    EQUIPMENT = "equipment"  # 设备
    OTHER = "other"  # 其他


class CaseState(StrEnum):
    """Where a case (台账条目) stands on its way to the write-off."""

    REPORTED = "reported"  # 上报
    CONFIRMED = "confirmed"  # 已核实
    RECTIFYING = "rectifying"  # 整改中
    RECTIFIED = "rectified"  # 待验收
    CLOSED = "closed"  # 已销号
    VOID = "void"  # 作废


class CaseKind(StrEnum):
    """What happened to a case: one word for a timeline row and for the event that tells of it."""

    OPENED = "opened"  # 立案
    REPEATED = "repeated"  # 再次报警
    WORSENED = "worsened"  # 等级升高
    CLEARED = "cleared"  # 报警恢复
    CONFIRMED = "confirmed"  # 核实
    STARTED = "started"  # 开始整改
    SUBMITTED = "submitted"  # 提交整改
    RETURNED = "returned"  # 退回
    ACCEPTED = "accepted"  # 验收销号
    VOIDED = "voided"  # 作废
    COMMENTED = "commented"  # 备注
    OVERDUE = "overdue"  # 超期
    ESCALATED = "escalated"  # 升级


class Tier(StrEnum):
    """The government level that answers (层级), lowest first."""

    COUNTY = "county"  # 县
    CITY = "city"  # 市
    PROVINCE = "province"  # 省


class Quality(StrEnum):
    """Quality of a reading."""

    GOOD = "good"
    UNCERTAIN = "uncertain"
    BAD = "bad"


class NotificationState(StrEnum):
    """What became of a notification (通知)."""

    PENDING = "pending"  # 待发
    SENT = "sent"  # 已送达
    ACKNOWLEDGED = "acknowledged"  # 已应答
    ESCALATED = "escalated"  # 无人应答, 已升级
    HELD = "held"  # 未发, 附原因
    FAILED = "failed"  # 发送失败
    WITHDRAWN = "withdrawn"  # 撤回


class NotificationKind(StrEnum):
    """What happened to a notification: one word for the event that tells of it."""

    CREATED = "created"
    DELIVERED = "delivered"
    ACKNOWLEDGED = "acknowledged"
    ESCALATED = "escalated"
    ENDED = "ended"
    HELD = "held"
    FAILED = "failed"


class ContactRole(StrEnum):
    """Who a contact is; a system is a machine that is told everything one by one."""

    OFFICER = "officer"  # 值班员
    LEADER = "leader"  # 带班领导
    SYSTEM = "system"  # 系统


class Position(StrEnum):
    """Place of a contact on a roster."""

    PRIMARY = "primary"  # 主班
    BACKUP = "backup"  # 副班


class Role(StrEnum):
    """What a member of staff may do."""

    VIEWER = "viewer"  # 查看
    OFFICER = "officer"  # 值班员
    MANAGER = "manager"  # 管理员
    ENTERPRISE = "enterprise"  # 企业安全员
    OPS = "ops"  # 运维
    ADMIN = "admin"  # 系统管理员


class Industry(StrEnum):
    """The industries of the work-safety plan of 2024."""

    CIVIL_EXPLOSIVES = "civil_explosives"  # 民爆
    RAILWAY_CROSSINGS = "railway_crossings"  # 铁路监护道口
    AUTOMOBILE = "automobile"  # 汽车
    PETROCHEMICAL = "petrochemical"  # 石化
    EQUIPMENT = "equipment"  # 装备
    MEDICINE = "medicine"  # 医药
    METALLURGY_BUILDING_MATERIALS = "metallurgy_building_materials"  # 冶金建材
    FOOD = "food"  # 食品
    LIGHT_INDUSTRY_TEXTILE = "light_industry_textile"  # 轻工纺织
    ELECTRONICS = "electronics"  # 电子
    RESOURCE_UTILIZATION = "resource_utilization"  # 资源综合利用
    INFORMATION_TECHNOLOGY = "information_technology"  # 软件信息
