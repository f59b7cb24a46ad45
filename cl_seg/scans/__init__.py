"""CT slices on disk: the slice store, the readers that fill it, and splits by patient.

``store`` is the folder all training reads; ``ingest`` makes one: ``sources`` find the series of a
folder (``dicom``) or a manifest (``nifti``), ``scanner`` names their scanner, ``labels`` read label
files, ``geometry`` and ``plausible_hu`` refuse damaged series, and ``staging`` brings each onto the
grid of the store (``resample``, ``body``, ``area_preserving_labels``). ``splits`` makes training
and test parts.
"""
