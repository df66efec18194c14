"use strict";
// What happens when: the recorded numbers as a row of steps, and the texts about them. Nothing is computed here; every
// figure was written by the engine, and only its place in a formula is found.

const by = id => document.getElementById(id);
const DATA = JSON.parse(by("data").textContent);
const state = { frame: 0, time: 0, quiz: false, open: new Set() };
let graph, frame;                                    // the graph and its numbers in the training step that is shown

function choose(k) {
  state.frame = Math.max(0, Math.min(DATA.frames.length - 1, k));
  frame = DATA.frames[state.frame];
  graph = DATA.graphs[frame.graph];
  if (!graph.forward) prepare(graph);
}

const inputs = (g, k) => g.parts[k].filter(x => typeof x === "number");

// Forward: one step for each operation in the order made. Backward: one for each pair that the sweep yielded.
function prepare(g) {
  g.forward = [...g.op.keys()].filter(k => g.op[k] >= 0);
  g.made = new Map(g.forward.map((k, t) => [k, t]));
  g.solved = new Map(g.sweep.map(([k], b) => [k, b]));
  let count = 0;
  g.sent = g.sweep.map(([from, , sent], b) => sent.map(([to, text]) => ({ from, to, text, b, k: count++ })));
  g.into = g.name.map(() => []);                     // the contributions that make up each adjoint
  g.sent.flat().forEach(flow => g.into[flow.to].push(flow));
  g.users = g.name.map(() => []);
  g.parts.forEach((_, k) => new Set(inputs(g, k)).forEach(x => g.users[x].push(k)));
  g.inside = g.groups.map(() => []);                 // what lies directly in each group: "g3" is a group, 3 a node
  g.groups.forEach(({ parent }, k) => { if (k) g.inside[parent].push("g" + k); });
  g.group.forEach((k, node) => g.inside[k].push(node));
  g.below = g.groups.map(() => []);                  // every node in each group, however deep
  g.group.forEach((k, node) => { for (; k >= 0; k = g.groups[k].parent) g.below[k].push(node); });
}

// ---- where we are ---------------------------------------------------------------------------------------------------

const made = () => Math.min(state.time, graph.forward.length);
const swept = () => Math.max(0, state.time - graph.forward.length);
const steps = () => graph.forward.length + graph.sweep.length;
const going = () => state.time === 0 ? "start" : swept() ? "backward" : "forward";
const current = () => swept() ? graph.sweep[swept() - 1][0] : made() ? graph.forward[made() - 1] : -1;
const result = () => graph.sweep[0][0];
const isMade = k => graph.op[k] < 0 || graph.made.get(k) < made();
const isSolved = k => graph.solved.get(k) < swept();
const arrived = k => graph.into[k].filter(flow => flow.b < swept());
const value = k => frame.v[k];
const adjoint = k => frame.a[graph.solved.get(k)];
const flowing = flow => frame.f[2 * flow.k];
const sumAfter = flow => frame.f[2 * flow.k + 1];
const sumSoFar = k => arrived(k).length ? sumAfter(arrived(k).at(-1)) : null;

// ---- in words -------------------------------------------------------------------------------------------------------

const unique = list => [...new Set(list)];
const figures = n => n.toLocaleString("en");
const counted = (n, what) => `${figures(n)} ${what}${n === 1 ? "" : "s"}`;
const cut = (text, limit) => text.length > limit ? text.slice(0, limit - 1) + "…" : text;
const symbol = k => `∂${graph.name[k]}${graph.sent[graph.solved.get(k)].length > 1 ? "•" : ""}`;
const quantity = (k, text) => graph.shape[k] || (text.startsWith("-") ? `(${text})` : text);
const bare = text => text.replace(/^\((-[\d.e+-]+)\)$/, "$1");

// A text of the engine with names or numbers put in. It says g (adjoint), y (value), Y, X (names), 0, 1, ... (inputs).
function filled(text, k, to, numbers) {
  return DATA.texts[text].replace(/\ue000(\w+)\ue001/g, (_, key) => {
    if (key === "g") return numbers ? quantity(k, adjoint(k)) : symbol(k);
    if (key === "X") return graph.name[to];
    const part = key === "y" || key === "Y" ? k : graph.parts[k][key];
    if (typeof part !== "number") return part[numbers ? 1 : 0];
    return numbers && key !== "Y" ? quantity(part, value(part)) : graph.name[part];
  }).replace(/\((\(-[\d.e+-]+\))\)/g, "$1");
}

const operation = (k, numbers = false) => graph.op[k] < 0 ? "" : filled(graph.op[k], k, k, numbers);
const contribution = (flow, numbers = false) => filled(flow.text, flow.from, flow.to, numbers);
const given = k => `${graph.name[k]} = ${value(k)}`;

function sum(k, numbers) {
  const parts = [...(k === result() ? ["1"] : []), ...graph.into[k].map(flow => contribution(flow, numbers))];
  const text = parts.reduce((out, part) => out + (part.startsWith("-") ? ` - ${part.slice(1)}` : ` + ${part}`));
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
  return going() === "forward" ? `Forward ${made()} of ${graph.forward.length}. ${name} = ${operation(k)} = ${value(k)}`
    : `Backward ${swept()} of ${graph.sweep.length}. The adjoint of ${name} is ${adjoint(k)}`;
}

// ---- elements: text is only ever set as text ------------------------------------------------------------------------

function element(tag, facts = {}, ...children) {
  const one = tag.startsWith("svg:") ? document.createElementNS("http://www.w3.org/2000/svg", tag.slice(4))
    : document.createElement(tag);
  for (const [key, fact] of Object.entries(facts)) {
    if (key.startsWith("on")) one.addEventListener(key.slice(2), fact); else one.setAttribute(key, fact);
  }
  one.append(...children);
  return one;
}

const row = (tag, cells, facts = {}) => element("tr", facts, ...cells.map(cell => element(tag, {}, cell)));
