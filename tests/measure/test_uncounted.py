"""Work that no formula counts is named, and ordinary work is not."""

from collections.abc import Callable

import pytest
import torch
from counted import Projection
from torch import Tensor, nn
from toys import SIZE, costs, job, one_module, two_layers

from ablate.measure import measure


def test_work_on_parameters_that_no_formula_covers_is_named() -> None:
    # torch has no formula for a matrix times a vector; norms and look-ups are no such work
    found = measure(one_module(Projection, 4, SIZE), job())
    assert found.uncounted == ("mv",)
    assert costs(found)["macs"] == 0


@pytest.mark.parametrize(
    ("name", "use"),
    [
        ("dot", lambda x: x[0].dot(x[0])),
        ("vdot", lambda x: x[0].vdot(x[0])),
        ("mv", lambda x: x @ x[0]),
        ("addmv", lambda x: torch.addmv(x[0], x, x[0])),
        ("addr", lambda x: torch.addr(x, x[0], x[0])),
        ("_euclidean_dist", lambda x: torch.cdist(x.repeat(2, 1), x)),
        ("_fft_r2c", torch.fft.rfft),
        ("linalg_inv_ex", torch.linalg.inv),
        ("linalg_cholesky_ex", torch.linalg.cholesky),
        ("_linalg_svd", torch.linalg.svdvals),
        ("linalg_qr", lambda x: torch.linalg.qr(x).R),
        ("linalg_lu_factor_ex", lambda x: torch.linalg.lu_factor(x)[0]),
    ],
)
def test_products_without_a_formula_are_named_though_they_read_activations_alone(
    name: str, use: Callable[[Tensor], Tensor]
) -> None:
    square = torch.eye(SIZE)
    found = measure(two_layers(lambda a, b, x: (a(x) + b(x)).sum() + use(square).sum()), job())
    assert name in found.uncounted


def test_a_norm_a_sum_and_a_sampling_of_activations_are_not_named() -> None:
    def cheap(a: nn.Module, b: nn.Module, x: Tensor) -> Tensor:
        y = a(x) + b(x)
        return y / torch.linalg.vector_norm(y) + y.sum() + y.cumsum(1)

    assert measure(two_layers(cheap), job()).uncounted == ()


def test_a_foreign_kernel_without_a_formula_is_named() -> None:
    @torch.library.custom_op("toys::double", mutates_args=())
    def double(x: Tensor) -> Tensor:
        return x * 2

    @double.register_fake
    def _(x: Tensor) -> Tensor:
        return torch.empty_like(x)

    found = measure(two_layers(lambda a, b, x: double(a(x)) + b(x)), job())
    assert (found.uncounted, found.inert) == (("double",), ())
