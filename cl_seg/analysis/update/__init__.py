"""May a model be updated with a new scanner? Verdicts from the runs of an update suite.

:mod:`~cl_seg.analysis.update.outcomes` takes from the runs what changed for every test patient,
:mod:`~cl_seg.analysis.update.bounds` says how far such a change can be trusted,
:mod:`~cl_seg.analysis.update.judge` judges one change against its margin, and
:mod:`~cl_seg.analysis.update.recommend` the candidates and the suite.
:mod:`~cl_seg.analysis.update.dossier` writes page and JSON, and
:mod:`~cl_seg.analysis.update.summary` is the plain table of Dice before and after.
"""
