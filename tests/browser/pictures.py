"""Makes the pictures of docs/images anew, from a running demo: `python -m tests.browser.pictures --admin NAME`."""
# The demo should be new and have run for some five minutes: then alarms are open, and cases wait to be worked on.

import argparse
import asyncio
import getpass
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, Page

from deploy.demo.logins import logins
from deploy.tokens import mint
from shared.service import PORTS
from tests.browser.chromium import DESKTOP, PHONE, chromium, profile

IMAGES = Path("docs/images")
SETTLED_MS = 2500
"""Charts are drawn and banners asked for by then."""

DUE = (datetime.now(UTC) + timedelta(days=20)).isoformat()
STEPS = (
    ("officer", "confirm", {"grade": "general"}),
    ("manager", "start", {"responsible": "王工", "due_at": DUE, "measures": "更换密封件"}),
    (
        "admin",
        "submit",
        {"evidence": [{"url": "https://evidence.invalid/1.jpg", "sha256": "0f" * 32}], "text": "已更换"},
    ),
    ("manager", "accept", {"text": "现场复查合格"}),
)
BOARDS = (
    ("board-desktop", "/board", "light", DESKTOP),
    ("board-phone-dark", "/board", "dark", PHONE),
    ("map", "/map", "light", DESKTOP),
)
PICTURES = (
    ("case-desktop", "CASE", "light", DESKTOP),
    ("case-phone", "CASE", "light", PHONE),
    ("cases", "/cases", "light", DESKTOP),
    ("statistics", "/statistics", "light", DESKTOP),
    ("duty", "/duty", "light", DESKTOP),
    ("operations", "/operations", "light", DESKTOP),
)


async def log_in(page: Page, name: str, password: str) -> None:
    """By the form, as people do."""
    await page.goto("/login")
    await page.fill("#name", name)
    await page.fill("#password", password)
    await page.click("form[action='/login'] button")
    await page.wait_for_url("**/board")


async def take(page: Page, path: str, file: Path) -> None:
    """One picture of a page that has settled."""
    await page.goto(path)
    await page.wait_for_timeout(SETTLED_MS)
    await page.screenshot(path=file, animations="disabled")


async def work(page: Page, home: Path, base: int) -> str:
    """Does with the demo's newest cases what people do with cases; the path of the one with most readings."""

    async def ask(service: str, path: str, role: str, body: Any = None, version: int | None = None) -> Any:
        headers = {"Authorization": f"Bearer {mint(home, role, role, '220000', 1)}"}
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        send = page.request.get if body is None else page.request.post
        answer = await send(f"http://127.0.0.1:{base + PORTS[service]}{path}", headers=headers, data=body)
        return await answer.json()

    found = (await ask("hazards", "/v1/cases?state=reported&limit=8", "officer"))["items"]
    cases = [await ask("hazards", f"/v1/cases/{case['id']}", "officer") for case in found]
    shown = max(cases, key=lambda case: max(len(step["detail"].get("readings", "")) for step in case["timeline"]))

    async def walk(case: dict[str, Any], steps: Sequence[tuple[str, str, dict[str, Any]]]) -> None:
        path = f"/v1/cases/{case['id']}"
        await ask("notify", f"{path}/acknowledge", "officer", {})
        for role, action, body in steps:
            case |= await ask("hazards", f"{path}/{action}", role, body, case["version"])

    await walk(shown, STEPS[:2])
    for case in cases[::2]:
        if case is not shown:
            await walk(case, STEPS)
    return f"/cases/{shown['id']}"


async def make(
    browser: Browser, home: Path, base: int, folder: Path, officer: tuple[str, str], admin: tuple[str, str]
) -> None:
    """All pictures: operations with the administrator's eyes, the others with the officer's."""
    url = f"http://127.0.0.1:{base}"

    async def inside(who: tuple[str, str], theme: str, size: dict[str, int]) -> BrowserContext:
        context = await profile(browser, url, theme, size)
        await log_in(await context.new_page(), *who)
        return context

    async def pictures(of: Sequence[tuple[str, str, str, Any]], case: str = "") -> None:
        for name, path, theme, size in of:
            context = await inside(admin if name == "operations" else officer, theme, size)
            await take(context.pages[0], path.replace("CASE", case), folder / f"{name}.png")
            await context.close()

    page = await (await profile(browser, url)).new_page()
    await take(page, "/login", folder / "login.png")
    await pictures(BOARDS)
    await pictures(PICTURES, await work(page, home, base))


async def main() -> None:
    """Reads where the demo is and who looks."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--port-base", type=int, default=8000, help="port of the demo's console")
    given.add_argument("--home", type=Path, default=Path.home() / ".fengsui", help="its home")
    given.add_argument("--admin", required=True, help="an administrator's account; its password is asked for")
    given.add_argument("--to", type=Path, default=IMAGES)
    asked = given.parse_args()
    admin = (asked.admin, getpass.getpass())
    officer = next((login.name, password) for login, password in logins(asked.home) if login.role == "officer")
    async with chromium() as browser:
        await make(browser, asked.home, asked.port_base, asked.to, officer, admin)


if __name__ == "__main__":
    asyncio.run(main())
