"""The report of a run and its model card, made from the run's files.

`write_measurements` keeps, while the model is at hand, what no other file of the run holds; `write_report` does the
rest.
"""

from search.reporting.report.measurements import write_measurements
from search.reporting.report.passes import PassLog
from search.reporting.report.write import write_report

__all__ = ["PassLog", "write_measurements", "write_report"]
