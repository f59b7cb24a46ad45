"""A Slurm cluster of three nodes on this machine, with a configuration of its own."""

import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

NODES = ("n1", "n2", "n3")
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "scontrol", "squeue")
CONFIGURATION = """
ClusterName=loopback
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
MpiDefault=none
ReturnToService=2
SlurmctldPort={port}
SlurmctldTimeout=5
SlurmdTimeout=10
InactiveLimit=0
KillWait=10
MinJobAge=300
SchedulerParameters=sched_interval=2,sched_min_interval=0
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
{nodes}
PartitionName=test Nodes={names} Default=YES MaxTime=INFINITE State=UP
"""


def missing() -> str:
    """Why no cluster can be started here, or ""."""
    lacking = [name for name in PROGRAMS if shutil.which(name, path=_path()) is None]
    if lacking:
        return f"Slurm is not installed ({', '.join(lacking)}): see .ci/install-slurm"
    return "" if os.geteuid() == 0 else "only root can start Slurm's daemons"


@dataclass
class Cluster:
    """A running cluster.

    Attributes:
        folder: of its configuration, logs and state.
        processes: its daemons by name.
    """

    folder: Path
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """What makes Slurm's commands talk to this cluster."""
        return {**os.environ, "SLURM_CONF": str(self.folder / "slurm.conf"), "PATH": _path()}

    def ask(self, *command: str) -> str:
        """What one of Slurm's commands prints."""
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, env=self.environment
        )
        return done.stdout

    def kill(self, node: str) -> None:
        """Let a node die with all that runs on it, as if its plug was pulled."""
        self.processes[node].kill()
        self.processes[node].wait()
        for _ in range(3):  # what was just being started is found the next time
            for process in _processes_of(node, self.folder):
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            time.sleep(0.1)

    def start(self, name: str, *command: str) -> None:
        """Start a daemon in the foreground."""
        log = (self.folder / f"{name}.out").open("wb")
        self.processes[name] = subprocess.Popen(
            command, env=self.environment, stdout=log, stderr=log, start_new_session=True
        )

    def start_node(self, name: str) -> None:
        """Start a node."""
        self.start(name, "slurmd", "-D", "-N", name)

    def stop(self) -> None:
        """Stop all daemons and what they run."""
        with suppress(subprocess.CalledProcessError):
            self.ask("scancel", "--user=root")
            time.sleep(1)
        for node in NODES:
            self.kill(node)
        for process in self.processes.values():
            process.kill()
            process.wait()


@contextmanager
def running_cluster(folder: Path) -> Iterator[Cluster]:
    """A cluster inside; its nodes are idle when it begins."""
    cluster = Cluster(folder)
    port = 20000 + secrets.randbelow(20000)
    lines = [
        f"NodeName={name} NodeHostname={_host()} NodeAddr=127.0.0.1 Port={port + n} CPUs=1"
        for n, name in enumerate(NODES, start=1)
    ]
    text = CONFIGURATION.format(
        folder=folder, host=_host(), port=port, nodes="\n".join(lines), names=",".join(NODES)
    )
    (folder / "slurm.conf").write_text(text)
    (folder / "state").mkdir()
    key = folder / "munge.key"
    key.write_bytes(secrets.token_bytes(128))
    key.chmod(0o400)
    paths = {"key-file": key, "socket": folder / "munge.socket", "log-file": folder / "munge.log"}
    paths |= {"pid-file": folder / "munge.pid", "seed-file": folder / "munge.seed"}
    options = [f"--{name}={path}" for name, path in paths.items()]
    try:
        cluster.start("munged", "munged", "--foreground", "--force", *options)
        _until(paths["socket"].exists)
        cluster.start("slurmctld", "slurmctld", "-D", "-i")
        for name in NODES:
            cluster.start_node(name)
        _until(lambda: _idle(cluster) == len(NODES))
        yield cluster
    finally:
        cluster.stop()


def _idle(cluster: Cluster) -> int:
    with suppress(subprocess.CalledProcessError):
        return cluster.ask("sinfo", "-h", "-N", "-o", "%T").split().count("idle")
    return 0


def _until(true: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise TimeoutError("the cluster did not come up")
        time.sleep(0.1)


def _processes_of(node: str, folder: Path) -> list[psutil.Process]:
    """Processes that belong to a node, those first that would tell how the others ended."""
    telling, working = [], []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            environment = process.environ()
            ours = environment.get("SLURM_CONF", "").startswith(str(folder))
            if ours and environment.get("SLURMD_NODENAME") == node:
                working.append(process)
                parent = process.parent()
                if parent is not None and "slurmstepd" in " ".join(parent.cmdline()):
                    telling.append(parent)
    return telling + working


def _host() -> str:
    return os.uname().nodename.partition(".")[0]


def _path() -> str:
    return os.environ["PATH"] + ":/usr/sbin:/sbin"
