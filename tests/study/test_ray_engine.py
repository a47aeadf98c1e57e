"""The ray engine does what the local one does, on the nodes of a cluster."""

from __future__ import annotations

import os
import sys
import time
import warnings

import pytest
from test_studies import TINY, values

from coopgym.study import study
from coopgym.study.engines import engine

ray = pytest.importorskip("ray")
pytestmark = [pytest.mark.xdist_group("ray"), pytest.mark.filterwarnings("ignore::DeprecationWarning")]


def where(job, report):
    report(os.environ["OMP_NUM_THREADS"])
    if job == 3:
        raise ValueError("three is refused")
    if job == 4:
        os._exit(9)
    report(ray.get_runtime_context().get_node_id())


def linger(job, report):
    try:
        report("begun")
        time.sleep(60.0)
    except KeyboardInterrupt:
        job.write_text("put away")
        raise


@pytest.fixture(scope="module")
def cluster():
    """Two nodes of one core each, simulated on this machine."""
    from ray.cluster_utils import Cluster

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "object_store_memory": 80 * 2**20})
        made.add_node(num_cpus=1, num_gpus=1, object_store_memory=80 * 2**20)
        ray.init(address=made.address, log_to_driver=False, logging_level="error")
        ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])  # nodes cannot import a test
        yield made
        ray.shutdown()
        made.shutdown()


def test_jobs_run_on_both_nodes_and_a_failure_is_its_own(cluster):
    heard = []
    failures = engine("ray").run(where, [1, 2, 3, 4, 5, 6], lambda index, news: heard.append((index, news)))
    assert {index for index, _ in heard if index not in (2, 3)} == {0, 1, 4, 5}
    nodes = {news for _, news in heard if news != "1"}
    assert len(nodes) == 2
    (refused,) = (f for f in failures if f.job == 3)
    assert refused.reason == "ValueError: three is refused" and "Traceback" in refused.details
    assert sorted(f.job for f in failures) == [3, 4]


def test_a_share_of_a_gpu_limits_how_many_run_at_a_time(cluster):
    assert engine("ray", gpus=0.5).slots == 2
    assert engine("ray", gpus=1.0).slots == 1
    assert engine("ray", workers=7).slots == 7


def test_a_study_gives_the_records_of_the_local_engine(cluster, tmp_path):
    source = tmp_path / "tiny.toml"
    source.write_text(TINY)
    done = study.run(source, out=tmp_path / "ray", engine_name="ray", workers=2)
    assert (done.failures, done.status.count("ok")) == ([], 28)
    study.run(source, out=tmp_path / "local", engine_name="local")
    assert values(tmp_path / "ray") == values(tmp_path / "local")
    assert study.run(source, out=tmp_path / "ray", engine_name="ray").skipped == 28


def test_what_is_raised_here_interrupts_the_jobs_and_waits_for_them(cluster, tmp_path):
    """The last test: Ray reuses the processes of cancelled tasks, and an interrupt may have hurt those."""

    def stop(index, news):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        engine("ray").run(linger, [tmp_path / "kept"], stop)
    assert (tmp_path / "kept").exists()
