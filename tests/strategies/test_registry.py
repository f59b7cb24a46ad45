"""Strategies declare themselves: keywords are their settings, and no one knows of another."""

import ast
import inspect
import subprocess
import sys
from importlib import import_module

import pytest

import cl_seg.strategies
from cl_seg.messages.errors import InputError
from cl_seg.runtime.static_import import imports_of, module_file, parse
from cl_seg.strategies.registry import NAMES, STRATEGIES

PLUGINS = {name: one.plugin for name, one in STRATEGIES.items() if one.plugin}


def plugin_class(name):
    module, _, attribute = PLUGINS[name].partition(":")
    return getattr(import_module(module), attribute)


def test_plain_fine_tuning_needs_no_plugin():
    assert set(NAMES) - set(PLUGINS) == {"naive", "joint", "cumulative", "single"}


@pytest.mark.parametrize("name", PLUGINS)
def test_plugin_can_be_made_from_its_defaults(name):
    plugin = plugin_class(name)()
    if not hasattr(plugin, "state_dict"):
        assert STRATEGIES[name].state_saved == "not_needed"
        return
    fresh = plugin.state_dict()
    plugin.load_state_dict(fresh)
    assert plugin.state_dict() == fresh


@pytest.mark.parametrize("name", PLUGINS)
def test_keywords_and_defaults_are_those_of_the_settings(name):
    parameters = inspect.signature(plugin_class(name)).parameters
    assert all(p.kind is p.KEYWORD_ONLY for p in parameters.values())
    defaults = STRATEGIES[name].settings().model_dump()
    assert {n: p.default for n, p in parameters.items()} == {**defaults, "seed": 0}
    described = inspect.getdoc(plugin_class(name))
    assert all(f"\n    {n}: " in described for n in parameters)
    if defaults:
        assert plugin_class(name)().settings == STRATEGIES[name].settings()


@pytest.mark.parametrize(
    ("name", "keywords", "field"),
    [
        ("replay", {"budget": 0}, "budget"),
        ("replay", {"batch_share": 1.0}, "batch_share"),
        ("agem", {"batch_share": 0.0}, "batch_share"),
        ("der", {"percent": 0}, "percent"),
        ("der", {"beta": -1}, "beta"),
        ("replay", {"percent": 5, "budget": 16}, "`percent`"),
        ("replay", {"percent": 5, "sampling": "random"}, "`percent`"),
        ("replay", {"by": "scanner"}, "by"),
        ("replay", {"select": "k_center"}, "select"),
        ("der", {"batch": "larger"}, "batch"),
        ("agem", {"reference_batch": 0}, "reference_batch"),
        ("si", {"damping": 0}, "damping"),
        ("lwf", {"temperature": 0}, "temperature"),
        ("rwalk", {"every": 0}, "every"),
        ("mas", {"keep": 1.0}, "keep"),
        ("l2", {"l2_lambda": float("inf")}, "l2_lambda"),
        ("weight_averaging", {"share": 1.1}, "share"),
        ("weight_averaging", {"ema": 1.0}, "ema"),
        ("test_statistics", {"prior": -1}, "prior"),
        ("tent", {"steps": 0}, "steps"),
        ("tent", {"learning_rate": 0}, "learning_rate"),
        ("frozen_encoder", {"trains": "encoder"}, "trains"),
        ("ewc", {"ewc_lambda": -1}, "ewc_lambda: expected greater than or equal to 0, not -1"),
        ("ewc", {"mode": "online", "decay": 0}, "decay"),
        ("ewc", {"mode": "online", "decay": 1.1}, "decay"),
        ("ewc", {"decay": 0.9}, "`decay`"),
        ("ewc", {"mode": "online"}, "`decay`"),
        ("ewc", {"fisher": "batch", "fisher_images": 4}, "`fisher_images`"),
        ("ewc", {"fisher": "exact"}, "fisher"),
        ("ewc", {"fisher_images": 0}, "fisher_images"),
        ("norm_per_scanner", {"filters": "ewc"}, "`ewc_lambda`"),
        ("norm_per_scanner", {"ewc_lambda": 1.0}, "`ewc_lambda`"),
        ("norm_per_scanner", {"filters": "ewc", "ewc_lambda": -1}, "ewc_lambda"),
        ("norm_per_scanner", {"route": "case"}, "route"),
        ("adapters", {"rank": 0}, "rank"),
    ],
)
def test_a_wrong_value_is_one_line_with_its_field(name, keywords, field):
    with pytest.raises(InputError) as refused:
        plugin_class(name)(**keywords)
    text = str(refused.value)
    assert text.startswith(f"{plugin_class(name).__name__}: {field}") and "\n" not in text


def test_an_unknown_keyword_is_pythons_own_error():
    with pytest.raises(TypeError, match="unexpected keyword argument 'lambda_'"):
        plugin_class("ewc")(lambda_=1)


def test_classes_are_names_of_the_package():
    assert dir(cl_seg.strategies) == sorted(plugin_class(name).__name__ for name in PLUGINS)
    assert cl_seg.strategies.EWC is plugin_class("ewc")
    with pytest.raises(AttributeError, match="has no attribute Adam"):
        _ = cl_seg.strategies.Adam


def test_declarations_are_read_without_torch():
    script = "import sys, cl_seg.strategies as s; dir(s); assert 'torch' not in sys.modules; s.EWC"
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.parametrize("name", PLUGINS)
def test_the_source_of_a_strategy_knows_no_other_and_no_list(name):
    found, waiting = set(), [PLUGINS[name].partition(":")[0]]
    while waiting:
        module = waiting.pop()
        path = module_file(module)
        if path and module.startswith("cl_seg.strategies") and module not in found:
            found.add(module)
            imports = imports_of(ast.walk(parse(path)), module, path)
            waiting += [*imports, module.rpartition(".")[0]]
    rooms = {module.split(".")[2] for module in found - {"cl_seg.strategies"}}
    assert rooms <= {name, "strategy", "shared"}
    assert f"cl_seg.strategies.{name}" in found
