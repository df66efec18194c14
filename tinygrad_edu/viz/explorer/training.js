// Several training steps: the loss and the weights over time, and where the network draws its boundary.

const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b58900", "#56b4e9", "#7a5195", "#767676"];
const LINES = 24;

function pickFrame(k) {
  const before = graph;
  choose(Math.max(0, Math.min(DATA.frames.length - 1, k)));
  prepareOnce();
  state.time = Math.min(state.time, steps());
  showTraining();
  if (graph !== before) { unfoldWhatFits(); layOut(); }
  show(false);
  by("live").textContent = `Training step ${frame.step}, loss ${frame.v[graph.sweep[0][0]]}`;
}

function prepareOnce() { if (!graph.forward) prepare(graph); }

function showTraining() {
  const many = DATA.frames.length > 1;
  by("training").hidden = !many && !DATA.map;
  if (by("training").hidden) return;
  const input = by("frame"), weights = [...graph.name.keys()].filter(k => ["parameter", "leaf"].includes(graph.kind[k]) && graph.solved.has(k));
  Object.assign(input, { max: DATA.frames.length - 1, value: state.frame });
  input.setAttribute("aria-valuetext", `step ${frame.step}`);
  const loss = frame.v[graph.sweep[0][0]];
  by("epoch").textContent = `step ${frame.step} of ${DATA.losses.length - 1} · loss ${loss}`;
  chart(by("losses"), [DATA.losses.map((y, x) => [x, y])], frame.step);
  const size = text => Number(text.includes("norm") ? text.split("norm ")[1] : text);
  const same = DATA.frames.filter(f => f.graph === frame.graph);
  const moving = weights.filter(k => new Set(same.map(f => f.v[k])).size > 1), drawn = moving.filter(k => Number.isFinite(size(frame.v[k]))).slice(0, LINES);
  chart(by("weights"), drawn.map(k => same.map(f => [f.step, size(f.v[k])])), frame.step);
  by("drawn").textContent = drawn.some(k => graph.shape[k]) ? "weights (norms)" : "weights" + (drawn.length < moving.length ? `: ${drawn.length} of ${moving.length}` : "");
  by("parameters").replaceChildren(row("th", ["weight", "value", "gradient"]), ...moving.slice(0, ROWS).map(k => row("td", [graph.name[k], frame.v[k], adjoint(k)])));
  [...by("parameters").rows].slice(1).forEach((tr, i) => { if (i < drawn.length) tr.cells[0].prepend(element("i", { class: `c${i % COLOURS.length}` })); });
  if (DATA.map) drawMap();
}

function chart(svg, lines, at) {
  const w = svg.clientWidth || 280, h = svg.clientHeight || 60, points = lines.flat().filter(([, y]) => Number.isFinite(y)), ys = points.map(([, y]) => y), xs = points.map(([x]) => x);
  const [low, high, begin, end] = [Math.min(...ys), Math.max(...ys), Math.min(...xs), Math.max(...xs)];
  const place = ([x, y]) => [6 + (w - 12) * (x - begin) / (end - begin || 1), h - 6 - (h - 12) * (y - low) / (high - low || 1)].map(v => v.toFixed(1)).join();
  svg.setAttribute("viewBox", `0 0 ${w} ${h}`);
  svg.replaceChildren(...lines.map((line, i) => element("svg:polyline", { class: "chart", stroke: COLOURS[i % COLOURS.length], points: line.filter(([, y]) => Number.isFinite(y)).map(place).join(" ") })),
    ...lines.map((line, i) => { const [x, y] = place(line.find(([x]) => x === at) ?? line[0]).split(","); return element("svg:circle", { cx: x, cy: y, r: 3.5, fill: COLOURS[i % COLOURS.length] }); }));
}

function drawMap() {
  const canvas = by("map"), { grid, points, range } = DATA.map, paint = canvas.getContext("2d"), side = 288, cell = side / grid;
  Object.assign(canvas, { hidden: false, width: side, height: side });
  canvas.setAttribute("aria-label", `What the network makes of the plane, from ${range[0]} to ${range[1]} across and ${range[2]} to ${range[3]} up, with ${points.length} points`);
  [...frame.field].forEach((sign, i) => {
    const level = "abcdefghij".indexOf(sign.toLowerCase()), kind = level < 0 ? +sign : sign < "a" ? 1 : 0;
    paint.globalAlpha = level < 0 ? 0.55 : 0.18 + 0.06 * level;
    paint.fillStyle = COLOURS[kind % COLOURS.length];
    paint.fillRect(i % grid * cell, Math.floor(i / grid) * cell, cell, cell);
  });
  paint.globalAlpha = 1;
  for (const [x, y, kind] of points) {
    paint.beginPath();
    if (kind % 2) paint.rect(x * side - 4, y * side - 4, 8, 8); else paint.arc(x * side, y * side, 4.5, 0, 7);
    Object.assign(paint, { fillStyle: COLOURS[kind % COLOURS.length], strokeStyle: "#fff", lineWidth: 1.5 });
    paint.fill();
    paint.stroke();
  }
}
