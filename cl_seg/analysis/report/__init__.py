"""The report of a suite: a list of sections, one function each, read from top to bottom.

:mod:`~cl_seg.analysis.report.suite_report` holds the list of every kind of suite, the modules beside it
its functions, :mod:`~cl_seg.analysis.report.page` renders the sections and
:mod:`~cl_seg.analysis.report.write` writes page, tables and figures.
"""
