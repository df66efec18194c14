// The drawing: what is visible, laid out by Graphviz in a worker, drawn as SVG, and marked at each step.

const CHAR = 7.3, LINE = 16, READABLE = 45, MANY = 400;
const view = { x: 0, y: 0, width: 1, height: 1, scale: 1, whole: [1, 1] };
let shown = { nodes: new Map(), clusters: new Map(), edges: [] };

// ---- folding --------------------------------------------------------------------------------------------------------

const isGroup = item => typeof item === "string";
const numberOf = group => +group.slice(1);
const around = item => isGroup(item) ? graph.groups[numberOf(item)].parent : graph.group[item];

// The folded group that stands for a node, or the node itself.
function standIn(node) {
  let stands = node;
  for (let k = graph.group[node]; k > 0; k = graph.groups[k].parent) if (!state.open.has(k)) stands = "g" + k;
  return stands;
}

const isOpen = item => isGroup(item) && state.open.has(numberOf(item));

function visible(k = 0) {
  return graph.inside[k].flatMap(item => isOpen(item) ? visible(numberOf(item)) : [item]);
}

// Open layers from the outside in, one level after the other, while what they hold still fits on a page.
function unfoldWhatFits(limit = READABLE) {
  state.open.clear();
  for (;;) {
    const closed = visible().filter(isGroup).map(numberOf);
    closed.forEach(k => state.open.add(k));
    if (closed.length && visible().length <= limit) continue;
    closed.forEach(k => state.open.delete(k));
    return;
  }
}

function reveal(node) {
  for (let k = graph.group[node]; k > 0; k = graph.groups[k].parent) state.open.add(k);
}

function fold(k, open) {
  if (open) state.open.add(k); else state.open.delete(k);
  return layOut((open ? "c" : "g") + k);
}

// ---- layout ---------------------------------------------------------------------------------------------------------

let worker = null, asked = 0;

async function startWorker() {
  const bytes = Uint8Array.from(atob(by("layout").textContent), c => c.charCodeAt(0));
  const code = await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
  const glue = `;const engine = Viz.instance();
    onmessage = async ({ data: { id, dots } }) => {
      try {
        const viz = await engine;
        postMessage({ id, plans: dots.map(dot => viz.renderString(dot, { format: "json0" })) });
      } catch (error) { postMessage({ id, error: String(error) }); }
    };`;
  return new Worker(URL.createObjectURL(new Blob([code, glue], { type: "text/javascript" })));
}

// The best plan of the graphs in the DOT language, or null when another was asked for meanwhile.
async function arranged(dots) {
  const id = ++asked, engine = await (worker ??= startWorker());
  return new Promise((resolve, reject) => {
    engine.addEventListener("error", event => reject(new Error(event.message)), { once: true });
    engine.addEventListener("message", function answer({ data }) {
      if (data.id !== id) return;
      engine.removeEventListener("message", answer);
      if (data.error) reject(new Error(data.error));
      else resolve(id === asked ? best(data.plans.map(plan => JSON.parse(plan))) : null);
    });
    engine.postMessage({ id, dots });
  });
}

const extent = plan => plan.bb.split(",").map(Number).slice(2);

// From left to right or from top to bottom: whichever is shown larger.
function best(plans) {
  measured();
  const scale = plan => { const [w, h] = extent(plan); return Math.min(view.width / w, view.height / h); };
  return plans.sort((a, b) => scale(b) - scale(a))[0];
}

// The most characters that a node's value or adjoint takes in any training step.
function widest(k) {
  const same = DATA.frames.filter(f => f.graph === frame.graph), b = graph.solved.get(k);
  return Math.max(6, ...same.map(f => Math.max(f.v[k].length, b === undefined ? 0 : f.a[b].length + 4)));
}

// What is written on the box of a node or group, and how large it has to be.
function label(item) {
  if (isGroup(item)) {
    const k = numberOf(item), { name, kind } = graph.groups[k], parts = graph.inside[k].filter(isGroup).length;
    const head = `▸ ${cut(name, 26)}`;
    const nodes = `${parts > 1 ? `${parts} groups, ` : ""}${counted(graph.below[k].length, "node")}`;
    const small = `${cut(kind, 18)} ${nodes}`.trim();
    return { head, op: "", small, width: Math.max(head.length, small.length, 17) * CHAR + 24, height: 64 };
  }
  const head = cut(graph.name[item], 24), op = cut(operation(item), 28), rows = graph.solved.has(item) ? 3 : 2;
  const chars = Math.max(head.length + op.length + 2, widest(item));
  return { head, op, width: chars * CHAR + 20, height: rows * LINE + 14 };
}

// The visible graph in the DOT language. No name goes into it: room is left for them.
function dotOf(labels, links, direction) {
  const id = item => isGroup(item) ? item : "n" + item;
  const apart = labels.size > 40 ? 0.4 : direction === "LR" ? 0.75 : 0.45;
  const lines = [`digraph { rankdir=${direction} nodesep=0.28 ranksep=${apart} newrank=true`,
    'node [shape=box fixedsize=true label=""] edge [arrowsize=0.7]'];
  const put = k => graph.inside[k].forEach(item => {
    if (isOpen(item)) {
      const k = numberOf(item), { name, kind } = graph.groups[k], room = Math.min(30, name.length + kind.length + 5);
      lines.push(`subgraph cluster_${k} { margin=12 fontname=Courier fontsize=12 label="${"m".repeat(room)}"`);
      put(k);
      lines.push("}");
    } else {
      const [width, height] = [labels.get(item).width, labels.get(item).height].map(size => (size / 72).toFixed(3));
      lines.push(`${id(item)} [width=${width} height=${height}]`);
    }
  });
  put(0);
  for (const [tail, head] of links) {
    lines.push(`${id(tail)} -> ${id(head)}${around(tail) === around(head) ? "" : " [minlen=2]"}`);
  }
  return lines.join("\n") + "}";
}

// Lay out and draw what is visible, then look at the item given, or from the beginning.
async function layOut(focus = null) {
  const labels = new Map(visible().map(item => [item, label(item)])), links = new Map(), mine = graph;
  graph.parts.forEach((_, user) => inputs(graph, user).forEach(x => {
    const [tail, head] = [standIn(x), standIn(user)];
    if (tail !== head) links.set(`${tail}>${head}`, [tail, head]);
  }));
  by("waiting").hidden = false;
  let plan;
  try {
    const both = labels.size > 80 ? ["LR"] : ["LR", "TB"];
    plan = await arranged(both.map(direction => dotOf(labels, [...links.values()], direction)));
  } catch (error) {
    by("waiting").textContent = `The graph could not be laid out here (${error.message}); the table tells all of it.`;
    return;
  }
  if (!plan || mine !== graph) return;               // folded again meanwhile
  by("waiting").hidden = true;
  drawPlan(plan, labels);
  const box = boxOf(focus);
  fit(false, box);
  mark(!box);
  box?.g.focus({ preventScroll: true });
}

const boxOf = item => shown.clusters.get(item) ?? shown.nodes.get(item) ?? shown.nodes.get(parseInt(item));

// ---- drawing --------------------------------------------------------------------------------------------------------

const firstOf = item => isGroup(item) ? graph.below[numberOf(item)][0] : item;

function drawPlan(plan, labels) {
  const objects = plan.objects ?? [], [width, height] = view.whole = extent(plan);
  const point = text => { const [x, y] = text.split(",").map(Number); return [x, height - y]; };
  const itemOf = ({ name }) => name[0] === "n" ? +name.slice(1) : name;
  const clusters = objects.filter(object => object.name.startsWith("cluster_"));
  const boxes = objects.filter(object => !clusters.includes(object));
  shown = { nodes: new Map(), clusters: new Map(), edges: [] };
  const edges = (plan.edges ?? []).map(edge => {
    const pieces = edge.pos.split(" "), end = pieces[0].startsWith("e,") ? ` L${point(pieces.shift().slice(2))}` : "";
    const [first, ...rest] = pieces.map(point);
    const line = element("svg:path", { d: `M${first} C${rest.join(" ")}${end}` });
    const [tail, head] = [edge.tail, edge.head].map(k => itemOf(objects[k]));
    shown.edges.push({ tail, head, line, tag: element("svg:text", { class: "flow" }) });
    return line;
  });
  const inOrder = boxes.map(object => [itemOf(object), point(object.pos)]).sort(([a], [b]) => firstOf(a) - firstOf(b));
  inOrder.forEach(([item, [x, y]]) => shown.nodes.set(item, drawBox(item, x, y, labels.get(item))));
  clusters.forEach(object => shown.clusters.set(object.name.replace("luster_", ""), drawCluster(object, height)));
  const layers = [[...shown.clusters.values()].map(box => box.g), edges, [...shown.nodes.values()].map(box => box.g),
    shown.edges.map(edge => edge.tag)];
  by("graph").replaceChildren(arrows(), ...layers.map(things => element("svg:g", {}, ...things)));
  by("graph").classList.toggle("dense", edges.length > 120);
}

function drawCluster(object, height) {
  const k = +object.name.slice(8), { name, kind } = graph.groups[k];
  const [left, low, right, high] = object.bb.split(",").map(Number), [w, h] = [right - left, high - low];
  const top = height - high, title = element("svg:tspan", { class: "name" }, `▾ ${cut(name, 26)}`);
  const facts = { class: "cluster", "data-item": "c" + k, tabindex: 0, role: "button", "aria-expanded": "true" };
  const g = element("svg:g", { ...facts, "aria-label": `Fold ${name} ${kind}`.trim() },
    element("svg:rect", { x: left, y: top, width: w, height: h, rx: 10 }),
    element("svg:text", { x: left + 10, y: top + 17 }, title, ` ${kind}`));
  return { g, x: left + w / 2, y: top + h / 2, width: w, height: h };
}

function drawBox(item, x, y, { head, op, small, width, height }) {
  const left = x - width / 2, top = y - height / 2, group = isGroup(item);
  const text = (line, kind) => element("svg:text", { x: left + 10, y: top + 18 + line * LINE, class: kind });
  const lines = [text(1, "value"), ...(group || graph.solved.has(item) ? [text(2, "adjoint")] : [])];
  const title = text(0, "title");
  title.append(element("svg:tspan", { class: "name" }, head), element("svg:tspan", { dx: 10, class: "op" }, op));
  const bars = !group ? [] : ["forward", "backward"].map((phase, i) =>
    element("svg:rect", { class: `done ${phase}`, x: left + 8, y: top + height - 9 + 4 * i, width: 0, height: 3 }));
  const facts = { class: `node ${group ? "group" : graph.kind[item]}`, "data-item": item, tabindex: 0, role: "button" };
  const g = element("svg:g", group ? { ...facts, "aria-expanded": "false" } : facts,
    element("svg:rect", { x: left, y: top, width, height, rx: 8 }), title, ...lines, ...bars);
  return { g, lines, bars, small, x, y, width, height };
}

function arrows() {
  const facts = { viewBox: "0 0 10 10", refX: 9, refY: 5, markerWidth: 7, markerHeight: 7, orient: "auto" };
  const marker = kind => element("svg:marker", { ...facts, id: `arrow-${kind}`, class: kind },
    element("svg:path", { d: "M0 0L10 5L0 10z" }));
  return element("svg:defs", {}, marker("plain"), marker("read"));
}

// ---- marking the step -----------------------------------------------------------------------------------------------

// Show the step: what is known, the node in hand, the edges along which it reads, and what it sends back.
function mark(moving = true) {
  const asks = state.quiz && unsolved() !== undefined, k = asks ? unsolved() : current();
  const phase = asks ? "backward" : going();
  const here = k < 0 ? null : standIn(k), read = new Set(), sent = new Map();
  if (phase === "forward") inputs(graph, k).forEach(x => read.add(`${standIn(x)}>${here}`));
  if (phase === "backward") graph.into[k].forEach(flow => read.add(`${here}>${standIn(flow.from)}`));
  if (phase === "backward" && !asks) {
    graph.sent[swept() - 1].forEach(flow => {
      const key = `${standIn(flow.to)}>${here}`;
      sent.set(key, [...(sent.get(key) ?? []), flowing(flow)]);
    });
  }
  for (const [item, box] of shown.nodes) {
    if (isGroup(item)) markGroup(numberOf(item), box, item === here); else markNode(item, box);
    box.g.classList.toggle("current", item === here);
  }
  for (const { tail, head, line, tag } of shown.edges) {
    const key = `${tail}>${head}`, flows = sent.get(key);
    line.setAttribute("class", flows ? "edge sent" : read.has(key) ? `edge read ${phase}` : "edge");
    const brief = flows && flows.length < 3 && flows.every(flow => flow.length < 11);
    tag.textContent = brief ? flows.join(", ") : "";
    if (tag.textContent) beside(line, tag);
  }
  if (here !== null && moving) follow(shown.nodes.get(here));
}

function beside(line, tag) {
  const { x, y } = line.getPointAtLength(line.getTotalLength() / 2), start = line.getPointAtLength(0);
  const steep = Math.abs(start.y - y) > Math.abs(start.x - x);
  const place = { x: steep ? x + 7 : x, y: steep ? y + 4 : y - 6, "text-anchor": steep ? "start" : "middle" };
  Object.entries(place).forEach(([key, at]) => tag.setAttribute(key, at));
}

function usedBy(k) {
  const users = graph.users[k].map(u => graph.name[u]);
  return users.slice(0, 6).join(", ") + (users.length > 6 ? ` and ${users.length - 6} more` : "");
}

function markNode(k, { g, lines }) {
  const known = isMade(k), solved = isSolved(k), part = solved || state.quiz ? null : sumSoFar(k);
  lines[0].textContent = known ? value(k) : "·";
  if (lines[1]) lines[1].textContent = `∂ ${solved ? adjoint(k) : part === null ? "·" : `${part} …`}`;
  Object.entries({ known, solved, open: part !== null }).forEach(([kind, on]) => g.classList.toggle(kind, on));
  g.setAttribute("aria-label", [graph.name[k] + (operation(k) && ` = ${operation(k)}`),
    known ? `value ${value(k)}` : "not computed yet", ...(solved ? [`adjoint ${adjoint(k)}`] : []),
    usedBy(k) ? `used by ${usedBy(k)}` : "the result"].join(", "));
}

function markGroup(group, { g, lines, bars, small, width }, isHere) {
  const nodes = graph.below[group], computed = nodes.filter(isMade).length;
  const toSolve = nodes.filter(x => graph.solved.has(x)), solved = toSolve.filter(isSolved).length;
  const k = isHere && !state.quiz ? current() : -1, name = graph.name[k];
  const inHand = k < 0 ? "" : swept() ? `∂${name} ${adjoint(k)}` : `${name} ${value(k)}`;
  lines[0].textContent = small;
  lines[1].textContent = cut(inHand, Math.floor((width - 20) / CHAR));
  bars[0].setAttribute("width", (width - 16) * computed / nodes.length);
  bars[1].setAttribute("width", (width - 16) * solved / (toSolve.length || 1));
  const told = `${small}, ${computed} computed, ${solved} adjoints solved`;
  g.setAttribute("aria-label", `Unfold ${graph.groups[group].name}: ${told}`);
}

// ---- moving about ---------------------------------------------------------------------------------------------------

function look() {
  by("graph").setAttribute("viewBox", [view.x, view.y, view.width / view.scale, view.height / view.scale].join(" "));
}

function measured() {
  const { width, height } = by("graph").getBoundingClientRect();
  Object.assign(view, { width: Math.max(1, width), height: Math.max(1, height) });
}

// The whole graph, or as much as can be read of it around a box: else where the computation begins.
function fit(whole = false, box = [...shown.nodes.values()][0]) {
  measured();
  const below = innerWidth < 900 ? 90 : 32;            // there the buttons lie in front of the graph
  const scale = Math.min((view.width - 32) / view.whole[0], (view.height - below) / view.whole[1], 1.5);
  view.scale = Math.max(scale, whole ? 0.02 : 0.62);
  centre(box);
}

function zoom(factor, x = view.width / 2, y = view.height / 2) {
  const scale = Math.min(4, Math.max(0.02, view.scale * factor));
  view.x += x / view.scale - x / scale;
  view.y += y / view.scale - y / scale;
  view.scale = scale;
  look();
}

// Look at a box, and at no more of the emptiness around the graph than has to be.
function centre(box) {
  const middle = (at, seen, whole, below) => seen > whole + below ? (whole + below - seen) / 2
    : Math.min(Math.max(at - seen / 2, -16 / view.scale), whole - seen + 70 / view.scale);
  view.x = middle(box.x, view.width / view.scale, view.whole[0], 0);
  view.y = middle(box.y, view.height / view.scale, view.whole[1], innerWidth < 900 ? 58 / view.scale : 0);
  look();
}

// Keep the node of this step on the screen.
function follow(box) {
  if (!box) return;
  const edge = 24 / view.scale, left = box.x - box.width / 2 - view.x, top = box.y - box.height / 2 - view.y;
  const across = view.width / view.scale - box.width, down = view.height / view.scale - box.height;
  if (left < edge || left > across - edge || top < edge || top > down - 2.5 * edge) centre(box);
}
