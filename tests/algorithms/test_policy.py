"""Policies from names, rates and functions; heuristics; saving and loading."""

import hashlib
import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

import coopgym
from coopgym.algorithms.distributions import squash
from coopgym.algorithms.features import Encoder
from coopgym.algorithms.network_policy import NetworkPolicy
from coopgym.algorithms.networks import Network
from coopgym.algorithms.registry import algorithm
from coopgym.envs import observation
from coopgym.envs.catalogue import list_games


@pytest.fixture(scope="module")
def result():
    return coopgym.train("IPPO", "SLCD-v1", seeds=[0, 1], total_steps=400, lanes=4, hidden=(8,), evaluations=1)


def seen(game, setting, actions, batch=(5,)):
    """Observations of a state one step after the start."""
    state, _, _ = game.step(game.reset(batch), np.broadcast_to(actions, (*batch, game.n)))
    return observation.observe(game, state, setting)


def test_what_is_registered():
    learners = coopgym.list_algorithms("learner")
    assert {"IPPO", "MAPPO", "MADDPG", "MATD3", "M3DDPG", "ISAC", "MASAC"} <= set(learners)
    assert coopgym.list_algorithms("heuristic") == ["Random", "TitForTat"]
    assert coopgym.list_algorithms("constant") == [f"Constant_{k}" for k in range(101)]
    assert len(learners) == 16 and len(coopgym.list_algorithms("oracle")) == 7
    assert len(coopgym.list_algorithms()) == 126


def test_the_order_of_names_does_not_depend_on_what_was_imported_first():
    code = "import coopgym.algorithms.qmix, coopgym.algorithms.ippo, coopgym; print(*coopgym.list_algorithms())"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.split() == [name for name in coopgym.list_algorithms() if algorithm(name).ours]


@pytest.mark.parametrize("id", [*list_games(), "PlatformEcosystem-v0", "DynamicPartnerSelection-v0"])
def test_tit_for_tat_plays_half_first_and_then_what_the_others_played(id):
    game = coopgym.game(id)
    policy = coopgym.policy("TitForTat", game)
    first = policy.act(observation.observe(game, game.reset((3,)), policy.observability))
    np.testing.assert_allclose(first, np.broadcast_to(0.5 * game.endowment, (3, game.n)))
    rates = np.linspace(0.1, 0.9, game.n)
    after = policy.act(seen(game, policy.observability, rates * game.endowment))
    others = (rates.sum() - rates) / (game.n - 1)
    np.testing.assert_allclose(after[0] / game.endowment, others)


def test_constants_random_rates_and_functions():
    game = coopgym.game("PlatformEcosystem-v1")
    obs = observation.observe(game, game.reset((2, 3)), "minimal")
    np.testing.assert_allclose(coopgym.policy("Constant_35", game).act(obs)[1, 2], 0.35 * game.endowment)
    np.testing.assert_allclose(coopgym.policy(0.5, game).act(obs)[0, 0], 0.5 * game.endowment)
    rates = [0.1, 0.2, 0.3, 0.4, 0.5]
    np.testing.assert_allclose(coopgym.policy(rates, game).act(obs)[0, 0], np.multiply(rates, game.endowment))
    random = coopgym.policy("Random", game)
    first = random.act(obs)
    assert ((first >= 0) & (first <= game.endowment)).all() and np.unique(first).size == first.size
    random.reseed(0)
    np.testing.assert_array_equal(random.act(obs), first)

    def generous(observations):
        return 0.9 * game.endowment + 0.0 * observations[..., 0]

    full = observation.observe(game, game.reset(), "asymmetric")
    np.testing.assert_allclose(coopgym.policy(generous, game).act(full), 0.9 * game.endowment)
    with pytest.raises(ValueError, match="return one action an agent"):
        coopgym.policy(lambda o: np.zeros(3), game).act(full)


@pytest.mark.parametrize("name", ["Random", "TitForTat", "Constant_20"])
def test_torch_in_torch_out(name):
    game = coopgym.game("SLCD-v1")
    policy = coopgym.policy(name, game)
    obs = observation.observe(game, game.reset((4,)), policy.observability)
    expected = policy.act(obs)
    policy.reseed(0)
    actions = policy.act(torch.as_tensor(obs, dtype=torch.float32))
    assert actions.dtype == torch.float32
    np.testing.assert_allclose(actions, expected, rtol=1e-6)


def test_wrong_specifications_are_refused():
    game = coopgym.game("SLCD-v1")
    with pytest.raises(ValueError, match="did you mean 'TitForTat'"):
        coopgym.policy("TitForTas", game)
    with pytest.raises(ValueError, match="train it first"):
        coopgym.policy("IPPO", game)
    with pytest.raises(ValueError, match="out of range"):
        coopgym.policy(1.2, game)
    with pytest.raises(TypeError, match="no policy can be made"):
        coopgym.policy({"rate": 1}, game)
    with pytest.raises(ValueError, match="does not play"):
        coopgym.policy(coopgym.policy(0.2, "TrustDilemma-v1"), game)
    with pytest.raises(ValueError, match="observations have shape"):
        coopgym.policy("TitForTat", game).act(np.zeros((2, 3)))


def test_a_trained_policy_takes_any_batch_and_is_the_same_in_a_stack(result):
    game, policy = result.game, result.policies[2]
    rows = seen(game, policy.observability, 0.3 * game.endowment, (2, 3))
    rows = rows + np.arange(6).reshape(2, 3, 1, 1) * 0.1
    whole = policy.act(rows)
    assert whole.shape == (2, 3, 2) and whole.dtype == np.float64
    assert ((whole >= 0) & (whole <= game.endowment)).all()
    np.testing.assert_allclose(policy.act(rows[1, 2]), whole[1, 2], rtol=1e-5)
    stack = type(policy).stack(result.policies)
    np.testing.assert_allclose(stack.act(np.broadcast_to(rows, (6, *rows.shape)))[2], whole, rtol=1e-5)
    np.testing.assert_allclose(stack[2].act(rows), whole)
    with pytest.raises(ValueError, match="stack of 6"):
        stack.act(rows[0, 0])
    policy.reseed(1)
    first = policy.act(rows, deterministic=False)
    policy.reseed(1)
    np.testing.assert_array_equal(policy.act(rows, deterministic=False), first)
    assert not np.allclose(first, whole)


def test_saved_and_loaded_policies_play_alike(result, tmp_path):
    game, policy = result.game, result.policies[3]
    rows = seen(game, policy.observability, 0.3 * game.endowment)
    policy.save(tmp_path / "one")
    for name in ("one", "one.json", "one.safetensors"):
        loaded = coopgym.load_policy(tmp_path / name, game)
        np.testing.assert_array_equal(loaded.act(rows), policy.act(rows))
    assert loaded.about["reward_mode"] == "integrated" and loaded.observability == "asymmetric"
    for spec in ("TitForTat", "Random", "Constant_7", [0.1, 0.9]):
        made = coopgym.policy(spec, game)
        made.save(tmp_path / "other")
        again = coopgym.load_policy(tmp_path / "other")
        rows = seen(game, made.observability, 0.3 * game.endowment)
        made.reseed(0)
        np.testing.assert_array_equal(again.act(rows), made.act(rows))
    result.save(tmp_path / "run")
    whole = coopgym.load_policy(tmp_path / "run")
    assert len(whole) == 6
    assert torch.equal(whole.theta[3], policy.theta[0])
    with pytest.raises(TypeError, match="function"):
        coopgym.policy(lambda o: o[..., 0], game).save(tmp_path / "code")
    assert not list(tmp_path.glob("**/.*")), "no temporary file is left"


def test_damaged_and_foreign_files_are_refused(result, tmp_path):
    policy = result.policies[0]
    policy.save(tmp_path / "p")
    with pytest.raises(FileNotFoundError):
        coopgym.load_policy(tmp_path / "absent")
    with pytest.raises(ValueError, match="was saved for"):
        coopgym.load_policy(tmp_path / "p", coopgym.game("SLCD-v1", max_steps=50))
    data = (tmp_path / "p.safetensors").read_bytes()
    (tmp_path / "p.safetensors").write_bytes(data[:-3] + b"abc")
    with pytest.raises(ValueError, match="checksum"):
        coopgym.load_policy(tmp_path / "p")
    (tmp_path / "p.safetensors").write_bytes(data)
    text = (tmp_path / "p.json").read_text()
    for damaged in (text[:-20], "[]", json.dumps({**json.loads(text), "format": "other"}),
                    json.dumps({**json.loads(text), "observability": "full"})):  # fmt: skip
        (tmp_path / "p.json").write_text(damaged)
        with pytest.raises(ValueError, match="not a readable policy"):
            coopgym.load_policy(tmp_path / "p")


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16, torch.int32, torch.bool])
def test_parameters_of_another_type_are_refused_on_loading(result, tmp_path, dtype):
    result.policies[0].save(tmp_path / "p")
    tensors = load_file(tmp_path / "p.safetensors")
    save_file({name: x.to(dtype) for name, x in tensors.items()}, tmp_path / "p.safetensors")
    data = (tmp_path / "p.safetensors").read_bytes()
    about = json.loads((tmp_path / "p.json").read_text()) | {"sha256": hashlib.sha256(data).hexdigest()}
    (tmp_path / "p.json").write_text(json.dumps(about))
    with pytest.raises(ValueError, match=r"its parameters are 3-dimensional torch\..*, not"):
        coopgym.load_policy(tmp_path / "p")


def test_saving_takes_the_place_of_saved_policies_only(result, tmp_path):
    policy = result.policies[0]
    (tmp_path / "llama.safetensors").write_text("weights of something else")
    (tmp_path / "notes.json").write_text('{"format": "mine"}')
    (tmp_path / "runs.json").write_text('{"my": "runs"}')
    before = {path.name: path.read_text() for path in tmp_path.iterdir()}
    for save in (lambda: policy.save(tmp_path / "llama"), lambda: policy.save(tmp_path / "notes.json"),
                 lambda: result.save(tmp_path)):  # fmt: skip
        with pytest.raises(ValueError, match=r"was not written by coopgym; move it away or give another name"):
            save()
        assert {path.name: path.read_text() for path in tmp_path.iterdir()} == before
    for _ in range(2):
        policy.save(tmp_path / "p")
        result.save(tmp_path / "result")
    assert coopgym.load_policy(tmp_path / "p").game.hash == policy.game.hash


def test_a_policy_for_a_game_of_ones_own_loads_with_that_game(tmp_path):
    own = replace(coopgym.game("SLCD-v1"), name="MyGame", options={"mine": 1})
    result = coopgym.train("IPPO", own, seeds=[0], reward_modes="private", total_steps=100, lanes=1, hidden=(4,))
    result.policies[0].save(tmp_path / "mine")
    assert torch.equal(coopgym.load_policy(tmp_path / "mine", own).theta, result.policies[0].theta)
    with pytest.raises(ValueError, match="unknown game 'MyGame-v1'"):
        coopgym.load_policy(tmp_path / "mine")


@pytest.mark.parametrize(("head", "outputs", "free"), [("squashed", 1, 0), ("squashed_gaussian_of_state", 2, 0)])
def test_other_heads_act_and_come_back_from_disk(head, outputs, free, tmp_path):
    game = coopgym.game("SLCD-v1")
    inputs = Encoder.of(game, "asymmetric").size
    network = Network(inputs, outputs, (4,), head_gain=1.0, free=free)
    theta = network.initial(2, [torch.Generator().manual_seed(0)])
    made = NetworkPolicy(game, "asymmetric", network, theta, stacked=False, about={})
    observations = seen(game, "asymmetric", [10.0, 60.0])
    sure, drawn = (made.act(observations, deterministic=d) for d in (True, False))
    z = network(theta, made.encoder(torch.as_tensor(observations).float()).transpose(0, 1).unsqueeze(0))[0, ..., 0].T
    np.testing.assert_allclose(sure, squash(z).double() * torch.as_tensor(game.endowment), rtol=1e-6)
    assert np.array_equal(sure, drawn) == (head == "squashed")  # a deterministic policy draws nothing
    made.save(tmp_path / "policy")
    about = json.loads((tmp_path / "policy.json").read_text())
    assert about["head"] == head
    np.testing.assert_array_equal(coopgym.load_policy(tmp_path / "policy").act(observations), sure)
    (tmp_path / "policy.json").write_text(json.dumps({**about, "head": "squashed_gaussian"}))
    with pytest.raises(ValueError, match="does not have the head"):
        coopgym.load_policy(tmp_path / "policy")


@pytest.mark.parametrize("head", ["bins", "categorical"])
def test_policies_of_bins_choose_levels_of_the_own_endowment_and_come_back_from_disk(head, tmp_path):
    game = coopgym.game("CoalitionFormation-v1")
    network = Network(Encoder.of(game, "asymmetric").size, 5, (4,))
    theta = network.initial(game.n, [torch.Generator().manual_seed(seed) for seed in (0, 1)])
    stack = NetworkPolicy.of(game, "asymmetric", network, theta, head=head)
    rows = seen(game, "asymmetric", 0.3 * game.endowment) + 0.1 * np.arange(5.0).reshape(5, 1, 1)
    both = np.broadcast_to(rows, (2, *rows.shape))
    sure, drawn = (stack.act(both, deterministic=d) for d in (True, False))
    x = stack.encoder(torch.as_tensor(rows).float()).transpose(0, 1)
    outputs = network(theta, x.expand(2, *x.shape))
    best = outputs.argmax(-1).transpose(1, 2).double() / 4.0
    np.testing.assert_allclose(sure, best * torch.as_tensor(game.endowment), rtol=1e-6)
    assert np.isin((drawn / game.endowment * 4.0).round(5), range(5)).all()
    assert np.array_equal(sure, drawn) == (head == "bins")  # the best bin is the best bin
    one = stack[1]
    assert one.head == head and one.fits(stack[0])
    np.testing.assert_array_equal(one.act(rows), sure[1])
    again = NetworkPolicy.stack([stack[0], stack[1]])
    np.testing.assert_array_equal(again.act(both), sure)
    assert not one.fits(NetworkPolicy(game, "asymmetric", network, theta[:1], stacked=False, about={},
                                      head="categorical" if head == "bins" else "bins"))  # fmt: skip
    stack.save(tmp_path / "policy")
    loaded = coopgym.load_policy(tmp_path / "policy")
    assert loaded.head == head
    np.testing.assert_array_equal(loaded.act(both), sure)
    about = json.loads((tmp_path / "policy.json").read_text())
    (tmp_path / "policy.json").write_text(json.dumps({**about, "head": "squashed"}))
    with pytest.raises(ValueError, match="does not have the head"):
        coopgym.load_policy(tmp_path / "policy")
    with pytest.raises(ValueError, match="does not have the head"):
        NetworkPolicy.of(game, "asymmetric", network, theta)


def test_a_categorical_policy_draws_as_often_as_its_softmax_says():
    game = coopgym.game("SLCD-v1")
    network = Network(Encoder.of(game, "asymmetric").size, 3, (4,))
    theta = 2.0 * network.initial(2, [torch.Generator().manual_seed(0)])
    made = NetworkPolicy(game, "asymmetric", network, theta, stacked=False, about={}, head="categorical")
    rows = seen(game, "asymmetric", 0.3 * game.endowment, (20_000,))
    actions = made.act(rows, deterministic=False)
    outputs = network(theta, made.encoder(torch.as_tensor(rows[:1]).float()).transpose(0, 1).unsqueeze(0))[0, :, 0]
    for i in range(2):
        shares = [(actions[:, i].round(3) == level).mean() for level in (0.0, 50.0, 100.0)]
        np.testing.assert_allclose(shares, torch.softmax(outputs[i], -1), atol=0.015)
