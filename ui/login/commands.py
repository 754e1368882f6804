"""Commands `users add`, `users list`, `users remove`, `users passwd`."""

import getpass
import sys
from collections.abc import Callable
from typing import Annotated, Literal

import typer
from pydantic import BaseModel

from agent.errors import BadInput
from agent.settings import Settings
from ui.login.accounts import Accounts, accounts_of


class UsersOut(BaseModel):
    """All account names after the command."""

    status: Literal["ok", "empty"] = "ok"
    reason: str | None = None
    warnings: tuple[str, ...] = ()
    users: list[str]


Name = Annotated[str, typer.Argument(help="a-z, 0-9, dot, dash, underscore")]


def _password() -> str:
    """Typed twice at a terminal; the first line of standard input otherwise."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    first = getpass.getpass("Password: ")
    if getpass.getpass("Once more: ") != first:
        raise BadInput("the two passwords differ")
    return first


def _told(accounts: Accounts) -> UsersOut:
    names = list(accounts.names())
    return UsersOut(users=names) if names else UsersOut(status="empty", reason="there is no account: `medmpt users add NAME`", users=[])


def users_add(ctx: typer.Context, name: Name) -> UsersOut:
    """Add an account for the login of a shared server (`MEDMPT_AUTH=local`)."""
    settings: Settings = ctx.obj
    with accounts_of(settings) as accounts:
        if name in accounts.names():
            raise BadInput(f"there is an account {name!r} already; `medmpt users passwd {name}` changes its password")
        accounts.put(name, _password())
        return _told(accounts)


def users_passwd(ctx: typer.Context, name: Name) -> UsersOut:
    """Change the password of an account."""
    settings: Settings = ctx.obj
    with accounts_of(settings) as accounts:
        if name not in accounts.names():
            raise BadInput(f"there is no account {name!r}")
        accounts.put(name, _password())
        return _told(accounts)


def users_list(ctx: typer.Context) -> UsersOut:
    """List the accounts."""
    settings: Settings = ctx.obj
    with accounts_of(settings) as accounts:
        return _told(accounts)


def users_remove(ctx: typer.Context, name: Name) -> UsersOut:
    """Delete an account; who is logged in stays so until the server restarts, with accounts in the shared database for seconds."""
    settings: Settings = ctx.obj
    with accounts_of(settings) as accounts:
        accounts.remove(name)
        return _told(accounts)


COMMANDS: dict[str, Callable[..., BaseModel]] = {
    "users add": users_add,
    "users list": users_list,
    "users remove": users_remove,
    "users passwd": users_passwd,
}
