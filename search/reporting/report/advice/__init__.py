"""Advice about what to try after a run, from the run's own evidence."""

from search.reporting.report.advice.finding import Advice
from search.reporting.report.advice.rules import RULES, advise

__all__ = ["RULES", "Advice", "advise"]
