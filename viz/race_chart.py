"""The same gradient three ways: by paths, by memoised recursion, by one sweep; and Fibonacci by the same three ways."""
import random
from pathlib import Path

from tinygrad_edu import Value
from tinygrad_edu.dp import race
from tinygrad_edu.dp.race import Race


def mlp(sizes: list[int], x: list[float]) -> Value:
    """The output of micrograd's network of Values: relu in the hidden layers."""
    random.seed(0)
    values = [Value(v) for v in x]
    for width in sizes[1:]:
        sums = [sum((Value(random.uniform(-1, 1)) * v for v in values), Value(0.0)) for _ in range(width)]
        values = [s.relu() for s in sums] if width > 1 else sums
    return values[0]


def picture() -> Race:
    output = mlp([2, 16, 16, 16, 16, 16, 16, 1], [2.0, 3.0])
    return race(output, names={"an MLP 2-16-16-16-16-16-16-1": output})


if __name__ == "__main__":
    Path(__file__).with_suffix(".svg").write_text(picture().svg(), encoding="utf-8")
