"""Functions of tensors whose result for a replica does not depend on how many others lie in the same tensor.

A CPU computes most of a tensor in blocks of several elements at once, and what is left over at its end (or at the end
of a thread's part) one by one. For sums and products both ways give the same bits. For some other functions they do
not: in PyTorch these are silu, sigmoid, softplus, elu, logaddexp, powers, and their derivatives. What a replica
learns would then depend on how many others are trained beside it, because that decides which of its elements are left
over. Here such a function is computed on a tensor with so many elements that none is. Their derivatives are too,
because they are taken of the longer tensor.

exp, expm1, log, log1p, tanh and sqrt need no such care, and on other devices than a CPU nothing does.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.nn.functional import pad

BLOCK = 64  # elements; a multiple of what any CPU computes at once: two vectors, of 16 floats with AVX-512
LINE = 16  # floats of a cache line
GRAIN = 32768  # elements for which PyTorch employs one more thread


@contextmanager
def threads(count: int) -> Iterator[None]:
    """torch with so many threads inside the block; more than one spin against each other on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def pointwise(function: Callable[..., Tensor], *arguments: Tensor) -> Tensor:
    """``function`` of tensors of one shape, element by element, the same bits wherever an element lies."""
    first = arguments[0]
    if first.device.type != "cpu" or torch.compiler.is_compiling():  # no learner compiles
        return function(*arguments)
    count = first.numel()
    missing = padding(count, torch.get_num_threads())
    if not missing:
        return function(*(x.contiguous() for x in arguments))
    flat = [torch.cat([x.reshape(-1), x.new_ones(missing)]) for x in arguments]
    return function(*flat)[:count].view(first.shape)


@functools.lru_cache(4096)
def padding(count: int, threads: int) -> int:
    """How many elements more than ``count`` make the part of each of ``threads`` threads a whole number of blocks."""
    total = -(-count // BLOCK) * BLOCK
    while total % (BLOCK * max(1, min(threads, -(-total // GRAIN)))):
        total += BLOCK
    return total - count


def silu(x: Tensor) -> Tensor:
    """x sigmoid(x)."""
    return pointwise(torch.nn.functional.silu, x)


def softplus(x: Tensor) -> Tensor:
    """log(1 + exp(x))."""
    return pointwise(torch.nn.functional.softplus, x)


def elu(x: Tensor) -> Tensor:
    """x where it is positive, else exp(x) - 1."""
    return pointwise(torch.nn.functional.elu, x)


def logaddexp(x: Tensor, y: Tensor) -> Tensor:
    """log(exp(x) + exp(y))."""
    return pointwise(torch.logaddexp, x, y)


def products(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``x [K, B, i]`` times ``weight [K, i, o]``, plus ``bias [K, 1, o]``: the same bits whatever K and the threads.

    The CPU's library chooses how to compute a product by where the result lies in memory, by whether it is a row, and
    for a single product by the number of threads. So results, and those of the derivative by the weights, get columns
    more until all begin at a whole cache line; a row gets a second one beside it; and a single product that several
    threads would share gets a companion.
    """
    if x.device.type != "cpu":
        return torch.bmm(x, weight) if bias is None else torch.baddbmm(bias, x, weight)
    count, rows, outputs = x.shape[0], x.shape[1], weight.shape[-1]
    short = lacking(outputs, rows, x.shape[2])
    single, alone = rows == 1, count == 1 and torch.get_num_threads() > 1
    if short:
        weight = pad(weight, (0, short))
        bias = None if bias is None else pad(bias, (0, short))
    if single:
        x = pad(x, (0, 0, 0, 1))
    if alone:
        x, weight = x.expand(2, -1, -1), weight.expand(2, -1, -1)
        bias = None if bias is None else bias.expand(2, -1, -1)
    y = torch.bmm(x, weight) if bias is None else torch.baddbmm(bias, x, weight)
    return y[:count, :rows, :outputs] if short or single or alone else y


@functools.lru_cache(4096)
def lacking(outputs: int, rows: int, inputs: int) -> int:
    """How many columns more than ``outputs`` make ``rows`` and ``inputs`` rows fill whole cache lines."""
    return next(more for more in range(LINE) if not (outputs + more) * math.gcd(rows, inputs, LINE) % LINE)


def product(x: Tensor, matrix: Tensor) -> Tensor:
    """``x [R, N, ..., i]`` times ``matrix [i, o]``, apart for each of the first two axes.

    As one product of all rows, what a row gives would depend on how many others there are.
    """
    rows = x.reshape(x.shape[0] * x.shape[1], -1, x.shape[-1])
    return products(rows, matrix.expand(len(rows), -1, -1)).reshape(*x.shape[:-1], matrix.shape[-1])


def power(x: Tensor, exponent: float) -> Tensor:
    """x to a fixed power."""
    return pointwise(lambda y: y**exponent, x)


def exponential(base: float, x: Tensor) -> Tensor:
    """A fixed base to the power x."""
    return pointwise(lambda y: base**y, x)
