"""Every route beside Gradio's own; each package adds its own, and what a route gives is found only through the caller's session."""

from fastapi import APIRouter

from ui.callers import Doors
from ui.chart import routes as chart
from ui.door import Assistant
from ui.opening import routes as opening
from ui.page import routes as page
from ui.report import routes as report
from ui.session import SessionStore
from ui.settings import routes as settings
from ui.teach import routes as teach
from ui.viewer import routes as viewer

PACKAGES = (page, chart, opening, settings, viewer, teach, report)


def make_router(assistant: Assistant, sessions: SessionStore, local: bool = True) -> APIRouter:
    """Routes over one assistant; without a session cookie all of them answer 401, with a foreign token 404.

    `local`: only this computer reaches the page.
    """
    router = APIRouter(include_in_schema=False)
    doors = Doors(sessions, local)
    for package in PACKAGES:
        package.add_routes(router, assistant, doors)
    return router
