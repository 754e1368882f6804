"""Whether what is said is carried by what was found: a pure function, in English and Chinese."""

from agent.verify.check import Verdict, check, verify

__all__ = ["Verdict", "check", "verify"]
