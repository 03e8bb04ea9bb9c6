"""Where a cell's seconds go, by kind of operation."""

import by_operation
import torch
from by_operation import ADAPTER, ATTENTION, OTHER, OUTSIDE, WEIGHTS, Operation, Part


def test_each_second_is_of_one_kind() -> None:
    part = Part(10.0, [
        Operation("aten::mm", [[230, 576], [576, 1536]], 4.0, 8e9),
        Operation("aten::addmm", [[576], [230, 576], [576, 576]], 1.0, 2e9),
        Operation("aten::mm", [[230, 576], [576, 8]], 0.5, 1e9),
        Operation("aten::_scaled_dot_product_flash_attention_for_cpu", [[1, 9, 230, 64]], 0.5, 0),
        Operation("aten::silu", [[1, 230, 1536]], 2.0, 0),
    ])  # fmt: skip
    assert list(by_operation.table(part)) == [
        (WEIGHTS, 5.0, 2.0), (ADAPTER, 0.5, 2.0), (ATTENTION, 0.5, 0.0), (OTHER, 2.0, 0.0), (OUTSIDE, 2.0, 0.0)
    ]  # fmt: skip


def test_operations_of_a_call_are_noted_and_it_returns_what_it_did() -> None:
    parts: dict[str, Part] = {}
    product = by_operation.profiled(torch.mm, "product", parts)
    assert torch.equal(product(torch.eye(32), torch.ones(32, 32)), torch.ones(32, 32))
    (found,) = [each for each in parts["product"].operations if each.name == "aten::mm"]
    assert found.shapes == [[32, 32], [32, 32]]
    assert found.flops == 2 * 32**3
    assert found.seconds > 0
