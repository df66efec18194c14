"""Three ways to multiply the Jacobians of four layers with a waist, all matrices drawn to scale: the cheapest is
neither forward nor reverse mode."""
from pathlib import Path

from tinygrad_edu.dp import bracketing
from tinygrad_edu.dp.chains import Tree, Way, span

SIZES = [30, 40, 3, 40, 30]
WIDTH, ROW, GREY = 300, 84, "#767676"                  # of a panel, from one product to the next; a pixel is a row


def text(x: float, y: float, words: str, size: int = 13, weight: str = "normal", at: str = "middle") -> str:
    return (f'<text x="{x:g}" y="{y:g}" font-size="{size}" font-weight="{weight}" fill="{GREY}" '
            f'text-anchor="{at}">{words}</text>')


def panel(way: Way, best: int) -> list[str]:
    """The Jacobians in a row, last layer first, and below them each product with the multiplications that it takes."""
    cheapest = way.cost == best
    tint = ("#d9efe6", "#00795a") if cheapest else ("#fbe6b8", "#a86a00")
    out = [text(WIDTH / 2, 18, f"{way.name}: {way.cost:,}", 14, "bold"),
           text(WIDTH / 2, 36, f"{way}" + ("" if cheapest else f", {way.cost / best:.1f} times the work"), 12)]

    def put(tree: Tree) -> tuple[float, float, float]:
        """Draw a product; its centre, and where a line leaves it."""
        first, last = span(tree)
        rows, columns = SIZES[last], SIZES[first - 1]
        shape = f"{rows} × {columns}"
        if isinstance(tree, int):
            x, y, below, look = 38.0 + 75 * (4 - tree), 86.0, 131.0, ("#d5e9f7", "#0072b2")
            out.extend([text(x, 60, f"J{tree}", weight="bold"), text(x, 123, shape, 11)])
        else:
            (ax, ay, a_below), (bx, by, b_below) = put(tree[0]), put(tree[1])
            x, y, look = (ax + bx) / 2, max(ay, by) + ROW, tint
            top, below, beside = y - rows / 2 - 3, y + rows / 2 + 3, x + columns / 2 + 8
            work = rows * SIZES[span(tree[1])[1]] * columns
            out.append(f'<path d="M{ax:g} {a_below:g}L{x:g} {top:g}L{bx:g} {b_below:g}" fill="none" stroke="{GREY}"/>')
            out.append(text(beside, y - 2, f"{work:,}", 12, "bold", "start"))
            out.append(text(beside, y + 13, shape, 11, at="start"))
        out.append(f'<rect x="{x - columns / 2:g}" y="{y - rows / 2:g}" width="{columns}" height="{rows}" rx="1.5" '
                   f'fill="{look[0]}" stroke="{look[1]}" stroke-width="1.5"/>')
        return x, y, below

    put(way.tree)
    return out


def picture() -> str:
    ways = bracketing(SIZES).ways
    height = 86 + ROW * (len(SIZES) - 2) + 30
    panels = [f'<g transform="translate({10 + k * (WIDTH + 20)} 0)">' + "\n".join(panel(way, ways[-1].cost)) + "</g>"
              for k, way in enumerate(ways)]
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{3 * (WIDTH + 20)}" height="{height}" role="img" '
            f'viewBox="0 0 {3 * (WIDTH + 20)} {height}" font-family="Arial,Helvetica,sans-serif">\n'
            "<title>Multiplications for the product of four Jacobians, bracketed in three ways</title>\n"
            + "\n".join(panels) + "\n</svg>\n")


if __name__ == "__main__":
    Path(__file__).with_suffix(".svg").write_text(picture(), encoding="utf-8")
