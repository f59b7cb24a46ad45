"""The report of a suite: a list of sections, one function each, read from top to bottom.

:mod:`~cl_seg.analysis.report.suite_report` lists the sections of every kind of suite, the modules
beside it hold their functions, :mod:`~cl_seg.analysis.report.page` renders them, and
:mod:`~cl_seg.analysis.report.write` writes page, tables and figures.
"""
