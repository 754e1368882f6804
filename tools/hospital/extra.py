"""Packages of the extra `hospital`: `need(module)` imports one, or says how it is installed."""

from functools import partial

from tools import extra

need = partial(extra.need, extra="hospital")
