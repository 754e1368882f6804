"""The page: layout and event handlers around one `Assistant`, served by FastAPI.

`build` gives the ASGI application. The conversation lives in the session on the server; the browser only shows it, so nothing that a
browser sends back is ever trusted as history.
"""

import ipaddress
import os
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.staticfiles import StaticFiles

from agent.sessions.opening import shared_rows
from agent.sessions.shared import SharedRows
from agent.settings import Settings
from ui import health
from ui.door import Assistant
from ui.login.gate import Gate
from ui.login.tickets import SharedTickets as SharedLogins
from ui.login.tickets import Tickets as Logins
from ui.page.document import Document
from ui.routes import make_router
from ui.security import Guard
from ui.session import SessionStore
from ui.smart import routes as smart
from ui.smart.launch import Smart
from ui.smart.routes import Tickets

STATIC = Path(__file__).parent / "static"
LOCAL_HOSTS = ("127.0.0.1", "localhost", "[::1]")
MAX_UPLOAD = "2gb"
STYLES = sorted(file.name for file in (STATIC / "css").glob("*.css"))  # in this order: tokens first, small screens last
HEAD = (
    "".join(f'<link rel="stylesheet" href="/page/css/{name}">' for name in STYLES) + '<script type="module" src="/page/js/app.js"></script>'
)
FONTS = ("ui-sans-serif", "system-ui", "-apple-system", "Segoe UI", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "sans-serif")


def build(
    assistant: Assistant,
    *,
    files: Path,
    host: str = "127.0.0.1",
    first_case: str | Path | None = None,
    settings: Settings | None = None,
) -> FastAPI:
    """Make the web application.

    Args:
        assistant: The door to everything else.
        files: Private folder for uploads; owned, erased at start and end.
        host: Address the server listens on; only this and the loopback names are answered.
        first_case: Demo case id, or path, that a new session opens with; None for none.
        settings: Those of this installation: health checks and launches from electronic records need them.

    Returns:
        The ASGI application.
    """
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    inbox = _fresh(files.with_name(f"{files.name}-inbox"))  # where Gradio first writes an upload
    os.environ["GRADIO_TEMP_DIR"] = str(inbox)
    import gradio as gr

    from ui.page.blocks import Page

    sessions = SessionStore(assistant, files)
    tickets = Tickets(files.with_name(f"{files.name}-smart"))

    closing = ExitStack()  # closes what is entered last first: the database, tickets, sessions, then the folder
    closing.callback(shutil.rmtree, inbox, ignore_errors=True)
    closing.callback(tickets.close)
    closing.callback(sessions.close_all)
    app = FastAPI(lifespan=_until(closing), docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(make_router(assistant, sessions, is_loopback(host)))
    rows = closing.enter_context(shared_rows(settings)) if settings is not None and settings.auth != "none" else None
    logins = SharedLogins(rows) if rows is not None else Logins()
    app.include_router(_of_settings(settings, tickets, logins, rows))
    app.mount("/page", StaticFiles(directory=STATIC), name="page")
    mounted: FastAPI = gr.mount_gradio_app(
        app,
        Page(assistant, sessions, first_case, local=is_loopback(host), take_ticket=tickets.take).blocks,
        path="/",
        theme=_theme(gr),
        head=HEAD,
        auth_dependency=_user,
        allowed_paths=[],
        max_file_size=MAX_UPLOAD,
        show_error=True,
        ssr_mode=False,
        run_history=False,
        enable_monitoring=False,
        footer_links=[],
        favicon_path=str(STATIC / "favicon.svg"),
    )
    _guard(mounted, host, settings, logins)
    return mounted


def _until(closing: ExitStack) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        closing.close()

    return lifespan


def _guard(app: FastAPI, host: str, settings: Settings | None, logins: Logins) -> None:
    """What stands in front of every route; the login, where there is one, outermost."""
    app.add_middleware(Document)
    app.add_middleware(Guard, hosts={*LOCAL_HOSTS, host, *(settings.hosts if settings is not None else ())})
    if settings is not None and settings.auth != "none":
        app.add_middleware(Gate, tickets=logins)


def _of_settings(settings: Settings | None, tickets: Tickets, logins: Logins, rows: SharedRows | None) -> APIRouter:
    """Health checks, launches from electronic records, login."""
    router = APIRouter(include_in_schema=False)
    if settings is not None:
        health.add_routes(router, settings)
        smart.add_routes(router, Smart.of(settings), tickets)
        router.include_router(_login(settings, logins, rows))
    return router


def _login(settings: Settings, logins: Logins, rows: SharedRows | None) -> APIRouter:
    """Routes of the login that the settings ask for; none without one. `rows`: the database that several workers share."""
    router = APIRouter(include_in_schema=False)
    if settings.auth == "none":
        return router
    from ui.login import routes as login
    from ui.login.accounts import Accounts
    from ui.login.oidc import Provider

    if settings.auth == "local":
        login.add_local(router, logins, Accounts(rows if rows is not None else settings.data_dir))
    else:
        login.add_oidc(router, logins, Provider(settings))
    return router


def is_loopback(host: str) -> bool:
    """Whether only this computer reaches a server that listens on `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _fresh(folder: Path) -> Path:
    """An empty private folder; what a killed process left in it is erased."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    return folder


def _user(request: Request) -> str | None:
    """The session cookie is the user; without one Gradio answers nothing."""
    cookie = request.scope.get("medmpt_session")
    return cookie if isinstance(cookie, str) else None


def _theme(gr: Any) -> Any:
    base = gr.themes.Base(
        primary_hue=gr.themes.colors.teal,
        neutral_hue=gr.themes.colors.slate,
        radius_size=gr.themes.sizes.radius_sm,
        font=FONTS,
        font_mono=("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace"),
    )
    strong = "*primary_700"  # white text on it is readable (contrast above 4.5)
    return base.set(
        button_primary_background_fill=strong,
        button_primary_background_fill_dark=strong,
        button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_hover_dark="*primary_600",
        button_primary_text_color="white",
        button_primary_text_color_dark="white",
    )
