"""A second, fitted opinion on sentences that the rules object to without being certain."""

from agent.verify.opinion.model import acquits, fault_probability

__all__ = ["acquits", "fault_probability"]
