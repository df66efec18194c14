// The page: going from step to step, the card that tells the step, the table that fills, hovering and searching.

const ROWS = 60;
let timer = null;

function go(time, say = true) {
  state.time = Math.max(0, Math.min(steps(), time));
  if (state.time === steps()) play(false);
  show(say);
}

function show(say = true) {
  const scrub = by("scrub"), share = 100 * graph.forward.length / steps();
  Object.assign(scrub, { max: steps(), value: state.time });
  scrub.setAttribute("aria-valuetext", sentence());
  by("forward").style.flexBasis = `${share}%`;
  by("backward").style.flexBasis = `${100 - share}%`;
  by("size").textContent = `${counted(graph.name.length, "node")} · step ${figures(state.time)} of ${figures(steps())}`;
  if (state.quiz) ask(); else tellStep();
  mark();
  fillTable();
  if (say && !timer) by("live").textContent = sentence();
}

function play(on) {
  clearInterval(timer);
  timer = on ? setInterval(() => go(state.time + 1), +by("speed").value) : null;
  by("play").textContent = on ? "⏸ Pause" : "▶ Play";
}

const moves = {
  first: () => go(0), back: () => go(state.time - 1), next: () => go(state.time + 1), last: () => go(steps()),
  play: () => { if (!timer && state.time === steps()) go(0); play(!timer); },
};

// ---- the card -------------------------------------------------------------------------------------------------------

const line = (caption, text, kind = "") => element("div", { class: `line ${kind}` },
  element("span", { class: "caption" }, caption), element("code", {}, text));

const derivation = k => [line("recurrence", recurrence(k)), line("with numbers", withNumbers(k), "numbers")];

function tellStep() {
  const k = current(), name = graph.name[k], phase = going();
  by("card").className = phase;
  by("question").hidden = true;
  by("step").replaceChildren(...{ start: beginning, forward: forwardStep, backward: backwardStep }[phase](k, name));
}

function beginning() {
  const leaves = graph.name.length - graph.forward.length;
  const are = leaves === 1 ? "1 leaf is" : `${figures(leaves)} leaves are`;
  const ahead = `${counted(graph.forward.length, "step")} forward to ${graph.name[result()]}, then ` +
    `${counted(graph.sweep.length, "step")} back, one for each adjoint.`;
  return [element("h2", {}, "Start"), element("p", {}, `${are} given: weights and data. Step on (→): ${ahead}`)];
}

function forwardStep(k, name) {
  const read = unique(inputs(graph, k)).map(given).join(", ");
  return [element("h2", {}, `Forward ${made()}: ${name}`), line("operation", `${name} = ${operation(k)}`),
    line("with numbers", `${operation(k, true)} = ${value(k)}`, "numbers"), line("reads", read || "constants")];
}

function backwardStep(k, name) {
  const read = unique(graph.into[k].map(({ from }) => `${symbol(from)} = ${adjoint(from)}`));
  const flows = graph.sent[swept() - 1], often = flows.length === 1 ? "once" : counted(flows.length, "time");
  const said = [element("h2", {}, `Backward ${swept()}: ∂${name}`), ...derivation(k),
    line("reads", read.join(", ") || "nothing: the result changes by 1 when it changes by 1")];
  const end = `${name} is a leaf: this gradient is ready for the optimiser.`;
  if (!flows.length) return [...said, element("p", { class: "small" }, end)];
  const rows = flows.map(flow => row("td", [`∂${graph.name[flow.to]}`, `+= ${flowing(flow)}`, sumAfter(flow),
    contribution(flow), bare(contribution(flow, true))]));
  return [...said, element("div", { class: "scroll" }, element("table", { id: "sends" },
    element("caption", {}, `sends back, so that ∂${name} is read ${often}`),
    row("th", ["to", "contribution", "sum so far", "rule", "with numbers"]), ...rows))];
}

// ---- the table ------------------------------------------------------------------------------------------------------

const HEADS = { forward: ["step", "node", "value", "operation", "with numbers"],
  backward: ["step", "adjoint", "result", "recurrence", "with numbers", "hits"] };

const valueCells = (k, t) => [t, graph.name[k], value(k), operation(k), operation(k, true)];

function adjointCells(k, t) {
  return [t, `∂${graph.name[k]}`, adjoint(k), recurrence(k), withNumbers(k), Math.max(0, graph.sent[t - 1].length - 1)];
}

function openCells(k) {
  const missing = graph.into[k].length - arrived(k).length;
  const said = missing ? `sum so far: waits for ${missing} more` : "all has arrived";
  return ["", `∂${graph.name[k]}`, state.quiz ? "?" : sumSoFar(k), said, "", ""];
}

function fillTable() {
  const back = going() === "backward", here = back ? swept() : made(), begin = back ? graph.forward.length : 0;
  const all = back ? graph.sweep.map(([k]) => k) : graph.forward, from = Math.max(0, here - ROWS);
  const rows = all.slice(from, here).map((k, i) => {
    const t = from + i + 1, kind = t === here ? "current" : "solved", jump = () => { if (!state.quiz) go(begin + t); };
    return row("td", (back ? adjointCells : valueCells)(k, t), { class: kind, onclick: jump });
  });
  const open = back ? all.slice(here).filter(k => arrived(k).length).slice(0, ROWS) : [];
  by("memo-title").textContent = back ? "Memo table" : "Values";
  by("memo-note").textContent = `${figures(here)} of ${counted(all.length, back ? "subproblem" : "value")} ${back ? "solved" : "computed"}` +
    (from ? `, the last ${ROWS} shown` : "") + (open.length ? "; grey: not solved yet" : "");
  by("table").replaceChildren(row("th", HEADS[back ? "backward" : "forward"]), ...rows,
    ...open.map(k => row("td", openCells(k), { class: "open" })));
  const scroll = by("table").parentElement;
  if (rows.length) scroll.scrollTop = rows.at(-1).offsetTop - scroll.clientHeight / 2;
}

// ---- hovering -------------------------------------------------------------------------------------------------------

function adjointNow(k) {
  if (!graph.solved.has(k)) return "needs none";
  if (isSolved(k)) return adjoint(k);
  return sumSoFar(k) === null || state.quiz ? "not solved yet" : `so far ${sumSoFar(k)}`;
}

function tip(target) {
  const box = by("tip"), k = Number(target?.dataset.item);
  box.hidden = !target || Number.isNaN(k);
  if (box.hidden) return;
  const facts = [["value", isMade(k) ? value(k) : "not computed yet"], ["adjoint", adjointNow(k)],
    ["users", usedBy(k) || "none: the result"], ["", DATA.texts[graph.about[k]]]];
  const fact = ([name, text]) => element("div", {}, element("span", { class: "caption" }, name), text);
  box.replaceChildren(element("b", {}, [graph.name[k], operation(k)].filter(Boolean).join(" = ")),
    ...facts.filter(([, text]) => text).map(fact));
  const [at, room] = [target, by("stage")].map(one => one.getBoundingClientRect()), below = at.bottom - room.top + 6;
  const top = below + box.offsetHeight > room.height ? at.top - room.top - box.offsetHeight - 6 : below;
  box.style.left = `${Math.max(4, Math.min(at.left - room.left, room.width - box.offsetWidth - 4))}px`;
  box.style.top = `${Math.max(4, top)}px`;
}

// Enter or two clicks on a node: its step. On a layer: fold or unfold.
function act({ dataset: { item } }) {
  if (/[gc]/.test(item[0])) return fold(+item.slice(1), item[0] === "g");
  const k = +item, back = going() === "backward" || graph.op[k] < 0;
  const time = back ? graph.forward.length + graph.solved.get(k) : graph.made.get(k);
  if (!state.quiz) go(Number.isNaN(time) ? 0 : time + 1);
}

// ---- searching ------------------------------------------------------------------------------------------------------

function matches(text) {
  const names = graph.name.map(name => name.toLowerCase());
  const rank = k => names[k] === text ? 0 : names[k].startsWith(text) ? 1 : 2;
  const hits = [...names.keys()].filter(k => text && names[k].includes(text));
  return hits.sort((a, b) => rank(a) - rank(b)).slice(0, 8);
}

let picked = 0;                                      // which of the nodes found Enter goes to

function search(move = 0) {
  const text = by("search").value.trim().toLowerCase(), hits = matches(text);
  picked = hits.length ? (picked + move + hits.length) % hits.length : 0;
  const item = (k, i) => element("li", { role: "option", id: `found-${i}`, "aria-selected": i === picked,
    onclick: () => find(k) }, graph.name[k], element("span", { class: "op" }, ` ${operation(k)}`));
  by("found").replaceChildren(...hits.length ? hits.map(item) : [element("li", {}, "no node has such a name")]);
  by("found").hidden = !text;
  by("search").setAttribute("aria-expanded", String(Boolean(text)));
  by("search").setAttribute("aria-activedescendant", hits.length ? `found-${picked}` : "");
  return hits;
}

async function find(k) {
  by("search").value = "";
  search();
  reveal(k);
  await layOut(k);
  tip(shown.nodes.get(k)?.g);
}
