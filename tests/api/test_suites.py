import os
import subprocess
import sys
from pathlib import Path

import pytest

import cl_seg
from cl_seg.api.plan import Plan
from cl_seg.api.processes import Processes
from cl_seg.api.run import run_plan
from tests.api.conftest import SUITE
from tests.gpus import install_gpus


def test_a_dict_a_path_and_a_suite_mean_the_same_runs(in_workspace: Path) -> None:
    given = {**SUITE, "data": {"store": cl_seg.Store("tiny.store")}}
    plans = [cl_seg.plan(one) for one in ("quick.yaml", given, cl_seg.Suite(given))]
    keys = [[run.key for run in plan.plans[0].runs] for plan in plans]
    assert keys[0] == keys[1] == keys[2]


def test_a_suite_that_is_a_dict_is_run_where_nothing_is_written_of_it(
    in_workspace: Path, tmp_path: Path
) -> None:
    lines: list[str] = []
    results = cl_seg.run(SUITE, results=tmp_path / "own", workers=0, log=lines.append)
    assert len(results) == 4 and not results.failures
    again = cl_seg.load_results("results/quick")
    assert results.R("UNet", "EWC").equals(again.R("UNet", "EWC"))


def test_mistakes_in_a_dict_name_the_field_and_no_line(in_workspace: Path) -> None:
    wrong = {**SUITE, "seedz": [0], "training": {"steps": -1, "batch_size": 2}}
    with pytest.raises(cl_seg.InputError) as error:
        cl_seg.Suite(wrong)
    lines = str(error.value).splitlines()
    assert len(lines) == 2 and any(line.startswith("training.steps: ") for line in lines)
    assert any(line.startswith("seedz: unknown field") for line in lines)
    with pytest.raises(cl_seg.InputError, match="use plain values"):
        cl_seg.Suite({**SUITE, "name": object()})


def test_small_numbers_in_a_dict_stay_numbers(in_workspace: Path) -> None:
    ewc = {"name": "ewc", "settings": {"ewc_lambda": 1e-7}}
    suite = cl_seg.Suite({**SUITE, "strategies": [ewc]})
    assert suite.spec.strategies[0].settings["ewc_lambda"] == 1e-7


def test_a_plan_lists_runs_and_stages(in_workspace: Path) -> None:
    plan = cl_seg.plan("quick.yaml")
    assert plan.runs["finished"].all() and list(plan.runs["model"].unique()) == ["VNet", "UNet"]
    assert plan.stages["finished"].all() and {"train", "evaluate"} <= {*plan.stages["kind"]}
    assert "4 of 4 runs are finished already" in str(plan)
    assert "4 of 4 runs are finished" in plan.progress()
    assert "vnet-ewc-order1-seed0" in plan._repr_html_()


def test_a_script_without_a_guard_runs_its_suite_once(in_workspace: Path, tmp_path: Path) -> None:
    """Spawned processes import the script of their parent, which must not run it again."""
    script = tmp_path / "script.py"
    script.write_text(
        "import cl_seg\n"
        "print('begin')\n"
        f"results = cl_seg.run('quick.yaml', workers=1, cache={str(tmp_path / 'stages')!r},\n"
        f"                     results={str(tmp_path / 'results')!r})\n"
        "print(len(results))\n"
    )
    done = subprocess.run(
        [sys.executable, str(script)],
        env={**os.environ, "PYTHONPATH": str(Path(cl_seg.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("begin") == 1 and done.stdout.endswith("4\n")


def test_suites_for_gpus_of_several_models_are_run_one_by_one(
    in_workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_gpus(monkeypatch, tmp_path, "Large", "Large", "Display")

    def planned(*devices: str) -> Plan:
        training = {"steps": 1, "batch_size": 2}
        suites = [{**SUITE, "name": d[-1], "training": {**training, "device": d}} for d in devices]
        return Plan([cl_seg.Suite(suite) for suite in suites])

    with pytest.raises(cl_seg.InputError, match=r"several models \(Display, Large\)"):
        run_plan(planned("cuda:0", "cuda:2"), Processes())
    with pytest.raises(cl_seg.InputError, match="run them one by one"):
        run_plan(planned("cuda:0", "cuda:1"), Processes())
    with pytest.raises(cl_seg.InputError, match="leave one of them out"):
        run_plan(planned("cuda:1"), Processes(gpus=[0]))


def test_an_engine_that_is_none_is_refused(in_workspace: Path) -> None:
    with pytest.raises(cl_seg.InputError, match="expected local, or Slurm"):
        cl_seg.run("quick.yaml", engine="cloud")  # type: ignore[arg-type]
    with pytest.raises(cl_seg.InputError, match="workers is -1"):
        cl_seg.run("quick.yaml", workers=-1)
