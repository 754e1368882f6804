"""`/login` and `/logout`, with local accounts or an OpenID provider."""

import secrets
from html import escape
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from tools.evidence import Language
from ui.callers import PRIVATE
from ui.i18n import text
from ui.login.accounts import Accounts
from ui.login.gate import COOKIE
from ui.login.oidc import Provider, Refused
from ui.login.tickets import Failures, Tickets

_BROWSER = "medmpt_login_browser"
_Name = Annotated[str, Form(max_length=64)]
_Password = Annotated[str, Form(max_length=256)]


def add_local(router: APIRouter, tickets: Tickets, accounts: Accounts) -> None:
    """A form with name and password."""
    failures = Failures()

    @router.get("/login")
    async def form(request: Request) -> HTMLResponse:
        return HTMLResponse(page(_language(request), _FORM), headers=PRIVATE)

    @router.post("/login")
    async def login(
        request: Request, name: Annotated[str, Form(max_length=64)], password: Annotated[str, Form(max_length=256)]
    ) -> Response:
        language = _language(request)
        who = (f"name:{name}", f"address:{request.client.host if request.client else ''}")
        wait = failures.wait(*who)
        if wait > 0:
            said = text("login_wait", language, seconds=f"{wait:.0f}")
            return HTMLResponse(page(language, _FORM, said), status_code=429, headers=PRIVATE)
        if not await run_in_threadpool(accounts.right, name, password):
            failures.failed(*who)
            return HTMLResponse(page(language, _FORM, text("login_wrong", language)), status_code=401, headers=PRIVATE)
        failures.forget(*who)
        return _entered(request, await run_in_threadpool(tickets.give, name))

    _add_logout(router, tickets)


def add_oidc(router: APIRouter, tickets: Tickets, provider: Provider) -> None:
    """One button that leads to the provider."""

    @router.get("/login")
    async def form(request: Request) -> HTMLResponse:
        return HTMLResponse(page(_language(request), _BUTTON), headers=PRIVATE)

    @router.get("/login/oidc")
    async def begin(request: Request) -> Response:
        browser = secrets.token_urlsafe(32)
        try:
            url = await run_in_threadpool(provider.begin, f"{str(request.base_url).rstrip('/')}/login/callback", browser)
        except Refused as refusal:
            return _refused(request, refusal)
        answer = RedirectResponse(url, headers=PRIVATE)
        secure = request.url.scheme == "https"
        answer.set_cookie(_BROWSER, browser, max_age=600, httponly=True, samesite="lax", path="/login", secure=secure)
        return answer

    @router.get("/login/callback")
    async def callback(request: Request, state: str = "", code: str = "") -> Response:
        try:
            user = await run_in_threadpool(provider.finish, state, code, request.cookies.get(_BROWSER, ""))
        except Refused as refusal:
            return _refused(request, refusal)
        return _entered(request, await run_in_threadpool(tickets.give, user))

    _add_logout(router, tickets)


def _add_logout(router: APIRouter, tickets: Tickets) -> None:
    @router.post("/logout")
    async def logout(request: Request) -> Response:
        await run_in_threadpool(tickets.end, request.cookies.get(COOKIE))
        answer = RedirectResponse("/login", status_code=303, headers=PRIVATE)
        answer.delete_cookie(COOKIE, path="/")
        return answer


def _entered(request: Request, ticket: str) -> Response:
    """Into the page. The cookie is strict: a page of our own goes on, as the chain may have begun at another site."""
    answer = HTMLResponse('<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0;url=/">', headers=PRIVATE)
    answer.set_cookie(COOKIE, ticket, httponly=True, samesite="strict", path="/", secure=request.url.scheme == "https")
    answer.delete_cookie(_BROWSER, path="/login")
    return answer


def _refused(request: Request, refusal: Refused) -> HTMLResponse:
    language = _language(request)
    said = f"{text('login_refused', language)} {refusal}"
    return HTMLResponse(page(language, _BUTTON, said), status_code=401, headers=PRIVATE)


_FORM = (
    '<form method="post" action="/login"><label>{login_name}<input name="name" autocomplete="username" required autofocus></label>'
    '<label>{login_password}<input name="password" type="password" autocomplete="current-password" required></label>'
    '<button type="submit">{login_enter}</button></form>'
)
_BUTTON = '<p><a class="strong" href="/login/oidc">{login_oidc}</a></p>'


def page(language: Language, body: str, problem: str = "") -> str:
    """The login page; `body` names its strings in braces."""
    words = {key: escape(text(key, language)) for key in ("login_name", "login_password", "login_enter", "login_oidc")}
    title = escape(text("title", language))
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f'<title>{title}</title><link rel="icon" href="/page/favicon.svg">'
        '<link rel="stylesheet" href="/page/css/0-tokens.css"><link rel="stylesheet" href="/page/css/8-login.css">'
        f'</head><body class="login"><main><h1>{title}</h1><p role="alert">{escape(problem)}</p>{body.format(**words)}</main></body></html>'
    )


def _language(request: Request) -> Language:
    return "zh" if request.headers.get("accept-language", "").lower().startswith("zh") else "en"
