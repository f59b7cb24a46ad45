"""Suite files (YAML) as pydantic models, checked whole before anything runs.

The registries of networks and strategies are handed in by the caller. So this package imports
neither torch nor any other package of cl_seg, except ``messages`` and ``files``.
"""
