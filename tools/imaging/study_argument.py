"""The argument of every tool on one CT study."""

from typing import Annotated

from pydantic import Field

from tools.spec import Arguments

Study = Annotated[str, Field(description="Handle of the CT study, as the case card names it", pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$")]


class OfStudy(Arguments):
    """Which study."""

    study: Study = "ct-1"
