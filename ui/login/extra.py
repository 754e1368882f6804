"""Packages of the extra `login`: `need(module)` imports one, or says how it is installed."""

from functools import partial

from tools import extra

need = partial(extra.need, extra="login")
