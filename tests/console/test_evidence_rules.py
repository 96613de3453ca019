"""A file is what its bytes say, under a name that is safe anywhere; everything else is refused with the reason."""

from io import BytesIO
from uuid import UUID
from zipfile import ZipFile, ZipInfo

import pytest

from services.console.domain.evidence import LARGEST, Refused, checked_name, checked_type, evidence_id

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(200) + b"\xff\xd9"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(200)
WEBP = b"RIFF\x10\x00\x00\x00WEBPVP8 " + bytes(200)
PDF = b"%PDF-1.7\n" + bytes(200) + b"%%EOF"
MP4 = b"\x00\x00\x00\x18ftypmp42" + bytes(200)


def archive(*names: str) -> bytes:
    held = BytesIO()
    with ZipFile(held, "w") as made:
        for name in names:
            made.writestr(ZipInfo(name), "x")  # of no time, for the bytes are names of tests
    return held.getvalue()


DOCX = archive("[Content_Types].xml", "word/document.xml")
XLSX = archive("[Content_Types].xml", "xl/workbook.xml")


@pytest.mark.parametrize(
    ("name", "content", "media"),
    [
        ("现场.JPG", JPEG, "image/jpeg"),
        ("a.jpeg", JPEG, "image/jpeg"),
        ("a.png", PNG, "image/png"),
        ("a.webp", WEBP, "image/webp"),
        ("检验报告.pdf", PDF, "application/pdf"),
        ("a.mp4", MP4, "video/mp4"),
        ("a.docx", DOCX, "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("a.xlsx", XLSX, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("a.jpg", JPEG[:20] + b"<?xpacket begin=''?><x:xmpmeta>" + JPEG[20:], "image/jpeg"),
    ],
)
def test_a_file_is_what_its_bytes_say(name: str, content: bytes, media: str):
    assert checked_type(name, content) == media


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.jpg", b"", "empty"),
        ("a.jpg", JPEG + bytes(LARGEST), "too_large"),
        ("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "unsupported_type"),
        ("a.html", b"<!doctype html><script>alert(1)</script>", "unsupported_type"),
        ("a.jpg", b"<script>alert(1)</script>", "unsupported_type"),
        ("a.exe", b"MZ" + bytes(100), "unsupported_type"),
        ("a.html", JPEG, "unsupported_type"),
        ("a.pdf", JPEG, "unsupported_type"),
        ("a", JPEG, "unsupported_type"),
        ("a.jpg", JPEG[:20] + b"<script>alert(1)</script>" + JPEG[20:], "unsupported_type"),
        ("a.jpg", JPEG[:20] + b"<SVG/onload=alert(1)>" + JPEG[20:], "unsupported_type"),
        ("a.jpg", JPEG + archive("evil.class"), "unsupported_type"),
        ("a.pdf", PDF + archive("evil.class"), "unsupported_type"),
        ("a.png", PNG[:30] + b"%PDF-1.7" + PNG[30:], "unsupported_type"),
        ("a.docx", archive("word/document.xml"), "unsupported_type"),
        ("a.docx", archive("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"), "unsupported_type"),
        ("a.docx", archive("[Content_Types].xml", "word/document.xml", "xl/workbook.xml"), "unsupported_type"),
        ("a.xlsx", DOCX, "unsupported_type"),
        ("a.docx", DOCX[:40], "unsupported_type"),
        ("a.zip", archive("a.txt"), "unsupported_type"),
        ("a.mp4", b"\x00\x00\x00\x18ftypheic" + bytes(100), "unsupported_type"),
    ],
)
def test_what_is_not_taken_is_refused_with_its_reason(name: str, content: bytes, code: str):
    with pytest.raises(Refused) as refused:
        checked_type(name, content)

    assert refused.value.code == code


@pytest.mark.parametrize("name", ["现场照片 1.jpg", "a'\"><svg.jpg", "=cmd.xlsx", "𠮷.pdf", "a" * 251 + ".jpg"])
def test_a_name_is_kept_as_it_was_given(name: str):
    assert checked_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "   ",
        ".",
        "..",
        "../../etc/passwd",
        "a/b.jpg",
        "C:\\x.jpg",
        "a\x00.jpg",
        "a\r\nSet-Cookie: x.jpg",
        "a\u202egpj.exe",
        "a\u200b.jpg",
        "\ufeffa.jpg",
        "\ud800.jpg",
        "字" * 84 + ".jpg",
    ],
)
def test_a_name_that_could_deceive_or_lead_elsewhere_is_refused(name: str):
    with pytest.raises(Refused, match="name"):
        checked_name(name)


def test_the_same_file_of_the_same_case_is_the_same_evidence():
    one, other = UUID(int=1), UUID(int=2)

    assert evidence_id(one, b"a") == evidence_id(one, b"a")
    assert len({evidence_id(one, b"a"), evidence_id(one, b"b"), evidence_id(other, b"a")}) == 3
