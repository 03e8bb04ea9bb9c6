"""How much slower a multiplication is in attention with a mask than in a product of matrices, on this machine.

The rule that cuts a batch into trees (``data.batching.split_tree``) weighs comparisons of tokens against products with
the model's weights by this ratio (``models.token_tree.SLOWER``). Both sides run in turn, forward and backward, with the
shapes of the embedded model: 9 heads of width 64, matrices of 576 x 1,536.

    OMP_NUM_THREADS=1 python benchmarks/masked.py
"""

import argparse
import time
from collections.abc import Callable
from statistics import median

import torch
from torch.nn.functional import scaled_dot_product_attention

HEADS, WIDTH, HIDDEN, INNER = 9, 64, 576, 1536
FORWARD_AND_BACKWARD = 3  # a product has two more of its size behind it: the gradients of both factors


def seconds(block: Callable[[], None], times: int) -> float:
    """Return the median of the processor seconds that a block takes."""
    taken = []
    for _ in range(times):
        before = time.process_time()
        block()
        taken.append(time.process_time() - before)
    return median(taken)


def attention(nodes: int) -> Callable[[], None]:
    """Return a block that runs attention of so many nodes with a dense mask, and its gradients."""
    query, key, value = (torch.randn(1, HEADS, nodes, WIDTH, requires_grad=True) for _ in range(3))
    mask = torch.zeros(1, 1, nodes, nodes).masked_fill(torch.rand(nodes, nodes) < 0.5, -torch.inf)
    mask[..., 0] = 0.0  # no row without a node to see
    return lambda: scaled_dot_product_attention(query, key, value, attn_mask=mask).sum().backward()


def product(nodes: int) -> Callable[[], None]:
    """Return a block that multiplies so many rows with a matrix, and computes both gradients."""
    rows = torch.randn(nodes, HIDDEN, requires_grad=True)
    weight = torch.randn(HIDDEN, INNER, requires_grad=True)
    return lambda: (rows @ weight).sum().backward()


def main() -> None:
    """Print a line for each number of nodes: both rates and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, nargs="+", default=[128, 256, 512, 1024, 2048])
    parser.add_argument("--times", type=int, default=9)
    args = parser.parse_args()
    torch.manual_seed(0)
    print("| nodes | attention GFLOP/s | product GFLOP/s | how much slower |\n|---:|---:|---:|---:|")
    for nodes in args.nodes:
        compared = FORWARD_AND_BACKWARD * 2 * 2 * HEADS * WIDTH * nodes**2
        multiplied = FORWARD_AND_BACKWARD * 2 * HIDDEN * INNER * nodes
        rates = [
            work / seconds(block(nodes), args.times) / 1e9
            for work, block in ((compared, attention), (multiplied, product))
        ]
        print(f"| {nodes:,} | {rates[0]:.1f} | {rates[1]:.1f} | {rates[1] / rates[0]:.2f} |")


if __name__ == "__main__":
    main()
