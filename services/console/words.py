"""The words of the trade as people read them: each value on the wire has one English text, a catalogue its Chinese."""

from collections.abc import Mapping
from typing import Final

from shared.codes import regions, tier_of
from shared.vocabulary import Tier


def _(text: str) -> str:
    """Marks a text for the catalogues."""
    return text


WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "level": {"red": _("Red"), "orange": _("Orange"), "yellow": _("Yellow"), "blue": _("Blue")},
    "alarm": {"raised": _("In alarm"), "cleared": _("Cleared")},
    "grade": {"general": _("General hazard"), "major": _("Major hazard")},
    "category": {
        "safety": _("Safety"),
        "process": _("Process"),
        "electrical": _("Electrical"),
        "instrument": _("Instruments"),
        "fire": _("Fire protection"),
        "layout": _("Site layout"),
        "equipment": _("Equipment"),
        "other": _("Other"),
    },
    "state": {
        "reported": _("Reported"),
        "confirmed": _("Confirmed"),
        "rectifying": _("Rectifying"),
        "rectified": _("To be accepted"),
        "closed": _("Written off"),
        "void": _("Void"),
    },
    "kind": {
        "opened": _("Case opened"),
        "repeated": _("Alarm again"),
        "worsened": _("Level rose"),
        "cleared": _("Alarm cleared"),
        "confirmed": _("Hazard confirmed"),
        "started": _("Rectification started"),
        "submitted": _("Rectification submitted"),
        "returned": _("Returned"),
        "accepted": _("Accepted and written off"),
        "voided": _("Declared void"),
        "commented": _("Comment"),
        "overdue": _("Overdue"),
        "escalated": _("Climbed a tier"),
    },
    "action": {
        "confirm": _("Confirm"),
        "start": _("Start rectification"),
        "submit": _("Submit rectification"),
        "accept": _("Accept and write off"),
        "return": _("Return"),
        "void": _("Declare void"),
        "comment": _("Add a comment"),
    },
    "tier": {"county": _("County"), "city": _("City"), "province": _("Province")},
    "notification": {
        "pending": _("Pending"),
        "sent": _("Delivered"),
        "acknowledged": _("Acknowledged"),
        "escalated": _("Unanswered, escalated"),
        "held": _("Held"),
        "failed": _("Sending failed"),
        "withdrawn": _("Withdrawn"),
    },
    "outcome": {
        "sending": _("Sending"),
        "delivered": _("Delivered"),
        "retry": _("To be tried again"),
        "failed": _("Sending failed"),
        "unknown": _("Outcome unknown"),
    },
    "contact_role": {"officer": _("Officer on duty"), "leader": _("Leader on duty"), "system": _("System")},
    "position": {"primary": _("Primary"), "backup": _("Backup")},
    "role": {
        "viewer": _("Viewer"),
        "officer": _("Officer"),
        "manager": _("Manager"),
        "enterprise": _("Enterprise safety officer"),
        "ops": _("Operations staff"),
        "admin": _("System administrator"),
    },
    "industry": {
        "civil_explosives": _("Civil explosives"),
        "railway_crossings": _("Railway crossings"),
        "automobile": _("Automobiles"),
        "petrochemical": _("Petrochemicals"),
        "equipment": _("Machinery"),
        "medicine": _("Medicine"),
        "metallurgy_building_materials": _("Metallurgy and building materials"),
        "food": _("Food"),
        "light_industry_textile": _("Light industry and textiles"),
        "electronics": _("Electronics"),
        "resource_utilization": _("Resource utilization"),
        "information_technology": _("Software and information"),
    },
    "actor": {"operator": _("At the machine"), "stranger": _("Not logged in")},
    "deed": {
        "login": _("Logged in"),
        "login_failed": _("Login failed"),
        "logout": _("Logged out"),
        "password_changed": _("Password changed"),
        "password_reset": _("Password reset"),
        "sessions_ended": _("Sessions ended"),
        "account_created": _("Account created"),
        "account_changed": _("Account changed"),
        "account_disabled": _("Account disabled"),
        "account_enabled": _("Account enabled again"),
        "evidence_uploaded": _("Evidence uploaded"),
        "create_key": _("Key made"),
        "revoke_key": _("Key revoked"),
        "import_enterprises": _("Enterprises imported"),
        "import_points": _("Points imported"),
        "import_contacts": _("Contacts imported"),
        "import_rosters": _("Rosters imported"),
        "put_routes": _("Routes of escalation changed"),
        "acknowledge": _("Acknowledged"),
        "replay": _("Dead letter sent again"),
        "discard": _("Dead letter given up"),
        "resume": _("Partition let go on"),
        "confirm": _("Hazard confirmed"),
        "start": _("Rectification started"),
        "submit": _("Rectification submitted"),
        "accept": _("Accepted and written off"),
        "return": _("Returned"),
        "void": _("Declared void"),
        "comment": _("Comment"),
    },
    "letter": {"waiting": _("Waiting"), "replayed": _("Sent again"), "discarded": _("Given up")},
    "measure": {
        "alarms": _("Alarms raised"),
        "cases_opened": _("Cases opened"),
        "cases_closed": _("Cases written off"),
        "cases_open": _("Cases open now"),
        "cases_overdue": _("Cases overdue now"),
        "seconds_to_acknowledge": _("Time to acknowledge"),
        "seconds_to_close": _("Time to write off"),
    },
    "service": {
        "console": _("Console"),
        "ingest": _("Data intake"),
        "hazards": _("Alarms and ledger"),
        "notify": _("Notifications and duty"),
        "reporting": _("Statistics service"),
    },
    "refusal": {
        "wrong_state": _("The case is not at this step."),
        "wrong_role": _("Your role may not do this."),
        "same_person": _("Whoever submitted may not accept: another person must."),
        "forbidden": _("Your role may not do this."),
        "forbidden_step": _("The case is not at this step any more."),
        "province_only": _("This is for staff of the province."),
        "five_required": _(
            "A major hazard needs all five: responsible person, measures, money, deadline and contingency plan."
        ),
        "due_in_past": _("The deadline must lie ahead."),
        "version_lost": _("The case has changed meanwhile. It is shown as it stands now; look, and decide again."),
        "version_required": _("The case has changed meanwhile. It is shown as it stands now; look, and decide again."),
        "invalid": _("A field is missing or cannot be read."),
        "not_found": _("There is nothing here that you can see."),
        "not_told": _("There is nothing to answer here."),
        "nothing_to_answer": _("There is nothing to answer here."),
        "not_called": _("Nobody has been called for this yet. Please try again in a moment."),
        "unauthorized": _("Your session has ended. Please log in again."),
        "too_large": _("That is too large."),
        "unsupported_type": _("This type of file is not taken."),
        "bad_name": _("The name of the file is empty, too long, or holds a path or invisible characters."),
        "empty": _("The file is empty."),
        "too_many_files": _("This case has as many files as a case may have."),
        "bad_cursor": _("This page of the list is gone. Begin at the first one."),
    },
    "reason": {
        "nobody_on_duty": _("Nobody was on duty"),
        "unreachable": _("Nobody on duty could be reached"),
        "no_channel": _("No way to reach the contact"),
        "silenced": _("Silenced"),
    },
}


def english(kind: str, value: object) -> str:
    """The English text of a value; one that is not known yet stands for itself."""
    return WORDS[kind].get(str(value), str(value)) if value is not None else ""


def region_name(code: str, locale: str) -> str:
    """A region as people say it: a county with its city before it."""
    region = regions().get(code)
    if region is None:
        return code
    if locale == "en":
        return region.pinyin
    city = regions().get(region.parent or "") if tier_of(code) is Tier.COUNTY else None
    return (city.name if city else "") + region.name
