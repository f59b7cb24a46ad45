"""DICOM: headers and pixels of single files, put together to CT series."""
