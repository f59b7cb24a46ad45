"""DICOM: headers and pixels of single files, and the CT series they form."""
