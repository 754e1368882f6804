"""Reports of virtual studies in Chinese and English, written from the truth."""

from medmpt_backend.cohort.reports.compose import write_reports

__all__ = ["write_reports"]
