"""A suite file is checked whole: each fault is one line with file, line, field and a hint."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from cl_seg.messages.errors import InputError
from cl_seg.messages.suggest import did_you_mean
from cl_seg.models.registry import NETWORKS
from cl_seg.spec.read import read_suite
from cl_seg.spec.seed_curve import SeedCurveSuite
from cl_seg.spec.suite import StreamSuite
from cl_seg.strategies.ewc import EWCSettings
from cl_seg.strategies.registry import STRATEGIES

STREAM = """\
kind: stream
name: tiny
data: {store: my.store}
image: {size: 64}
models: [unet]
strategies: [naive]
training:
  steps: 10
"""
SEED_CURVE = """\
kind: seed_curve
name: curve
data:
  phantom: {scanners: [a, b], own_bodies: 4, shared_bodies: 2}
image: {size: 64}
models: [unet]
training: {steps: 10}
base: [a]
target: b
seed_images: [1, 2, 4]
start: [transfer, scratch]
"""


def read(tmp_path, text, data=None):
    path = tmp_path / "suite.yaml"
    path.write_text(text)
    return read_suite(path, NETWORKS, STRATEGIES, data)


def faults(tmp_path, text, data=None):
    """Lines of the error, without the folder."""
    with pytest.raises(InputError) as caught:
        read(tmp_path, text, data)
    lines = str(caught.value).splitlines()
    assert all(line.startswith(f"{tmp_path / 'suite.yaml'}:") for line in lines)
    return [line.removeprefix(f"{tmp_path}/") for line in lines]


def edited(old, new, text=STREAM):
    assert text.count(old) == 1
    return text.replace(old, new)


def test_defaults_are_filled_in(tmp_path):
    suite = read(tmp_path, STREAM)
    assert isinstance(suite, StreamSuite)
    assert suite.classes == ["muscle", "liver"] and suite.seeds == [0]
    assert suite.orders == "as_listed" and suite.split.by == "patient"
    assert suite.data.store == Path("my.store") and suite.data.phantom is None
    assert suite.models[0].preset == "small" and suite.models[0].label == "unet"
    assert suite.strategies[0].settings == {} and suite.training.batch_size == 8


@pytest.mark.parametrize("device", ["auto", "cpu", "cuda", "cuda:0", "cuda:11"])
def test_devices(tmp_path, device):
    text = edited("  steps: 10\n", f"  steps: 10\n  device: {device}\n")
    assert read(tmp_path, text).training.device == device


def test_seed_curve(tmp_path):
    suite = read(tmp_path, SEED_CURVE)
    assert isinstance(suite, SeedCurveSuite)
    assert suite.base == ["a"] and suite.target == "b" and suite.seed_images == [1, 2, 4]
    assert suite.data.phantom is not None and suite.data.phantom.size == 320


def of_model(folder, trusted_network):
    """What a model folder would determine."""
    if folder != Path("saved"):
        raise InputError(f"{folder} is no model folder")
    return {"models": [{"name": "unet"}], "classes": ["liver"], "image": {"size": 64}}


FROM_MODEL = SEED_CURVE.replace("image: {size: 64}\nmodels: [unet]\n", "model: saved\n")
FROM_MODEL = FROM_MODEL.replace("base: [a]\n", "")


def test_a_seed_curve_takes_its_network_from_a_saved_model(tmp_path):
    (tmp_path / "suite.yaml").write_text(FROM_MODEL)
    suite = read_suite(tmp_path / "suite.yaml", NETWORKS, STRATEGIES, None, of_model)
    assert isinstance(suite, SeedCurveSuite) and suite.base == []
    assert suite.models[0].name == "unet" and suite.image.size == 64
    assert suite.classes == ["liver"]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("model: saved", "model: saved\nbase: [a]", "6: base: a saved model, `model`, takes the"),
        ("model: saved", "model: saved\nclasses: [muscle]", "classes: ['muscle'] is not that of"),
        ("model: saved", "model: nowhere", "5: model: nowhere is no model folder"),
    ],
)
def test_faults_beside_a_model_are_told_once(tmp_path, old, new, told):
    (tmp_path / "suite.yaml").write_text(FROM_MODEL.replace(old, new))
    with pytest.raises(InputError) as refused:
        read_suite(tmp_path / "suite.yaml", NETWORKS, STRATEGIES, None, of_model)
    assert told in str(refused.value) and "\n" not in str(refused.value)


def test_short_and_long_form_are_equal(tmp_path):
    long = edited("[unet]", "[{name: unet, preset: small, label: unet}]")
    settings = EWCSettings().model_dump()
    assert read(tmp_path, long) == read(tmp_path, STREAM)
    short = read(tmp_path, edited("[naive]", "[ewc]"))
    long = read(tmp_path, edited("[naive]", f"[{{name: ewc, label: ewc, settings: {settings}}}]")
                .replace("None", "null"))  # fmt: skip
    assert short == long and short.strategies[0].settings == settings


def test_sizes_and_labels_tell_networks_apart(tmp_path):
    others = (
        "{name: unet, preset: large}, {name: unet, label: x}, {name: unet, load: w.pt}, "
        "{name: 'nets:make', learning_rate: 0.1}"
    )
    labels = [m.label for m in read(tmp_path, edited("[unet]", f"[unet, {others}]")).models]
    assert labels == ["unet", "unet_large", "x", "unet_pretrained", "make"]


def test_values_never_change(tmp_path):
    with pytest.raises(ValueError, match="frozen"):
        read(tmp_path, STREAM).training.steps = 3


def test_data_override(tmp_path):
    store = tmp_path / "other.store"
    assert read(tmp_path, STREAM, store).data.store == store
    suite = read(tmp_path, SEED_CURVE, store)
    assert suite.data.store == store and suite.data.phantom is None
    assert read(tmp_path, edited("data: {store: my.store}\n", ""), store).data.store == store


FAULTS = {
    "unknown field": (
        edited("  steps: 10", "  steps: 10\n  bach_size: 4"),
        "suite.yaml:9: training.bach_size: unknown field: did you mean batch_size?",
    ),
    "missing field": (edited("name: tiny\n", ""), "suite.yaml:1: name is missing"),
    "missing nested field": (
        edited("  steps: 10", "  batch_size: 4"),
        "suite.yaml:8: training.steps is missing",
    ),
    "negative steps": (
        edited("steps: 10", "steps: -5"),
        "suite.yaml:8: training.steps: expected greater than 0, not -5",
    ),
    "text for a number": (
        edited("steps: 10", "steps: many"),
        "suite.yaml:8: training.steps: expected a whole number, not 'many'",
    ),
    "unknown choice": (
        edited("  steps: 10", "  steps: 10\n  precision: half"),
        "suite.yaml:9: training.precision: expected 'auto', 'float32' or 'bfloat16', not 'half'",
    ),
    "unknown kind": (
        edited("kind: stream", "kind: strem"),
        "suite.yaml:1: suite: unknown kind strem: expected stream, seed_curve or update",
    ),
    "no kind": (
        edited("kind: stream\n", ""),
        "suite.yaml:1: suite: `kind` is missing: expected stream, seed_curve or update",
    ),
    "unknown network": (
        edited("[unet]", "[unte]"),
        "suite.yaml:5: models.0: unknown network unte: did you mean unet? (or give "
        "module:callable)",
    ),
    "unknown network in long form": (
        edited("[unet]", "\n  - unet\n  - name: vnett"),
        "suite.yaml:7: models.1.name: unknown network vnett: did you mean vnet? (or give "
        "module:callable)",
    ),
    "unknown preset": (
        edited("[unet]", "[{name: unet, preset: smal}]"),
        "suite.yaml:5: models.0.preset: unknown preset smal: did you mean small?",
    ),
    "arguments for a registered network": (
        edited("[unet]", "[{name: unet, arguments: {width: 3}}]"),
        "suite.yaml:5: models.0: `arguments` are for module:callable, a preset has its own",
    ),
    "weights that are no file and no callable": (
        edited("[unet]", "[{name: unet, load: weights.ckpt}]"),
        "suite.yaml:5: models.0.load: expected a file (.safetensors, .pt, .pth) or module:callable",
    ),
    "own network without a rate": (
        edited("[unet]", "['my.nets:make']"),
        "suite.yaml:5: models.0: a network of your own needs a learning_rate",
    ),
    "unknown strategy": (
        edited("[naive]", "[naiv]"),
        "suite.yaml:6: strategies.0: unknown strategy naiv: did you mean naive? "
        "(or give module:Class)",
    ),
    "former name of a strategy": (
        edited("[naive]", "[statistics_per_scanner]"),
        "suite.yaml:6: strategies.0: strategy statistics_per_scanner is named "
        "stale_statistics now: write this name",
    ),
    "numbers as names of settings": (
        edited("[naive]", "[{name: 'mine:P', settings: {weights: {1: 0.5}}}]"),
        "suite.yaml:6: strategies.0.settings: 1 is no text: quote it",
    ),
    "a date among settings": (
        edited("[naive]", "[{name: 'mine:P', settings: {since: [2020-01-01]}}]"),
        "suite.yaml:6: strategies.0.settings: expected text, numbers, lists or fields, not a "
        "date: quote it",
    ),
    "strategy twice": (
        edited("[naive]", "[ewc, {name: ewc, settings: {ewc_lambda: 3}}]"),
        "suite.yaml:6: strategies: ewc appears twice: give one of them a `label`",
    ),
    "network twice": (
        edited("[unet]", "[unet, unet]"),
        "suite.yaml:5: models: unet appears twice: give one of them a `label`",
    ),
    "seed twice": (STREAM + "seeds: [1, 1]\n", "suite.yaml:9: seeds: 1 appears twice"),
    "class called mean": (
        STREAM + "classes: [liver, mean]\n",
        "suite.yaml:9: classes: no class can be called mean, which stands for that of all classes",
    ),
    "class twice": (
        STREAM + "classes: [liver, liver]\n",
        "suite.yaml:9: classes: liver appears twice",
    ),
    "size does not fit": (
        edited("size: 64", "size: 100"),
        "suite.yaml:4: image.size: 100 does not fit unet, which needs a multiple of 16 from 32 on",
    ),
    "two sources": (
        edited(
            "{store: my.store}",
            "{store: x, phantom: {scanners: [a], own_bodies: 1, shared_bodies: 1}}",
        ),
        "suite.yaml:3: data: give either `store` or `phantom`, and only one of them",
    ),
    "window upside down": (
        edited("size: 64", "size: 64, window_hu: [240, -160]"),
        "suite.yaml:4: image.window_hu: expected [low, high] in HU with low < high",
    ),
    "test of neither a share nor the shared": (
        STREAM + "split: {test: 1.5}\n",
        "suite.yaml:9: split.test: expected a share above 0 and below 1, or shared, not 1.5",
    ),
    "shared patients within cases": (
        STREAM + "split: {by: within_case, test: shared}\n",
        "suite.yaml:9: split: `test: shared` is of whole patients: leave `by: within_case` out",
    ),
    "no scanner": (
        edited("data: {store: my.store}", "data: {phantom: {own_bodies: 4, shared_bodies: 2}}"),
        "suite.yaml:3: data.phantom: no scanner is named: list some, or let some be drawn "
        "(`drawn`)",
    ),
    "drawn of no track": (
        edited(
            "data: {store: my.store}",
            "data: {phantom: {drawn: {track: calm, scanners: 3}, own_bodies: 4, shared_bodies: 2}}",
        ),
        "suite.yaml:3: data.phantom.drawn.track: expected 'realistic' or 'stress', not 'calm'",
    ),
    "split leaves nothing": (
        STREAM + "split: {test: 0.7, validation: 0.3}\n",
        "suite.yaml:9: split: test + validation must stay below 1",
    ),
    "label with a slash": (
        edited("[unet]", "[{name: unet, label: a/b}]"),
        "suite.yaml:5: models.0.label: expected a name of letters, digits and _ . = + -, "
        "not beginning with a dot, not 'a/b'",
    ),
    "a name with a space": (
        edited("name: tiny", "name: my suite"),
        "suite.yaml:2: name: expected a name of letters, digits and _ . -, not beginning with a "
        "dot, not 'my suite'",
    ),
    "a number that YAML takes for text": (
        edited("steps: 10", "steps: 1e3"),
        "suite.yaml:8: training.steps: expected a whole number, not '1e3': write 1000",
    ),
    "half a step": (
        edited("steps: 10", "steps: 0.5"),
        "suite.yaml:8: training.steps: expected a whole number, not 0.5",
    ),
    "epochs": (
        edited("  steps: 10", "  steps: 10\n  epochs: 20"),
        "suite.yaml:9: training.epochs: unknown field: known are steps, later, batch_size, "
        "weight_decay, warmup, gradient_clip, flip, rotate_degrees, scale, shift_hu, augment, "
        "curve_every, precision, device, threads",
    ),
    "key twice": (STREAM + "name: again\n", "suite.yaml:9: name is given twice"),
    "key twice in a part": (
        edited("  steps: 10", "  steps: 10\n  steps: 20"),
        "suite.yaml:9: steps is given twice",
    ),
    "a list": ("[1, 2]", "suite.yaml:1: suite: expected fields (`name: value`)"),
    "a text": ("hello", "suite.yaml:1: suite: expected fields (`name: value`)"),
    "an empty file": ("", "suite.yaml:1: suite: expected fields (`name: value`)"),
    "a part left empty": (
        edited("  steps: 10\n", ""),
        "suite.yaml:7: training: expected fields (`name: value`)",
    ),
    "a device of Apple's": (
        edited("  steps: 10\n", "  steps: 10\n  device: mps\n"),
        "suite.yaml:9: training.device: mps (Apple's GPUs) is not supported: training is not "
        "tested to be deterministic there; write cpu",
    ),
    "a device that is none": (
        edited("  steps: 10\n", "  steps: 10\n  device: cuda:x\n"),
        "suite.yaml:9: training.device: expected auto, cpu, cuda or a numbered GPU such as cuda:1, "
        "not cuda:x",
    ),
    "not YAML": (
        "kind: stream\nname: [1\n",
        "suite.yaml:3: expected ',' or ']', but got '<stream end>': check the YAML syntax",
    ),
    "a tab": (
        "kind: stream\n\tname: x\n",
        "suite.yaml:2: found character '\\t' that cannot start any token: check the YAML syntax",
    ),
    "code": (
        "a: !!python/object/apply:os.getcwd []\n",
        "suite.yaml:1: could not determine a constructor for the tag "
        "'tag:yaml.org,2002:python/object/apply:os.getcwd': check the YAML syntax",
    ),
    "too deep": ("[" * 3000, "suite.yaml: nested too deeply"),
    "endless": ("&a [*a]", "suite.yaml: nested too deeply"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_fault(tmp_path, fault):
    text, line = FAULTS[fault]
    assert faults(tmp_path, text) == [line]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ("{ewc_lamda: 3}", "ewc_lamda: unknown field: did you mean ewc_lambda?"),
        ("{ewc_lambda: -3}", "ewc_lambda: expected greater than or equal to 0, not -3"),
        ("{fisher: exact}", "fisher: expected 'sampled', 'empirical' or 'batch', not 'exact'"),
    ],
)
def test_strategy_settings(tmp_path, settings, told):
    text = edited("[naive]", f"[{{name: ewc, settings: {settings}}}]")
    (line,) = faults(tmp_path, text)
    assert line.startswith("suite.yaml:6: strategies.0.settings.") and line.endswith(told)


def test_settings_of_a_strategy_without_any(tmp_path):
    (line,) = faults(tmp_path, edited("[naive]", "[{name: naive, settings: {budget: 3}}]"))
    assert line.startswith("suite.yaml:6: strategies.0.settings.budget: ")
    assert "unknown field" in line


def test_orders_neither_word_nor_list(tmp_path):
    lines = faults(tmp_path, STREAM + "orders: every\n")
    assert (
        lines[0]
        == "suite.yaml:9: orders: expected 'as_listed', 'both_ways', 'all' or 'pairs', not 'every'"
    )


@pytest.mark.parametrize(
    "value", ["every", "every 0", "every 2.5", "Seen", "5", "[all]", "every  5"]
)
def test_evaluate_is_one_of_three_choices(tmp_path, value):
    (line,) = faults(tmp_path, STREAM + f"evaluate: {value}\n")
    told = "suite.yaml:9: evaluate: expected all, seen or every K with a number of experiences, "
    assert line.startswith(told + "such as every 5, not ")
    assert read(tmp_path, STREAM + "evaluate: every 12\n").evaluate == "every 12"
    assert read(tmp_path, STREAM).evaluate == "all"


def test_all_faults_at_once(tmp_path):
    text = edited("steps: 10", "steps: 0\n  rotate: 3").replace("[unet]", "[unte]")
    lines = faults(tmp_path, text.replace("size: 64", "size: big"))
    assert [line.split(": ")[1] for line in lines] == [
        "image.size",
        "models.0",
        "training.steps",
        "training.rotate",
    ]


def test_lines_count_comments_and_block_style(tmp_path):
    text = edited("strategies: [naive]", "# one\n\nstrategies:\n  - naive\n  # two\n  - replai")
    assert faults(tmp_path, text)[0].startswith("suite.yaml:11: strategies.1: ")


def test_alias_bomb_ends_in_one_line(tmp_path):
    layers = ["a0: &a0 [x]"]
    layers += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 60)]
    assert faults(tmp_path, "\n".join(layers)) == ["suite.yaml: more than 20000 values"]


def test_unreadable_files(tmp_path):
    with pytest.raises(InputError, match="expected a YAML file"):
        read_suite(tmp_path / "absent.yaml", NETWORKS, STRATEGIES)
    with pytest.raises(InputError, match="expected a YAML file"):
        read_suite(tmp_path, NETWORKS, STRATEGIES)
    (tmp_path / "latin.yaml").write_bytes(b"name: M\xfcller")
    with pytest.raises(InputError, match="not UTF-8"):
        read_suite(tmp_path / "latin.yaml", NETWORKS, STRATEGIES)


@pytest.mark.parametrize(
    "text",
    [
        STREAM + "? [a]\n: 1\n",
        edited("{store: my.store}", "{{ store }}"),
        edited("name: tiny", "name: 2024-13-45"),
        edited("steps: 10", f"steps: {'9' * 5000}"),
    ],
    ids=["list as a key", "template left in", "impossible date", "endless number"],
)
def test_odd_yaml_is_an_input_error(tmp_path, text):
    assert len(faults(tmp_path, text)) == 1


def test_a_known_field_in_the_wrong_part_is_not_its_own_suggestion(tmp_path):
    (line,) = faults(tmp_path, STREAM + "steps: 20\n")
    assert "did you mean steps?" not in line
    (line,) = faults(tmp_path, STREAM + "seed: 3\n")
    assert "did you mean seed?" not in line


@pytest.mark.parametrize("name", ["..", "."])
def test_a_name_is_never_a_way_out_of_the_results_folder(tmp_path, name):
    assert faults(tmp_path, edited("name: tiny", f"name: {name}"))
    assert faults(tmp_path, edited("[unet]", f"[{{name: unet, label: {name}}}]"))


def test_default_label_of_an_own_network_fits_a_folder(tmp_path):
    text = edited("[unet]", "[{name: 'nets:a/../../b', learning_rate: 1.0}]")
    assert faults(tmp_path, text)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("size: 64", "size: 64, window_hu: [.nan, .nan]"),
        ("size: 64", "size: 64, window_hu: [-.inf, .inf]"),
        ("[unet]", "[{name: unet, learning_rate: .inf}]"),
        ("steps: 10", "steps: 10\n  shift_hu: .inf"),
        ("[naive]", "[{name: ewc, settings: {ewc_lambda: .inf}}]"),
    ],
)
def test_numbers_are_finite(tmp_path, old, new):
    assert faults(tmp_path, edited(old, new))


def test_learned_dice_names_classes_of_the_suite(tmp_path):
    assert faults(tmp_path, STREAM + "learned_dice: {muscel: 0.7}\n")


@pytest.mark.parametrize(("network", "size"), [("unet", 16), ("swin_unetr", 32)])
def test_size_too_small_to_train(tmp_path, network, size):
    """Instance normalisation has no variance over the single pixel left at the lowest level."""
    text = edited("[unet]", f"[{network}]").replace("size: 64", f"size: {size}")
    assert faults(tmp_path, text)


def test_did_you_mean():
    assert did_you_mean("vnt", ["vnet", "unet"]) == ": did you mean vnet?"
    assert did_you_mean("xyz", {"vnet": 1, "unet": 2}) == ": known are vnet, unet"
    assert did_you_mean("xyz", [f"field{i}" for i in range(41)]) == ""


def test_planning_needs_no_torch():
    modules = [
        "cl_seg.spec.read", "cl_seg.files.write",
        "cl_seg.models.registry", "cl_seg.strategies.registry",
        "cl_seg.scans.store", "cl_seg.scans.splits", "cl_seg.metrics.segmentation",
        "cl_seg.metrics.continual", "cl_seg.analysis.report.write", "cl_seg.analysis.tables",
        "cl_seg.planning.runs",
    ]  # fmt: skip
    code = (
        f"import sys, importlib\nfor m in {modules!r}: importlib.import_module(m)\n"
        "print([m for m in ('torch', 'avalanche', 'monai') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_grid_is_one_strategy_per_combination(tmp_path):
    grid = "{name: ewc, settings: {fisher: batch}, grid: {ewc_lambda: [0.1, 1], mode: [summed]}}"
    suite = read(tmp_path, STREAM.replace("[naive]", f"[naive, {grid}]"))
    assert [s.label for s in suite.strategies] == [
        "naive",
        "ewc-ewc_lambda=0.1-mode=summed",
        "ewc-ewc_lambda=1-mode=summed",
    ]
    assert [s.settings["ewc_lambda"] for s in suite.strategies[1:]] == [0.1, 1]
    assert all(s.settings["fisher"] == "batch" for s in suite.strategies[1:])


@pytest.mark.parametrize(
    ("strategy", "told"),
    [
        ("{name: ewc, grid: {ewc_lambda: [1, -1]}}", "strategies.0.grid.ewc_lambda: ewc_lambda"),
        ("{name: ewc, grid: {ewc_lamda: [1]}}", "did you mean ewc_lambda?"),
        ("{name: ewc, grid: {ewc_lambda: []}}", "strategies.0.grid.ewc_lambda"),
        ("{name: ewc, grid: {ewc_lambda: [1, 1]}}", "ewc-ewc_lambda=1 appears twice"),
        ("{name: ewc, settings_of: {unet: {ewc_lambda: -1}}}", "settings_of.unet.ewc_lambda"),
        ("{name: ewc, settings_of: {unett: {}}}", "unknown network unett: did you mean unet?"),
        ("{name: ewc, networks: [unett]}", "unknown network unett: did you mean unet?"),
        ("{name: ewc, networks: []}", "strategies.0.networks"),
        ("{name: ewc, settings_of: {unet: {}}, grid: {ewc_lambda: [1]}}", "give one of them"),
    ],
)
def test_faults_of_grids_and_settings_per_network(tmp_path, strategy, told):
    with pytest.raises(InputError, match=re.escape(told)):
        read(tmp_path, STREAM.replace("[naive]", f"[{strategy}]"))


def test_settings_of_a_network_replace_the_common_ones(tmp_path):
    strategy = (
        "{name: ewc, settings: {fisher: batch, ewc_lambda: 2}, "
        "settings_of: {unet: {ewc_lambda: 3}}}"
    )
    models = "[unet, {name: unet, label: other}]"
    text = STREAM.replace("[naive]", f"[{strategy}]").replace("[unet]", models)
    (choice,) = read(tmp_path, text).strategies
    settings = [choice.for_network(label).settings for label in ("unet", "other")]
    assert [s["ewc_lambda"] for s in settings] == [3, 2]
    assert [s["fisher"] for s in settings] == ["batch", "batch"]
