// The drawing: what is visible, laid out by Graphviz in a worker, drawn as SVG, and marked at each step.

const CHAR = 7.3, LINE = 16, READABLE = 45, MANY = 400;
const view = { x: 0, y: 0, width: 1, height: 1, scale: 1, box: [0, 0, 1, 1], of: null };
let shown = { nodes: new Map(), edges: [], clusters: new Map() };

// ---- folding --------------------------------------------------------------------------------------------------------

const groupOf = item => typeof item === "string" ? graph.groups[+item.slice(1)].parent : graph.group[item];

// The folded group that stands for a node, or the node itself.
function standIn(node) {
  let stands = node;
  for (let k = graph.group[node]; k > 0; k = graph.groups[k].parent) if (!state.open.has(k)) stands = "g" + k;
  return stands;
}

function visible(k = 0) {
  return graph.inside[k].flatMap(item => typeof item === "string" && state.open.has(+item.slice(1)) ? visible(+item.slice(1)) : [item]);
}

// Open layers from the outside in, one level after the other, while what they hold still fits on a page.
function unfoldWhatFits(limit = READABLE) {
  state.open.clear();
  for (;;) {
    const closed = visible().filter(item => typeof item === "string").map(item => +item.slice(1));
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
  return layOut({ focus: open ? "c" + k : "g" + k });
}

// ---- layout ---------------------------------------------------------------------------------------------------------

let worker = null, asked = 0;

async function startWorker() {
  const bytes = Uint8Array.from(atob(by("layout").textContent), c => c.charCodeAt(0));
  const code = await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
  const glue = `;const engine = Viz.instance();
    onmessage = async ({ data }) => {
      try { const viz = await engine; postMessage({ id: data.id, plans: data.dots.map(dot => viz.renderString(dot, { format: "json0" })) }); }
      catch (error) { postMessage({ id: data.id, error: String(error) }); }
    };`;
  return new Worker(URL.createObjectURL(new Blob([code, glue], { type: "text/javascript" })));
}

async function arranged(dots) {
  const id = ++asked;
  worker ??= startWorker();
  const engine = await worker;
  return new Promise((resolve, reject) => {
    const answer = ({ data }) => {
      if (data.id !== id) return;
      engine.removeEventListener("message", answer);
      if (data.error) reject(new Error(data.error)); else resolve(id === asked ? best(data.plans.map(plan => JSON.parse(plan))) : null);
    };
    engine.addEventListener("message", answer);
    engine.addEventListener("error", event => reject(new Error(event.message)), { once: true });
    engine.postMessage({ id, dots });
  });
}

// From left to right or from top to bottom: whichever is shown larger.
function best(plans) {
  measured();
  const scale = ({ bb }) => { const [, , w, h] = bb.split(",").map(Number); return Math.min(view.width / w, view.height / h); };
  return plans.sort((a, b) => scale(b) - scale(a))[0];
}

const cut = (text, limit) => text.length > limit ? text.slice(0, limit - 1) + "…" : text;
const widest = k => Math.max(...DATA.frames.filter(f => f.graph === frame.graph).flatMap(f => [f.v[k].length, graph.solved.has(k) ? f.a[graph.solved.get(k)].length + 4 : 0]));

// What is written on the box of a node or group, and how large it has to be.
function label(item) {
  if (typeof item === "string") {
    const k = +item.slice(1), group = graph.groups[k], parts = graph.inside[k].filter(x => typeof x === "string").length;
    const name = cut(group.name, 26), small = `${cut(group.kind, 18)} ${parts > 1 ? `${parts} groups, ` : ""}${graph.below[k].length} nodes`.trim();
    return { name, small, width: Math.max(name.length, small.length, 17) * CHAR + 24, height: 3 * LINE + 16 };
  }
  const name = cut(graph.name[item], 24), small = cut(operation(item, false), 28);
  const chars = Math.max(name.length + (small && small.length + 2), widest(item), 6);
  return { name, small, width: chars * CHAR + 20, height: (graph.solved.has(item) ? 3 : 2) * LINE + 14 };
}

function dotOf(labels, links, direction) {
  const id = item => typeof item === "string" ? item : "n" + item;
  const lines = [`digraph { rankdir=${direction} nodesep=0.28 ranksep=${labels.size < 40 ? (direction === "LR" ? 0.75 : 0.45) : 0.4} newrank=true`,
    "node [shape=box fixedsize=true label=\"\"] edge [arrowsize=0.7]"];
  const put = k => {
    for (const item of graph.inside[k]) {
      const inner = typeof item === "string" ? +item.slice(1) : -1;
      if (inner >= 0 && state.open.has(inner)) {
        const room = "m".repeat(Math.min(30, graph.groups[inner].name.length + graph.groups[inner].kind.length + 5));
        lines.push(`subgraph cluster_${inner} { margin=12 fontname=Courier fontsize=12 label="${room}"`);
        put(inner);
        lines.push("}");
      } else {
        const { width, height } = labels.get(item);
        lines.push(`${id(item)} [width=${(width / 72).toFixed(3)} height=${(height / 72).toFixed(3)}]`);
      }
    }
  };
  put(0);
  for (const [tail, head] of links.values()) lines.push(`${id(tail)} -> ${id(head)}${groupOf(tail) !== groupOf(head) ? " [minlen=2]" : ""}`);
  return lines.join("\n") + "}";
}

async function layOut({ focus = null, keep = true } = {}) {
  const items = visible(), labels = new Map(items.map(item => [item, label(item)])), links = new Map(), mine = graph;
  graph.name.forEach((_, user) => inputs(graph, user).forEach(x => {
    const [tail, head] = [standIn(x), standIn(user)];
    if (tail !== head) links.set(`${tail}>${head}`, [tail, head]);
  }));
  by("waiting").hidden = false;
  let plan;
  try { plan = await arranged((labels.size > 80 ? ["LR"] : ["LR", "TB"]).map(direction => dotOf(labels, links, direction))); } catch (error) {
    by("waiting").textContent = `The graph could not be laid out here (${error.message}); the table tells all of it.`;
    return;
  }
  if (!plan || mine !== graph) return;              // folded again meanwhile
  by("waiting").hidden = true;
  drawn(plan, labels);
  if (!keep || view.of !== graph) fit();
  view.of = graph;
  mark();
  if (focus) by("graph").querySelector(`[data-item="${focus}"]`)?.focus({ preventScroll: true });
}

// ---- drawing --------------------------------------------------------------------------------------------------------

function drawn(plan, labels) {
  const [, , width, height] = plan.bb.split(",").map(Number), numbers = text => text.split(",").map(Number);
  const point = text => { const [x, y] = numbers(text); return [x, height - y]; };
  const layers = ["clusters", "edges", "nodes"].map(name => element("svg:g", { class: name }));
  const objects = plan.objects ?? [];
  shown = { nodes: new Map(), edges: [], clusters: new Map() };
  for (const object of objects) {
    if (!object.name.startsWith("cluster_") || !object.bb) continue;
    const k = +object.name.slice(8), [x0, y0, x1, y1] = numbers(object.bb), { name, kind } = graph.groups[k];
    const text = element("svg:text", { x: x0 + 10, y: height - y1 + 17 }, element("svg:tspan", { class: "name" }, `▾ ${cut(name, 26)}`), kind ? ` ${kind}` : "");
    const box = element("svg:g", { class: "cluster", "data-item": "c" + k, tabindex: 0, role: "button", "aria-expanded": "true", "aria-label": `Fold ${name}` },
      element("svg:rect", { x: x0, y: height - y1, width: x1 - x0, height: y1 - y0, rx: 10 }), text);
    layers[0].append(box);
    shown.clusters.set(k, box);
  }
  for (const edge of plan.edges ?? []) {
    const [tail, head] = [edge.tail, edge.head].map(k => { const { name } = objects[k]; return name[0] === "n" ? +name.slice(1) : name; });
    const pieces = edge.pos.split(" "), end = pieces[0].startsWith("e,") ? point(pieces.shift().slice(2)) : null;
    const points = pieces.map(point), path = `M${points[0]} C${points.slice(1).join(" ")}${end ? ` L${end}` : ""}`;
    const line = element("svg:path", { d: path, class: "edge" }), tag = element("svg:text", { class: "flow" });
    layers[1].append(line);
    layers[2].append(tag);
    shown.edges.push({ tail, head, line, tag });
  }
  for (const object of objects) {
    if (object.name.startsWith("cluster_")) continue;
    const item = object.name[0] === "n" ? +object.name.slice(1) : object.name, [x, y] = point(object.pos);
    const box = drawnBox(item, x, y, labels.get(item));
    layers[2].prepend(box.g);
    shown.nodes.set(item, box);
  }
  [...shown.nodes].sort(([a], [b]) => first(a) - first(b)).forEach(([, box]) => layers[2].append(box.g));     // focus order
  shown.edges.forEach(({ tag }) => layers[2].append(tag));
  by("graph").replaceChildren(arrows(), ...layers);
  by("graph").classList.toggle("dense", shown.edges.length > 120);
  view.box = [0, 0, width, height];
}

const first = item => typeof item === "string" ? graph.below[+item.slice(1)][0] ?? 0 : item;

function arrows() {
  return element("svg:defs", {}, ...["plain", "read", "sent"].map(kind => element("svg:marker", { id: `arrow-${kind}`, class: kind,
    viewBox: "0 0 10 10", refX: 9, refY: 5, markerWidth: 7, markerHeight: 7, orient: "auto-start-reverse" }, element("svg:path", { d: "M0 0L10 5L0 10z" }))));
}

function drawnBox(item, x, y, { name, small, width, height }) {
  const isGroup = typeof item === "string", left = x - width / 2 + 10, top = y - height / 2;
  const g = element("svg:g", { class: isGroup ? "node group" : `node ${graph.kind[item]}`, "data-item": item, tabindex: 0, role: "button" },
    element("svg:rect", { x: x - width / 2, y: top, width, height, rx: 8 }),
    element("svg:text", { x: left, y: top + 18 }, element("svg:tspan", { class: "name" }, isGroup ? `▸ ${name}` : name), isGroup ? "" : element("svg:tspan", { dx: 10, class: "op" }, small)));
  if (isGroup) g.setAttribute("aria-expanded", "false");
  const lines = [1, 2].slice(0, isGroup || graph.solved.has(item) ? 2 : 1).map(row => element("svg:text", { x: left, y: top + 18 + row * LINE, class: row === 1 ? "value" : "adjoint" }));
  g.append(...lines);
  if (isGroup) g.append(...["done forward", "done backward"].map(kind => element("svg:rect", { class: kind, x: x - width / 2 + 8, y: top + height - (kind.endsWith("d") && kind.includes("for") ? 9 : 5), width: 0, height: 3 })));
  return { g, lines, small, x, y, width, height };
}

// ---- marking the step -----------------------------------------------------------------------------------------------

function mark() {
  const k = current(), phase = going(), here = k < 0 ? null : standIn(k);
  const read = new Set(), sent = new Map();
  if (phase === "forward") inputs(graph, k).forEach(x => read.add(`${standIn(x)}>${here}`));
  if (phase === "backward") {
    graph.into[k].forEach(flow => read.add(`${here}>${standIn(flow.from)}`));
    graph.flows.filter(flow => flow.b === swept() - 1).forEach(flow => {
      const key = `${standIn(flow.to)}>${here}`;
      sent.set(key, [...(sent.get(key) ?? []), frame.f[2 * flow.k]]);
    });
  }
  for (const [item, box] of shown.nodes) {
    if (typeof item === "string") markGroup(item, box, here); else markNode(item, box);
    box.g.classList.toggle("current", item === here);
  }
  for (const { tail, head, line, tag } of shown.edges) {
    const key = `${tail}>${head}`, flows = sent.get(key);
    line.setAttribute("class", flows ? "edge sent" : read.has(key) ? `edge read ${phase}` : "edge");
    tag.textContent = flows && !state.quiz && flows.every(f => f.length < 11) && flows.length < 3 ? flows.join(", ") : "";
    if (tag.textContent) {
      const { x, y } = line.getPointAtLength(line.getTotalLength() / 2);
      const end = line.getPointAtLength(0), steep = Math.abs(end.y - y) > Math.abs(end.x - x);
      tag.setAttribute("x", steep ? x + 7 : x);
      tag.setAttribute("y", steep ? y + 4 : y - 6);
      tag.setAttribute("text-anchor", steep ? "start" : "middle");
    }
  }
  if (here !== null) follow(shown.nodes.get(here));
}

function markNode(k, { g, lines }) {
  const known = isMade(k), solved = isSolved(k), part = sumSoFar(k);
  lines[0].textContent = known ? frame.v[k] : "·";
  if (lines[1]) lines[1].textContent = solved ? `∂ ${adjoint(k)}` : part === null || state.quiz ? "∂ ·" : `∂ ${part} …`;
  g.classList.toggle("known", known);
  g.classList.toggle("solved", solved);
  g.classList.toggle("open", !solved && part !== null);
  g.setAttribute("aria-label", [graph.name[k], operation(k) && `= ${operation(k)}`, known ? `value ${frame.v[k]}` : "not computed yet", solved ? `adjoint ${adjoint(k)}` : ""].filter(Boolean).join(", "));
}

function markGroup(item, { g, lines, small, width }, here) {
  const k = +item.slice(1), nodes = graph.below[k], k0 = current();
  const ready = nodes.filter(isMade).length, toSolve = nodes.filter(x => graph.solved.has(x)), solved = toSolve.filter(isSolved).length;
  lines[0].textContent = small;
  lines[1].textContent = item === here ? cut(swept() ? `∂${graph.name[k0]} ${adjoint(k0)}` : `${graph.name[k0]} ${frame.v[k0]}`, Math.floor((width - 20) / CHAR)) : "";
  const [forward, backward] = g.querySelectorAll(".done");
  forward.setAttribute("width", (width - 16) * ready / nodes.length);
  backward.setAttribute("width", toSolve.length ? (width - 16) * solved / toSolve.length : 0);
  g.setAttribute("aria-label", `${graph.groups[k].name}, ${small}, ${ready} computed, ${solved} adjoints solved; unfold`);
}

// ---- moving about ---------------------------------------------------------------------------------------------------

function look() {
  by("graph").setAttribute("viewBox", `${view.x} ${view.y} ${view.width / view.scale} ${view.height / view.scale}`);
}

function measured() {
  const { width, height } = by("graph").getBoundingClientRect();
  Object.assign(view, { width: Math.max(1, width), height: Math.max(1, height) });
}

function fit(whole = false) {
  measured();
  const [, , width, height] = view.box, scale = Math.min((view.width - 32) / width, (view.height - 32) / height, 1.5);
  view.scale = Math.max(scale, whole ? 0.02 : Math.min(0.62, 1.5));
  view.x = (width - view.width / view.scale) / 2;
  view.y = (height - view.height / view.scale) / 2;
  if (!whole && scale < view.scale) {               // too large: begin where the computation begins
    if (width > view.width / view.scale) view.x = -16 / view.scale;
    if (height > view.height / view.scale && innerWidth < 760) view.y = -16 / view.scale;
  }
  look();
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
  const middle = (at, shown, whole) => shown > whole ? (whole - shown) / 2 : Math.min(Math.max(at - shown / 2, -40), whole - shown + 70 / view.scale);
  view.x = middle(box.x, view.width / view.scale, view.box[2]);
  view.y = middle(box.y, view.height / view.scale, view.box[3]);
  look();
}

// Keep the node of this step on the screen.
function follow(box) {
  if (!box) return;
  const margin = 24 / view.scale, [w, h] = [view.width / view.scale, view.height / view.scale];
  const inside = box.x - box.width / 2 > view.x + margin && box.x + box.width / 2 < view.x + w - margin &&
    box.y - box.height / 2 > view.y + margin && box.y + box.height / 2 < view.y + h - 2.5 * margin;
  if (!inside) centre(box);
}
