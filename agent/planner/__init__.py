"""The chat model that needs no LLM: routes by meaning and rules in both languages, composes out of typed evidence."""

from agent.planner.model import Planner

__all__ = ["Planner"]
