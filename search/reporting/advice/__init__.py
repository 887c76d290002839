"""Advice about what to try after a run, from the run's own evidence."""

from search.reporting.advice.finding import Advice
from search.reporting.advice.rules import RULES, advise

__all__ = ["RULES", "Advice", "advise"]
