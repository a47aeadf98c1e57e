"""Functions and products: the bits of a part do not depend on the rest, nor on the number of threads."""

import random

import pytest
import torch
from torch.nn.functional import elu, silu, softplus

from coopgym import numerics

POINTWISE = {
    "silu": (numerics.silu, silu),
    "softplus": (numerics.softplus, softplus),
    "elu": (numerics.elu, elu),
    "logaddexp": (lambda x: numerics.logaddexp(x, 0.3 * x - 1.0), lambda x: torch.logaddexp(x, 0.3 * x - 1.0)),
    "power": (lambda x: numerics.power(x.abs() + 0.1, 0.75), lambda x: (x.abs() + 0.1) ** 0.75),
    "exponential": (lambda x: numerics.exponential(0.97, 10.0 * x), lambda x: 0.97 ** (10.0 * x)),
}


def slopes(function, x):
    """The values, the first and the second derivative of a function of each element."""
    x = x.detach().requires_grad_()
    y = function(x)
    (first,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), x)
    return [z.detach() for z in (y, first, second)]


def bits(x):
    return x.detach().contiguous().numpy().tobytes()


@pytest.fixture
def threads():
    """Sets the number of threads, and puts back what it was."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.mark.parametrize("name", POINTWISE)
def test_a_function_gives_an_element_the_same_bits_wherever_it_lies(name):
    ours, theirs = POINTWISE[name]
    x = 3.0 * torch.randn(3, 5, 41, generator=torch.Generator().manual_seed(0))
    whole = slopes(ours, x)
    for mine, usual in zip(whole, slopes(theirs, x), strict=True):
        torch.testing.assert_close(mine, usual, atol=1e-6, rtol=1e-5)
    for part in ((slice(1, 2),), (slice(None), slice(2, 3)), (..., slice(3, 10)), (2, 4, slice(40, 41))):
        for mine, alone in zip(whole, slopes(ours, x[part]), strict=True):
            assert bits(mine[part]) == bits(alone)
    assert bits(ours(x.movedim(0, -1)).movedim(-1, 0)) == bits(whole[0])


@pytest.mark.parametrize("count", [1, 63, 64, 65, 32_768, 32_769, 100_001, 131_072, 300_000])
@pytest.mark.parametrize("threads", [1, 2, 3, 7, 16])
def test_the_part_of_every_thread_is_whole_blocks(count, threads):
    total = count + numerics.padding(count, threads)
    parts = max(1, min(threads, -(-total // numerics.GRAIN)))
    assert total % (numerics.BLOCK * parts) == 0
    assert total - count < numerics.BLOCK * (threads + 1)


def test_two_threads_give_a_function_the_same_bits_as_one(threads):
    x = torch.randn(100_003, generator=torch.Generator().manual_seed(1))
    found = []
    for count in (1, 2):
        threads(count)
        found.append([bits(y) for y in slopes(numerics.silu, x)])
    assert found[0] == found[1]


def product_and_slopes(x, weight, bias, upstream):
    """The product and its derivatives by what was multiplied."""
    x, weight, bias = (y.detach().requires_grad_() for y in (x, weight, bias))
    y = numerics.products(x, weight, bias)
    return [y, *torch.autograd.grad(y, (x, weight, bias), upstream)]


@pytest.mark.parametrize("seed", range(3))
def test_a_product_has_the_same_bits_beside_others_and_with_more_threads(seed, threads):
    g, rng = torch.Generator().manual_seed(seed), random.Random(seed)
    for _ in range(60):
        count, rows = rng.choice([1, 2, 3, 5]), rng.choice([1, 2, 5, 6, 8, 37, 45, 64, 66, 128, 264])
        inputs, outputs = rng.choice([3, 7, 8, 16, 19, 33, 64]), rng.choice([1, 2, 7, 8, 16, 21, 22, 33, 64])
        x, upstream = (
            torch.randn(4, count, rows, inputs, generator=g),
            torch.randn(4, count, rows, outputs, generator=g),
        )
        theta = torch.randn(4, count, inputs * outputs + 3, generator=g)  # weights that begin anywhere
        weight = theta[..., 3:].reshape(4, count, inputs, outputs)
        bias = torch.randn(4, count, 1, outputs, generator=g)
        threads(1)
        whole = product_and_slopes(*(y.flatten(0, 1) for y in (x, weight, bias, upstream)))
        wanted = torch.baddbmm(bias.flatten(0, 1), x.flatten(0, 1), weight.flatten(0, 1))
        torch.testing.assert_close(whole[0], wanted, atol=1e-4, rtol=1e-4)
        for r, many in ((0, 1), (3, 1), (2, 2)):
            threads(many)
            alone = product_and_slopes(*(y[r].clone() for y in (x, weight, bias, upstream)))
            assert [bits(y) for y in alone] == [bits(y[r * count : (r + 1) * count]) for y in whole]


def test_a_product_by_one_matrix_does_not_depend_on_the_number_of_rows():
    g = torch.Generator().manual_seed(0)
    for inputs, outputs in ((8, 7), (22, 21), (64, 33)):
        x, matrix = torch.randn(5, 3, 4, 11, inputs, generator=g), torch.randn(inputs, outputs, generator=g)
        whole = numerics.product(x, matrix)
        torch.testing.assert_close(whole, x @ matrix, atol=1e-4, rtol=1e-4)
        for r in range(5):
            assert bits(numerics.product(x[r : r + 1], matrix)) == bits(whole[r])
