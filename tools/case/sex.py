"""Sex as a record gives it; apart, so that the laboratory tables need not know records."""

from typing import Literal

Sex = Literal["male", "female", "other", "unknown"]
