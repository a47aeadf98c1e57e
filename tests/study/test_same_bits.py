"""A record can be made again, bit for bit, from what it says: however its program was cut, and whenever seeds came."""

import dataclasses

import pytest

import coopgym
from coopgym.envs.reward import RewardMode
from coopgym.study.ablation import run_ablation
from coopgym.study.cells import Cell
from coopgym.study.engines.local import Local
from coopgym.study.records import Records
from coopgym.study.runner import Runner, Work
from coopgym.study.watcher import Watcher

GAME, ALGORITHMS, MODES = "AppleAppStore-v1", ("MAPPO", "COMA"), ("private", "cooperative")
TINY = {"max_steps": 7, "lanes": 5, "hidden": (9,)}
STEPS = 200
# columns that say how and when a program ran, and nothing of what came out
PROGRAM = {"replicas_in_program", "seconds", "program_seconds", "program_id", "env_steps_per_second", "created"}


def ablation(folder, seeds, modes=MODES):
    found = run_ablation(
        GAME, ALGORITHMS, reward_modes=modes, seeds=seeds, steps=STEPS, out=folder, workers=1, device="cpu", **TINY
    )
    assert not found.failures
    return outcome(found.runs, found.curves)


def outcome(runs, curves):
    """What came out, by run: records without what they say of their program, and curves."""
    rows = {row["run_id"]: {key: x for key, x in row.items() if key not in PROGRAM} for row in runs}
    return rows, {(row["run_id"], row["metric"], row["agent"]): row["value"] for row in curves}


@pytest.fixture(scope="module")
def at_once(tmp_path_factory):
    """Three seeds in one program for each algorithm."""
    return ablation(tmp_path_factory.mktemp("at_once"), [0, 1, 2])


def test_seeds_that_come_later_change_no_record(at_once, tmp_path):
    ablation(tmp_path, [0, 1], MODES[:1])
    ablation(tmp_path, [0, 1])
    assert ablation(tmp_path, [0, 1, 2]) == at_once
    assert len(at_once[0]) == 12 and all(row["policy_sha256"] for row in at_once[0].values())


def test_a_study_in_pieces_has_the_records_of_one_in_a_piece(at_once, tmp_path):
    modes = tuple(RewardMode(mode) for mode in MODES)
    cells = [Cell(name, GAME, modes, (0, 1, 2), STEPS, TINY) for name in ALGORITHMS]
    records = Records(tmp_path)
    runner = Runner(cells, records, Local(1, "cpu"), Work("cpu", pieces=2), True, Watcher())
    assert len(list(runner.programs())) == 4 and runner.run() == []
    assert outcome(records.read("runs"), records.read("curves")) == at_once


def test_one_replica_alone_on_two_threads_has_its_record(at_once):
    for name in ALGORITHMS:
        alone = coopgym.train(
            name, GAME, reward_modes=["cooperative"], seeds=[2], total_steps=STEPS, threads=2, device="cpu", **TINY
        )
        (row,) = (run.row() for run in alone.runs)
        recorded = at_once[0][row["run_id"]]
        elsewhere = {*PROGRAM, "policy_file", "policy_sha256", "source_revision", "source_clean"}
        assert {key: x for key, x in row.items() if key not in elsewhere} == {
            key: x for key, x in recorded.items() if key not in elsewhere
        }


def test_a_seat_among_partners_that_draw_is_the_same_beside_others():
    def trained(seeds):
        partners = coopgym.policy("Random", coopgym.game(GAME, max_steps=7))
        return coopgym.train(
            "ISAC", GAME, agent=0, partners=partners, reward_modes=["private"], seeds=seeds, total_steps=300,
            warmup=55, batch=19, **TINY,
        )  # fmt: skip

    alone, together = trained([1]), trained([0, 1, 2])
    ours, theirs = (dataclasses.asdict(result.runs[place]) for result, place in ((alone, 0), (together, 1)))
    assert {k: x for k, x in ours.items() if k not in PROGRAM} == {k: x for k, x in theirs.items() if k not in PROGRAM}
    assert alone.policies[0].own.theta.numpy().tobytes() == together.policies[1].own.theta.numpy().tobytes()
