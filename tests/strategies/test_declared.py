"""The registry of strategies: settings are checked, plugins exist and act when they say."""

from importlib import import_module

import pytest
from pydantic import ValidationError

from cl_seg.strategies.declared import STRATEGIES
from cl_seg.strategies.settings import (
    EWCSettings,
    LwFSettings,
    MASSettings,
    ReplaySettings,
    RWalkSettings,
    SISettings,
)


@pytest.mark.parametrize("name", STRATEGIES)
def test_plugin_can_be_made_from_its_defaults(name):
    strategy = STRATEGIES[name]
    if strategy.plugin is None:
        assert name in {"naive", "joint", "cumulative", "single"}
        return
    module, _, attribute = strategy.plugin.partition(":")
    plugin = getattr(import_module(module), attribute)(strategy.settings(), 3)
    assert plugin.settings == strategy.settings() and plugin.seed == 3
    if strategy.memory == "none":
        assert not hasattr(plugin, "state_dict")
        return
    fresh = plugin.state_dict()
    plugin.load_state_dict(fresh)
    assert plugin.state_dict() == fresh


@pytest.mark.parametrize(
    ("model", "wrong"),
    [
        (ReplaySettings, {"budget": 0}),
        (ReplaySettings, {"batch_share": 1.0}),
        (ReplaySettings, {"batch_share": 0.0}),
        (ReplaySettings, {"percent": 0}),
        (ReplaySettings, {"percent": 5, "budget": 16}),
        (ReplaySettings, {"percent": 5, "sampling": "random"}),
        (SISettings, {"damping": 0}),
        (LwFSettings, {"temperature": 0}),
        (RWalkSettings, {"every": 0}),
        (MASSettings, {"keep": 1.0}),
        (EWCSettings, {"ewc_lambda": -1}),
        (EWCSettings, {"mode": "online", "decay": 0}),
        (EWCSettings, {"mode": "online", "decay": 1.1}),
        (EWCSettings, {"decay": 0.9}),
        (EWCSettings, {"mode": "online"}),
        (EWCSettings, {"fisher": "batch", "fisher_images": 4}),
        (EWCSettings, {"fisher": "exact"}),
        (EWCSettings, {"fisher_images": 0}),
        (EWCSettings, {"lambda": 1}),
    ],
)
def test_settings_are_checked(model, wrong):
    with pytest.raises(ValidationError):
        model(**wrong)
