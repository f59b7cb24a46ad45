"""Frozen tables of x-ray attenuation and tube spectra, and the script that regenerates them."""
