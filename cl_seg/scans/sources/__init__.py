"""Sources of an ingest: a folder of DICOM files, or a manifest that lists images."""
