"""What is taken as evidence (整改佐证): which files, by what they are and not by what they are called."""

import re
import unicodedata
from dataclasses import dataclass
from io import BytesIO
from typing import Final
from uuid import UUID, uuid5
from zipfile import BadZipFile, ZipFile

from shared.events.event import NAMESPACE

LARGEST: Final = 20 * 1024 * 1024
MOST_PER_CASE: Final = 100
LONGEST_NAME: Final = 255
"""Bytes of UTF-8, as file systems have it."""

_ENDINGS: Final = {
    "image/jpeg": ("jpg", "jpeg"),
    "image/png": ("png",),
    "image/webp": ("webp",),
    "application/pdf": ("pdf",),
    "video/mp4": ("mp4", "m4v"),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ("docx",),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ("xlsx",),
}
_OFFICE: Final = {"docx": "word/document.xml", "xlsx": "xl/workbook.xml"}
_MP4: Final = re.compile(rb"ftyp(isom|iso[2-9]|mp4[12]|avc1|M4V |MSNV|dash|mmp4|3gp[4-7])")
_MARKUP: Final = re.compile(rb"<(!doctype|html|head|body|script|svg|iframe|\?xml|\?php)", re.IGNORECASE)
_HEAD, _TAIL = 4096, 70_000


class Refused(Exception):
    """Why a file is not taken: a stable code, and one sentence."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@dataclass(frozen=True, slots=True)
class Evidence:
    """A file of a case, as it was given."""

    id: UUID
    case: UUID
    region: str
    enterprise: str
    name: str
    media_type: str
    sha256: bytes
    size: int
    by: str


def evidence_id(case: UUID, sha256: bytes) -> UUID:
    """The same file of the same case is the same evidence."""
    return uuid5(NAMESPACE, f"evidence/{case}/{sha256.hex()}")


def checked_name(name: str) -> str:
    """The name, if a file may be called so anywhere; raises Refused."""
    if not name.strip() or name.strip(".") == "":
        raise Refused("bad_name", "the file has no name")
    if len(name.encode("utf-8", "surrogatepass")) > LONGEST_NAME:
        raise Refused("bad_name", f"the file's name is longer than {LONGEST_NAME} bytes")
    if "/" in name or "\\" in name:
        raise Refused("bad_name", "the file's name holds a path")
    if any(unicodedata.category(each) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for each in name):
        raise Refused("bad_name", "the file's name holds control or direction characters")
    return name


def checked_type(name: str, content: bytes) -> str:
    """The media type that the content is of, if it is one that is taken and the name says the same; raises Refused."""
    if not content:
        raise Refused("empty", "the file is empty")
    if len(content) > LARGEST:
        raise Refused("too_large", f"a file has at most {LARGEST // 1024 // 1024} MiB")
    found = _type_of(content)
    if found is None:
        raise Refused("unsupported_type", "only JPEG, PNG, WebP, PDF, DOCX, XLSX and MP4 are taken")
    if not found.startswith("application/vnd.") and _second_nature(found, content):
        raise Refused("unsupported_type", "the file is also of another type")
    if name.rpartition(".")[2].lower() not in _ENDINGS[found]:
        raise Refused("unsupported_type", f"the file is a {_ENDINGS[found][0].upper()} and its name says another type")
    return found


def _type_of(content: bytes) -> str | None:
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if content.startswith(b"%PDF-"):
        return "application/pdf"
    if _MP4.match(content, 4):
        return "video/mp4"
    return _office(content) if content.startswith(b"PK\x03\x04") else None


def _office(content: bytes) -> str | None:
    """DOCX or XLSX without macros; only the directory is read, so nothing is inflated."""
    try:
        with ZipFile(BytesIO(content)) as archive:
            names = set(archive.namelist())
    except (BadZipFile, ValueError, NotImplementedError):
        return None
    if "[Content_Types].xml" not in names or any(name.lower().endswith("vbaproject.bin") for name in names):
        return None
    found = [ending for ending, part in _OFFICE.items() if part in names]
    return next(media for media, endings in _ENDINGS.items() if found[0] in endings) if len(found) == 1 else None


def _second_nature(found: str, content: bytes) -> bool:
    """Whether another program would take the same bytes for markup, an archive or a document."""
    head, tail = content[:_HEAD], content[-_TAIL:]
    other_pdf = found != "application/pdf" and b"%PDF-" in head
    return (bool(_MARKUP.search(head)) and not _xmp_only(head)) or b"PK\x05\x06" in tail or other_pdf


def _xmp_only(head: bytes) -> bool:
    """Pictures carry XMP, which is markup that no browser shows."""
    return not _MARKUP.search(head.replace(b"<?xml", b"").replace(b"<?xpacket", b""))
