"""CT slices on disk: the slice store, its readers, scanner identity and patient-level splits."""
