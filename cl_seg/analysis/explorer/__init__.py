"""The interactive part of a report: its data from the results, its figures in the browser.

:mod:`~cl_seg.analysis.explorer.headline` says in sentences what came out. The modules beside it
collect Dice with intervals, scores of cases and pictures, :mod:`~cl_seg.analysis.explorer.embed`
puts them on the page as JSON, with Vega-Lite and the scripts ``*.js`` that draw them.
"""
