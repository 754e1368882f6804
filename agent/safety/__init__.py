"""What comes before any answer: a person in danger, a request that must be declined, and what may leave the house."""

from agent.safety.leading import Leading, lead

__all__ = ["Leading", "lead"]
