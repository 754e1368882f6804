"""A second opinion on a sentence: what every comparison says, weighed together by a small fitted model."""

from agent.verify.opinion.features import features
from agent.verify.opinion.model import doubt

__all__ = ["doubt", "features"]
