"""Whether what is said is carried by what was found: a pure function, in English and Chinese."""

from agent.verify.check import Verdict, check, quoted_as, verify

__all__ = ["Verdict", "check", "quoted_as", "verify"]
