"""The page behind its login, in a browser: nothing before it, a wrong password told, the name on the page, out again; both languages."""

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from agent.settings import Settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytest.importorskip("argon2")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.filterwarnings("ignore:.future.no_silent_downcasting. is deprecated", "ignore:The copy keyword is deprecated"),
]


@pytest.fixture(scope="module")
def guarded(scripted: ModuleType, serving: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    from ui.app import build
    from ui.login.accounts import Accounts

    folder: Path = tmp_path_factory.mktemp("guarded")
    Accounts(folder).put("ana", "a long password")
    settings = Settings(folder, folder / "cache", auth="local", weights="none", embedder="hashing")
    with serving(build(scripted.ScriptedAssistant(), files=folder / "sessions", settings=settings)) as url:
        yield f"{url}/"


@pytest.mark.parametrize(("locale", "wrong", "out"), [("en-US", "password", "Log out"), ("zh-CN", "密码", "退出登录")])
def test_in_and_out(browser: "Browser", guarded: str, pages: ModuleType, locale: str, wrong: str, out: str) -> None:
    context = browser.new_context(viewport={"width": 1366, "height": 768}, locale=locale)
    page = context.new_page()
    page.goto(guarded)
    assert page.url.endswith("/login")
    assert page.locator("#question").count() == 0
    for password in ("not this one", "a long password"):
        page.locator("[name=name]").fill("ana")
        page.locator("[name=password]").fill(password)
        page.locator("button").click()
        if password != "a long password":
            page.locator("[role=alert]", has_text=wrong).wait_for()
    page.locator("#question textarea").wait_for()
    page = pages.opened(page, guarded)
    page.locator("#open-case").click()
    page.locator("#opening [data-source=demo-cap-01]").click()
    page.locator("#patient-bar", has_text="demo-cap-01").wait_for()
    page.locator("#tab-work-settings").click()
    page.locator("#settings-host .settings-row b", has_text="ana").wait_for()
    page.locator("#log-out", has_text=out).click()
    page.wait_for_url("**/login")
    page.goto(guarded)
    assert page.url.endswith("/login")
    assert page.locator("#patient-bar").count() == 0
    assert page.failures == []  # type: ignore[attr-defined]
    context.close()
