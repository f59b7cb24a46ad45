"""Checks of a GPU: same bits, exact resume, memory in its place, speed and costs.

Read ``check`` for the list of checks, ``outcome`` for how they are run and recorded; every other
module is one of the checks, and ``kernels`` finds the kernel that does not repeat.
"""
