"use strict";
// What happens when: the recorded numbers as a row of steps, and the texts about them. Nothing is computed here; every
// figure was written by the engine, and only its place in a formula is found.

const DATA = JSON.parse(document.getElementById("data").textContent);
const state = { frame: 0, time: 0, quiz: false, open: new Set() };
let graph, frame;

// Forward: one step for each operation in the order made. Backward: one for each pair that the sweep yielded.
function prepare(g) {
  g.forward = [...g.op.keys()].filter(k => g.op[k] >= 0);
  g.made = new Map(g.forward.map((k, t) => [k, t]));
  g.solved = new Map(g.sweep.map(([k], b) => [k, b]));
  g.flows = [];                                      // one for each contribution: from a node to one that it was made of
  g.into = g.name.map(() => []);
  g.users = g.name.map(() => []);
  g.sweep.forEach(([from, , sent], b) => sent.forEach(([to, text]) => {
    const flow = { from, to, text, b, k: g.flows.length };
    g.flows.push(flow);
    g.into[to].push(flow);
  }));
  g.parts.forEach((parts, k) => new Set(inputs(g, k)).forEach(x => g.users[x].push(k)));
  g.inside = g.groups.map(() => []);                 // what lies directly in each group
  g.groups.forEach((group, k) => { if (group.parent >= 0) g.inside[group.parent].push("g" + k); });
  g.group.forEach((k, node) => g.inside[k].push(node));
  g.below = g.groups.map(() => []);                  // every node in each group, however deep
  g.group.forEach((k, node) => { for (; k >= 0; k = g.groups[k].parent) g.below[k].push(node); });
}

const inputs = (g, k) => g.parts[k].filter(x => typeof x === "number");

function choose(k) {
  state.frame = k;
  frame = DATA.frames[k];
  graph = DATA.graphs[frame.graph];
}

// ---- where we are ---------------------------------------------------------------------------------------------------

const made = () => Math.min(state.time, graph.forward.length);
const swept = () => Math.max(0, state.time - graph.forward.length);
const steps = () => graph.forward.length + graph.sweep.length;
const going = () => state.time === 0 ? "start" : swept() ? "backward" : "forward";
const current = () => going() === "start" ? -1 : swept() ? graph.sweep[swept() - 1][0] : graph.forward[made() - 1];
const isMade = k => graph.op[k] < 0 || graph.made.get(k) < made();
const isSolved = k => graph.solved.has(k) && graph.solved.get(k) < swept();
const arrived = k => graph.into[k].filter(flow => flow.b < swept());
const adjoint = k => frame.a[graph.solved.get(k)];
const sumSoFar = k => { const flows = arrived(k); return flows.length ? frame.f[2 * flows.at(-1).k + 1] : null; };
const sharing = k => (graph.sweep[graph.solved.get(k)]?.[2].length ?? 0) > 1;

// ---- in words -------------------------------------------------------------------------------------------------------

const symbol = k => `∂${graph.name[k]}${sharing(k) ? "•" : ""}`;
const bare = text => text.replace(/^\((-[\d.e+-]+)\)$/, "$1");
const bracket = text => text.startsWith("-") ? `(${text})` : text;
const quantity = (k, text) => graph.shape[k] || bracket(text);

// A text of the engine with names put in, or with numbers: it says g (adjoint), y (value), Y, X (names), 0, 1, ... (inputs).
function filled(text, k, to, numbers) {
  return DATA.texts[text].replace(/\ue000(\w+)\ue001/g, (_, key) => {
    if (key === "g") return numbers ? quantity(k, adjoint(k)) : symbol(k);
    if (key === "X") return graph.name[to];
    const part = key === "y" || key === "Y" ? k : graph.parts[k][key];
    if (typeof part !== "number") return part[numbers ? 1 : 0];
    return numbers && key !== "Y" ? quantity(part, frame.v[part]) : graph.name[part];
  });
}

const joined = parts => parts.length ? parts.reduce((out, part) => out + (part.startsWith("-") ? ` - ${part.slice(1)}` : ` + ${part}`)) : "0";
const operation = (k, numbers) => graph.op[k] < 0 ? "" : filled(graph.op[k], k, k, numbers);
const contribution = (flow, numbers) => filled(flow.text, flow.from, flow.to, numbers);

function sum(k, numbers) {
  const parts = graph.into[k].map(flow => contribution(flow, numbers));
  const text = joined(graph.kind[k] === "root" ? ["1", ...parts] : parts);
  return graph.sweep[graph.solved.get(k)][1] ? `hook(${text})` : text;
}

const recurrence = k => `∂${graph.name[k]} = ${sum(k, false)}`;

function withNumbers(k) {
  const said = bare(sum(k, true));
  return said === adjoint(k) ? said : `${said} = ${adjoint(k)}`;
}

function sentence() {
  const k = current(), name = graph.name[k];
  if (k < 0) return "Start. The leaves are given.";
  if (going() === "forward") return `Forward ${made()} of ${graph.forward.length}. ${name} = ${operation(k)} = ${frame.v[k]}`;
  return `Backward ${swept()} of ${graph.sweep.length}. The adjoint of ${name} is ${adjoint(k)}`;
}

// ---- making elements: text is only ever set as text -------------------------------------------------------------------

const by = id => document.getElementById(id);

function element(tag, facts = {}, ...children) {
  const svg = tag.startsWith("svg:");
  const made = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag.slice(4)) : document.createElement(tag);
  for (const [key, value] of Object.entries(facts)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== null && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter(child => child !== null && child !== undefined));
  return made;
}
