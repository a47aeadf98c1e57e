"""Opponent shaping without games: a quadratic game, the iterated prisoner's dilemma, DiCE and known expectations."""

import torch

from coopgym.algorithms.dice import decay, dice_values, episode_starts, less_others_mean
from coopgym.algorithms.shaping import draw_others, naive_gradients, shaped_gradient

# --- T9 (a): two agents with quadratic values ------------------------------------------------------------------------


def quadratic():
    """V_i(x, y) = c_i x + d_i y + x' A_i x + x' B_i y + y' D_i y for x, y in R^3."""
    g = torch.Generator().manual_seed(0)
    c, d = (torch.randn(2, 3, generator=g, dtype=torch.float64) for _ in range(2))
    a, b, e = (torch.randn(2, 3, 3, generator=g, dtype=torch.float64) for _ in range(3))

    def values(theta):
        x, y = theta[..., 0, :], theta[..., 1, :]

        def form(left, matrix, right):
            return torch.einsum("...p,ipq,...q->...i", left, matrix, right)

        return x @ c.T + y @ d.T + form(x, a, x) + form(x, b, y) + form(y, e, y)

    return values, torch.randn(2, 3, generator=g, dtype=torch.float64)


def shaped_value(values, theta, i, eta):
    """V_i after the other's step, which central differences of V_j give (exact for a quadratic)."""
    j, h = 1 - i, 1e-3
    step = torch.zeros(3, dtype=torch.float64)
    for p in range(3):
        up, down = theta.clone(), theta.clone()
        up[j, p] += h
        down[j, p] -= h
        step[p] = (values(up)[j] - values(down)[j]) / (2.0 * h)
    moved = theta.clone()
    moved[j] += eta * step
    return values(moved)[i]


def test_the_shaped_gradient_matches_finite_differences():
    values, theta = quadratic()
    own, others = torch.tensor([0, 1]), torch.tensor([[1], [0]])
    for eta in (0.1, 1.0):
        direct, correction = shaped_gradient(theta.expand(2, 2, 3), own, others, eta, values)
        for i in (0, 1):
            expected, h = torch.zeros(3, dtype=torch.float64), 1e-4
            for p in range(3):
                up, down = theta.clone(), theta.clone()
                up[i, p] += h
                down[i, p] -= h
                expected[p] = (shaped_value(values, up, i, eta) - shaped_value(values, down, i, eta)) / (2.0 * h)
            torch.testing.assert_close(direct[i] + correction[i], expected, rtol=1e-4, atol=1e-8)
            assert correction[i].norm() > 1e-2


def test_in_first_order_the_correction_is_the_product_of_two_derivatives():
    values, theta = quadratic()
    hessian = torch.autograd.functional.hessian(lambda t: values(t)[1], theta)[0, :, 1, :]  # of V_1, by x and then y
    mine = torch.autograd.functional.jacobian(lambda t: values(t)[0], theta)
    worlds = theta.unsqueeze(0), torch.tensor([0]), torch.tensor([[1]])
    direct, correction = shaped_gradient(*worlds, 0.3, values, ahead=False)
    torch.testing.assert_close(direct[0], mine[0])
    torch.testing.assert_close(correction[0], 0.3 * hessian @ mine[1])


def test_without_look_ahead_it_is_the_naive_gradient_bit_for_bit():
    values, theta = quadratic()
    leaf = theta.clone().requires_grad_()
    (naive,) = torch.autograd.grad(values(leaf)[0], leaf)
    direct, correction = shaped_gradient(theta.unsqueeze(0), torch.tensor([0]), torch.tensor([[1]]), 0.0, values)
    assert torch.equal(direct[0] + correction[0], naive[0]) and not correction.any()


def test_every_opponent_follows_its_own_value():
    g = torch.Generator().manual_seed(1)
    weights = torch.randn(4, 4, 2, generator=g, dtype=torch.float64)  # of V_i by theta_j

    def values(theta):
        return torch.einsum("...jp,ijp->...i", theta.square(), weights)

    theta = torch.randn(1, 4, 2, generator=g, dtype=torch.float64)
    others = torch.tensor([[3, 1]])
    for k, j in enumerate((3, 1)):
        expected = 2.0 * theta[0, j] * weights[j, j]
        torch.testing.assert_close(naive_gradients(theta.requires_grad_(), others, values)[0, k], expected)


# --- T9 (b): the iterated prisoner's dilemma with memory one ---------------------------------------------------------

PAYOFF = torch.tensor([[-1.0, -1.0], [-3.0, 0.0], [0.0, -3.0], [-2.0, -2.0]], dtype=torch.float64)  # CC CD DC DD
GAMMA = 0.96


def dilemma(theta):
    """Values [..., 2] of logits [..., 2, 5]: start, then after CC, CD, DC, DD as the agent itself sees it."""
    p = torch.sigmoid(theta)
    mine, yours = p[..., 0, :], p[..., 1, [0, 1, 3, 2, 4]]  # the second agent's CD is the first one's DC
    joint = torch.stack([mine * yours, mine * (1 - yours), (1 - mine) * yours, (1 - mine) * (1 - yours)], -1)
    start, transition = joint[..., 0, :], joint[..., 1:, :]
    eye = torch.eye(4, dtype=theta.dtype)
    visits = torch.linalg.solve(eye - GAMMA * transition.mT, start.unsqueeze(-1)).squeeze(-1)
    return visits @ PAYOFF


def played(eta):
    theta = torch.stack(
        [torch.randn(2, 5, generator=torch.Generator().manual_seed(s), dtype=torch.float64) for s in range(50)]
    )
    own, others = torch.tensor([0, 1]).repeat(50), torch.tensor([[1], [0]]).repeat(50, 1)
    for _ in range(400):
        direct, correction = shaped_gradient(theta.repeat_interleave(2, 0), own, others, eta, dilemma)
        theta = theta + (direct + correction).reshape(50, 2, 5)
    return (1.0 - GAMMA) * dilemma(theta).mean()


def test_lola_cooperates_in_the_iterated_prisoners_dilemma_and_naive_learners_do_not():
    assert played(0.0) < -1.9
    assert played(1.0) > -1.3


# --- DiCE ------------------------------------------------------------------------------------------------------------


def two_steps(worlds=400, lanes=500, discount=0.9):
    """z ~ N(theta_n, 1) at two steps; r_i = a_i z_0 z'_0, then b_i z_0 z'_1 + 3: V_i = (a_i + g b_i) x y + 3 g."""
    a, b = torch.tensor([1.0, -0.5]), torch.tensor([0.5, 1.0])
    theta = torch.tensor([0.4, -0.7])
    g = torch.Generator().manual_seed(3)
    z = theta.reshape(1, 2, 1, 1) + torch.randn(worlds, 2, 2, lanes, generator=g)
    first, later = z[:, 0, 0] * z[:, 1, 0], z[:, 0, 0] * z[:, 1, 1]
    rewards = torch.stack([torch.stack([a[i] * first, b[i] * later + 3.0], 1) for i in (0, 1)], 1)
    ended = torch.tensor([False, True]).reshape(1, 2, 1).expand(worlds, 2, lanes)
    returns = torch.stack([rewards[:, :, 0] + discount * rewards[:, :, 1], rewards[:, :, 1]], 2)
    gains = less_others_mean(returns) * decay(ended, discount).unsqueeze(1)

    def values(rows):
        def function(params):  # [B, C, 2, 1]
            flat = params.flatten(0, 1).unsqueeze(-1)
            c = params.shape[1]
            seen, gain, end = (x[:, ..., rows].repeat_interleave(c, 0) for x in (z, gains, ended))
            return dice_values(-0.5 * (seen - flat).square(), gain, end).reshape(params.shape[:3])

        return function

    return theta, a + discount * b, values


def assert_estimates(samples, expected):
    """The mean over worlds is the expected number, within four standard errors that are small enough to tell."""
    error = samples.std(0) / len(samples) ** 0.5
    assert error < 0.05
    assert abs(samples.mean(0) - expected) < 4.0 * error


def test_dice_estimates_the_gradient_and_the_mixed_second_derivative():
    theta, slope, values = two_steps()
    params = theta.reshape(1, 1, 2, 1).repeat(400, 1, 1, 1).requires_grad_()
    worth = values(slice(None))(params)
    for i in (0, 1):
        (gradient,) = torch.autograd.grad(worth[:, 0, i].sum(), params, create_graph=True)
        assert_estimates(gradient[:, 0, 0, 0].detach(), slope[i] * theta[1])
        assert_estimates(gradient[:, 0, 1, 0].detach(), slope[i] * theta[0])
        (second,) = torch.autograd.grad(gradient[:, 0, 1].sum(), params, retain_graph=True)
        assert_estimates(second[:, 0, 0, 0], slope[i])


def test_the_correction_from_two_halves_of_the_lanes_is_not_biased():
    theta, slope, values = two_steps()
    params = theta.reshape(1, 2, 1).repeat(400, 1, 1)
    own, others = torch.zeros(400, dtype=torch.long), torch.ones(400, 1, dtype=torch.long)
    halves = slice(0, 250), slice(250, 500)
    direct, correction = shaped_gradient(params, own, others, 1.0, *(values(h) for h in halves), ahead=False)
    assert_estimates(direct[:, 0], slope[0] * theta[1])
    assert_estimates(correction[:, 0], slope[1] * slope[0] * theta[0])


def test_episodes_and_their_weights():
    ended = torch.tensor([0, 1, 0, 0, 1, 0], dtype=torch.bool).reshape(1, 6, 1)
    assert episode_starts(ended).flatten().tolist() == [0, 0, 2, 2, 2, 5]
    assert decay(ended, 0.5).flatten().tolist() == [1.0, 0.5, 1.0, 0.5, 0.25, 1.0]
    assert less_others_mean(torch.tensor([1.0, 2.0, 6.0])).tolist() == [-3.0, -1.5, 4.5]


def test_nothing_of_the_next_episode_reaches_an_action():
    ended = torch.tensor([0, 1, 0, 1], dtype=torch.bool).reshape(1, 4, 1)
    log_density = torch.zeros(1, 1, 4, 1, requires_grad=True)
    gains = torch.tensor([1.0, 2.0, 30.0, 400.0]).reshape(1, 1, 4, 1)
    (slope,) = torch.autograd.grad(dice_values(log_density, gains, ended).sum(), log_density)
    assert slope.flatten().tolist() == [1.0, 2.0, 30.0, 400.0]


# --- whom an agent shapes --------------------------------------------------------------------------------------------


def generators(seeds):
    return [torch.Generator().manual_seed(s) for s in seeds]


def test_everybody_else_or_a_few_of_them_drawn_by_the_replica_itself():
    all_of_them = draw_others(3, 4, generators([0]))
    assert all_of_them.tolist() == [[[1, 2], [0, 2], [0, 1]]]
    few = draw_others(40, 4, generators([0, 1]))
    assert few.shape == (2, 40, 4)
    for i in range(40):
        for r in (0, 1):
            assert i not in few[r, i] and len(set(few[r, i].tolist())) == 4
    assert torch.equal(draw_others(40, 4, generators([1])), few[1:])
