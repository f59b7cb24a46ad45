"""Finished runs as matrices, tables, figures and a report; pandas and matplotlib only."""
