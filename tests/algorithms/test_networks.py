"""The squashed Gaussian, the stacked networks and their optimiser, against independent answers."""

import math

import numpy as np
import pytest
import torch

from coopgym.algorithms import distributions as gaussian
from coopgym.algorithms.networks import Network, orthogonal
from coopgym.algorithms.optim import Adam, clip


def generators(*seeds):
    return [torch.Generator().manual_seed(seed) for seed in seeds]


def normal_cdf(x):
    return 0.5 * (1.0 + math.erf(x / math.sqrt(2.0)))


@pytest.mark.parametrize("mean", [-3.0, 0.0, 3.0])
@pytest.mark.parametrize("std", [0.05, 0.5, 1.5])
def test_density_of_the_rate_and_its_boundary_masses_sum_to_one(mean, std):
    corner = math.atanh(1.0 / (1.0 + gaussian.OVERSHOOT))  # the z beyond which a rate is clipped
    masses = normal_cdf((-corner - mean) / std) + 1.0 - normal_cdf((corner - mean) / std)
    rates = (torch.arange(100_000, dtype=torch.float64) + 0.5) / 100_000
    z = torch.atanh((2.0 * rates - 1.0) / (1.0 + gaussian.OVERSHOOT))
    m, log_std = (torch.tensor(x, dtype=torch.float64) for x in (mean, math.log(std)))
    inside = gaussian.log_density_rate(z, m, log_std).exp().mean().item()
    assert inside + masses == pytest.approx(1.0, abs=1e-3)


def test_squash_reaches_both_corners_and_is_centred():
    z = torch.tensor([-30.0, -2.0, 0.0, 2.0, 30.0])
    assert gaussian.squash(z).tolist() == [0.0, 0.0, 0.5, 1.0, 1.0]


@pytest.mark.parametrize(("mean", "log_std"), [(0.0, -0.5), (1.2, 0.3), (-2.0, -2.0)])
def test_entropy_gradient_agrees_with_finite_differences_and_its_value_with_sampling(mean, log_std):
    point = torch.tensor([mean, log_std], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: gaussian.entropy(x[0], x[1]), (point,))
    z = mean + math.exp(log_std) * torch.randn(400_000, dtype=torch.float64, generator=generators(1)[0])
    m, s = point.detach()
    sampled = -gaussian.log_density_rate(z, m, s).mean().item()
    assert gaussian.entropy(m, s).item() == pytest.approx(sampled, abs=0.02)


def test_densities_stay_finite_far_out():
    z = torch.tensor([-30.0, 30.0])
    assert torch.isfinite(gaussian.log_density_rate(z, torch.zeros(2), torch.zeros(2))).all()
    assert torch.isfinite(gaussian.entropy(z, torch.zeros(2))).all()


def test_a_stack_of_networks_is_each_network_alone():
    network = Network(5, 2, (7, 6), "tanh", free=1)
    theta = network.initial(3, generators(0, 1))
    x = torch.randn(2, 3, 11, 5, generator=generators(9)[0])
    stacked = network(theta, x)
    for r in range(2):
        for g in range(3):
            layers = []
            for k, (weight, bias) in enumerate(network.layers(theta)):
                linear = torch.nn.Linear(*weight.shape[-2:])
                linear.weight.data, linear.bias.data = weight[r, g].T, bias[r, g, 0]
                layers += [linear, torch.nn.Tanh()] if k < 2 else [linear]
            alone = torch.nn.Sequential(*layers)(x[r, g])
            torch.testing.assert_close(stacked[r, g], alone)
    assert theta.shape == (2, 3, network.size) and network.free_parameters(theta).abs().max() == 0.0


def test_orthogonal_weights_are_orthogonal_and_a_single_head_has_the_same_values():
    weight = orthogonal((2, 8, 3), 2.0, generators(0)[0])
    torch.testing.assert_close(weight.mT @ weight, 4.0 * torch.eye(3).expand(2, 3, 3), atol=1e-5, rtol=0.0)
    network = Network(4, 1, (6,), "relu")
    theta, x = network.initial(1, generators(3)), torch.randn(1, 1, 5, 4, generator=generators(4)[0])
    (w1, b1), (w2, b2) = network.layers(theta)
    torch.testing.assert_close(network(theta, x), torch.relu(x @ w1 + b1) @ w2 + b2)


def test_adam_is_torch_adam_and_a_masked_replica_does_not_move():
    theta = torch.randn(3, 2, 5, generator=generators(0)[0])
    start = theta.clone()
    reference = torch.nn.Parameter(theta[0].clone())
    theirs, ours = torch.optim.Adam([reference], lr=0.01, eps=1e-5), Adam(theta)
    for k in range(5):
        gradient = torch.randn(3, 2, 5, generator=generators(k)[0])
        gradient[1] = math.nan
        reference.grad = gradient[0].clone()
        theirs.step()
        ours.step(gradient, 0.01, torch.tensor([True, False, k != 2]))
    torch.testing.assert_close(theta[0], reference.data)
    assert torch.equal(theta[1], start[1]) and torch.isfinite(ours.first).all()
    assert ours.steps.flatten().tolist() == [5.0, 0.0, 4.0]


def test_clipping_is_per_replica_and_group():
    gradient = torch.stack([torch.full((2, 4), 0.1), torch.full((2, 4), 10.0)])
    clipped, norm = clip(gradient, 0.5)
    np.testing.assert_allclose(norm, [[0.2, 0.2], [20.0, 20.0]], rtol=1e-6)
    torch.testing.assert_close(clipped[0], gradient[0])
    np.testing.assert_allclose(clipped[1].norm(dim=-1), 0.5, rtol=1e-5)


def test_layer_norm_is_that_of_torch_before_each_activation():
    network = Network(3, 2, (8, 6), "tanh", layer_norm=True)
    theta = network.initial(1, [torch.Generator().manual_seed(0)])
    x = torch.randn(1, 1, 5, 3, generator=torch.Generator().manual_seed(1))
    (w1, b1), (w2, b2), (w3, b3) = ((w[0, 0], b[0, 0]) for w, b in network.layers(theta))
    h = torch.tanh(torch.nn.LayerNorm(8)(x[0, 0] @ w1 + b1))
    h = torch.tanh(torch.nn.LayerNorm(6)(h @ w2 + b2))
    torch.testing.assert_close(network(theta, x)[0, 0], h @ w3 + b3)
