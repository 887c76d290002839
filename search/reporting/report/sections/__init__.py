"""The sections of the report: each turns a run into what its template shows."""
