"""Where the source of a number begins, and which modules cannot change one."""

SOURCES = {
    "train": "cl_seg.suite.stages.train",
    "consolidate": "cl_seg.suite.stages.consolidate",
    "evaluate": "cl_seg.suite.stages.evaluate",
    "rank": "cl_seg.suite.stages.rank",
    "load": "cl_seg.suite.stages.load",
    "untrained": "cl_seg.suite.stages.initial",
}
"""The module that computes each kind of stage, and the untrained networks."""

SIMULATOR = ("cl_seg.phantom.simulate",)
"""The module that computes the embedded benchmark."""

TOOLS = ("cl_seg.suite.semi_automatic_scores", "cl_seg.semi_automatic.tools")
"""The modules that compute the scores of semi-automatic tools."""

WITHOUT_NUMBERS = {
    "cl_seg.cli": "calls what computes",
    "cl_seg.files": "writes whole files and reads them as they are",
    "cl_seg.messages": "words",
    "cl_seg.spec": "settings, which are in a key by value",
    "cl_seg.planning": "selections and steps, which are in a key by value, and the keys themselves",
    "cl_seg.models.registry": "presets, which are in a key by value",
    "cl_seg.strategies.registry": "settings and how they are used, which are in a key by value",
    "cl_seg.strategies.strategy": "the class of which every strategy is declared",
    "cl_seg.runtime.static_import": "finds files",
    "cl_seg.runtime.workers": "the number of processes, which changes no bit",
    "cl_seg.suite.cache": "keeps what was computed",
    "cl_seg.suite.peak_memory": "measures a cost",
    "cl_seg.suite.progress": "shows how far a training is",
    "cl_seg.suite.stages.stop_control": "stops a stage and saves it, which changes no bit",
    "cl_seg.suite.stages.compute": "calls the module of a stage's kind",
    "cl_seg.suite.stages.step_progress": "shows how far a training is",
}
"""Packages and modules that cannot change a number, and why; what they import is not followed."""

FRONT_DOORS = ("cl_seg", "cl_seg.metrics", "cl_seg.models", "cl_seg.strategies")
"""Packages that only hand on what their modules hold: followed only where imported from."""

CHOICES = ("cl_seg.models", "cl_seg.strategies")
"""Packages of networks and strategies, each hashed for itself."""

BUILDERS = tuple(f"{package}.build" for package in CHOICES)
"""Modules that make a network or a strategy from its name, the same for every choice."""

KEYED_BY_STARTING_STAGE = {"evaluate": ("cl_seg.suite.stages.plugin_state",)}
"""Modules whose source is in the keys of the stages that a kind of stage starts from.

An evaluation needs a strategy only after a training, whose key has that source.
"""
