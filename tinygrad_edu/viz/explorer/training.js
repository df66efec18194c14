// Several training steps: the loss and the weights over time, and where the network draws its boundary.

const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b58900", "#56b4e9", "#7a5195", "#767676"];
const LINES = 24, SIDE = 288;
const colour = k => COLOURS[k % COLOURS.length];

function pickFrame(k) {
  const before = graph;
  choose(k);
  showTraining();
  if (graph !== before) { unfoldWhatFits(); layOut(); }
  go(state.time, false);
  by("live").textContent = `Training step ${frame.step}, loss ${value(result())}`;
}

function showTraining() {
  by("training").hidden = DATA.frames.length < 2 && !DATA.map;
  if (by("training").hidden) return;
  Object.assign(by("frame"), { max: DATA.frames.length - 1, value: state.frame });
  by("frame").setAttribute("aria-valuetext", `step ${frame.step}`);
  by("epoch").textContent = `step ${frame.step} of ${DATA.losses.length - 1} · loss ${value(result())}`;
  const same = DATA.frames.filter(f => f.graph === frame.graph);
  const changes = k => unique(same.map(f => f.v[k])).length > 1;
  const weights = [...graph.name.keys()].filter(k => graph.op[k] < 0 && graph.solved.has(k) && changes(k));
  const size = text => Number(text.split("norm ").at(-1).replace(/^\[([^,]*)\]$/, "$1"));
  const drawn = weights.filter(k => Number.isFinite(size(value(k)))).slice(0, LINES);
  chart(by("losses"), [DATA.losses.map((loss, step) => [step, loss])]);
  chart(by("weights"), drawn.map(k => same.map(f => [f.step, size(f.v[k])])));
  by("drawn").textContent = (drawn.some(k => graph.shape[k]) ? "weights, arrays by their norms" : "weights") +
    (drawn.length < weights.length ? `: ${drawn.length} of ${weights.length}` : "");
  by("parameters").replaceChildren(row("th", ["weight", "value", "gradient"]), ...weights.slice(0, ROWS).map(k => {
    const dot = element("i", drawn.includes(k) ? { class: `c${drawn.indexOf(k) % COLOURS.length}` } : {});
    return row("td", [element("span", {}, dot, graph.name[k]), value(k), adjoint(k)]);
  }));
  if (DATA.map) drawMap();
}

// Each line is a list of [step, number]; a dot marks the step that is shown.
function chart(svg, lines) {
  const w = svg.clientWidth || 280, h = svg.clientHeight || 60;
  const known = line => line.filter(([, y]) => Number.isFinite(y));
  const [xs, ys] = [0, 1].map(i => lines.flatMap(known).map(point => point[i]));
  const [left, right, low, high] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const part = (at, from, to) => (at - from) / (to - from || 1);
  const place = ([x, y]) => [6 + (w - 12) * part(x, left, right), h - 6 - (h - 12) * part(y, low, high)];
  svg.setAttribute("viewBox", `0 0 ${w} ${h}`);
  svg.replaceChildren(...lines.flatMap((line, i) => {
    const at = known(line).find(([x]) => x === frame.step), [cx, cy] = at ? place(at) : [-9, -9];
    return [element("svg:polyline", { class: "chart", stroke: colour(i), points: known(line).map(place).join(" ") }),
      element("svg:circle", { cx, cy, r: 3.5, fill: colour(i) })];
  }));
}

function drawMap() {
  const canvas = by("map"), { grid, points, range } = DATA.map, paint = canvas.getContext("2d"), cell = SIDE / grid;
  Object.assign(canvas, { hidden: false, width: SIDE, height: SIDE });
  canvas.setAttribute("aria-label", `What the network makes of the plane, from ${range[0]} to ${range[1]} across ` +
    `and from ${range[2]} to ${range[3]} upwards, with ${points.length} points`);
  [...frame.field].forEach((sign, i) => {              // a-j one class, A-J the other, the later the surer; or a digit
    const sure = "abcdefghij".indexOf(sign.toLowerCase());
    paint.globalAlpha = sure < 0 ? 0.55 : 0.18 + 0.06 * sure;
    paint.fillStyle = colour(sure < 0 ? +sign : sign < "a" ? 1 : 0);
    paint.fillRect(i % grid * cell, Math.floor(i / grid) * cell, cell, cell);
  });
  Object.assign(paint, { globalAlpha: 1, strokeStyle: "#fff", lineWidth: 1.5 });
  for (const [x, y, kind] of points) {
    paint.beginPath();
    if (kind % 2) paint.rect(x * SIDE - 4, y * SIDE - 4, 8, 8); else paint.arc(x * SIDE, y * SIDE, 4.5, 0, 7);
    paint.fillStyle = colour(kind);
    paint.fill();
    paint.stroke();
  }
}
