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
  by("size").textContent = `${graph.name.length.toLocaleString("en")} nodes · step ${state.time} of ${steps()}`;
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
  by("step").replaceChildren(...phase === "start" ? beginning() : phase === "forward" ? forwardStep(k, name) : backwardStep(k, name));
}

function beginning() {
  const leaves = graph.name.length - graph.forward.length;
  return [element("h2", {}, "Start"), element("p", {}, `${leaves} leaves are given: weights and data. Step on (→): ` +
    `${graph.forward.length} steps forward compute ${graph.name[result()]}, then ${graph.sweep.length} steps back solve the adjoints.`)];
}

function forwardStep(k, name) {
  const read = unique(inputs(graph, k)).map(given).join(", ");
  return [element("h2", {}, `Forward ${made()}: ${name}`), line("operation", `${name} = ${operation(k)}`),
    line("with numbers", `${operation(k, true)} = ${value(k)}`, "numbers"), line("reads", read || "constants")];
}

function backwardStep(k, name) {
  const flows = graph.sent[swept() - 1], read = unique(graph.into[k].map(({ from }) => `${symbol(from)} = ${adjoint(from)}`));
  const said = [element("h2", {}, `Backward ${swept()}: ∂${name}`), ...derivation(k),
    line("reads", read.join(", ") || "nothing: the result changes by 1 when it changes by 1")];
  if (!flows.length) return [...said, element("p", { class: "small" }, `${name} is a leaf: this gradient is ready for the optimiser.`)];
  const rows = flows.map(flow => row("td", [`∂${graph.name[flow.to]}`, `+= ${flowing(flow)}`, sumAfter(flow), contribution(flow),
    bare(contribution(flow, true))]));
  return [...said, element("div", { class: "scroll" }, element("table", { id: "sends" },
    element("caption", {}, `sends back, so that ∂${name} is read ${flows.length === 1 ? "once" : `${flows.length} times`}`),
    row("th", ["to", "contribution", "sum so far", "rule", "with numbers"]), ...rows))];
}

// ---- the table ------------------------------------------------------------------------------------------------------

function fillTable() {
  const back = going() === "backward", here = back ? swept() : made(), begin = back ? graph.forward.length : 0;
  const all = back ? graph.sweep.map(([k]) => k) : graph.forward, from = Math.max(0, here - ROWS);
  const cells = (k, t) => back ? [t, `∂${graph.name[k]}`, adjoint(k), recurrence(k), withNumbers(k), Math.max(0, graph.sent[t - 1].length - 1)]
    : [t, graph.name[k], value(k), operation(k), operation(k, true)];
  const rows = all.slice(from, here).map((k, i) => row("td", cells(k, from + i + 1), {
    class: from + i + 1 === here ? "current" : "solved", onclick: () => { if (!state.quiz) go(begin + from + i + 1); } }));
  const open = back ? all.slice(here).filter(k => arrived(k).length).slice(0, ROWS) : [];
  const waiting = open.map(k => {
    const missing = graph.into[k].length - arrived(k).length, part = state.quiz ? "?" : sumSoFar(k);
    return row("td", ["", `∂${graph.name[k]}`, part, missing ? `sum so far: waits for ${missing} more` : "all has arrived", "", ""], { class: "open" });
  });
  by("memo-title").textContent = back ? "Memo table" : "Values";
  by("memo-note").textContent = `${here.toLocaleString("en")} of ${all.length.toLocaleString("en")} ` +
    (back ? "subproblems solved" : "values computed") + (from ? `, the last ${ROWS} shown` : "") + (open.length ? "; grey: not solved yet" : "");
  by("table").replaceChildren(row("th", back ? ["step", "adjoint", "result", "recurrence", "with numbers", "hits"]
    : ["step", "node", "value", "operation", "with numbers"]), ...rows, ...waiting);
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
  const users = graph.users[k].map(u => graph.name[u]), more = users.length > 6 ? ` and ${users.length - 6} more` : "";
  const facts = [["value", isMade(k) ? value(k) : "not computed yet"], ["adjoint", adjointNow(k)],
    ["users", users.slice(0, 6).join(", ") + more || "none: the result"], ["", DATA.texts[graph.about[k]]]];
  box.replaceChildren(element("b", {}, [graph.name[k], operation(k)].filter(Boolean).join(" = ")),
    ...facts.filter(([, text]) => text).map(([name, text]) => element("div", {}, element("span", { class: "caption" }, name), text)));
  const at = target.getBoundingClientRect(), room = by("stage").getBoundingClientRect(), below = at.bottom - room.top + 6;
  const top = below + box.offsetHeight > room.height ? at.top - room.top - box.offsetHeight - 6 : below;
  box.style.left = `${Math.max(4, Math.min(at.left - room.left, room.width - box.offsetWidth - 4))}px`;
  box.style.top = `${Math.max(4, top)}px`;
}

// Enter or two clicks on a node: its step. On a layer: fold or unfold.
function act({ dataset: { item } }) {
  if (/[gc]/.test(item[0])) return fold(+item.slice(1), item[0] === "g");
  const k = +item, back = going() === "backward" || graph.op[k] < 0;
  if (!state.quiz) go(!back ? graph.made.get(k) + 1 : graph.solved.has(k) ? graph.forward.length + graph.solved.get(k) + 1 : 0);
}

// ---- searching ------------------------------------------------------------------------------------------------------

function matches(text) {
  const rank = k => { const name = graph.name[k].toLowerCase(); return name === text ? 0 : name.startsWith(text) ? 1 : name.includes(text) ? 2 : 3; };
  return text ? [...graph.name.keys()].filter(k => rank(k) < 3).sort((a, b) => rank(a) - rank(b)).slice(0, 8) : [];
}

function search() {
  const text = by("search").value.trim().toLowerCase(), hits = matches(text);
  by("found").replaceChildren(...hits.map(k => element("li", { role: "option", onclick: () => find(k) }, graph.name[k],
    element("span", { class: "op" }, ` ${operation(k)}`))), ...(text && !hits.length ? [element("li", {}, "no node has such a name")] : []));
  by("found").hidden = !text;
  by("search").setAttribute("aria-expanded", String(Boolean(text)));
  return hits;
}

async function find(k) {
  by("search").value = "";
  search();
  reveal(k);
  await layOut();
  const box = shown.nodes.get(k);
  if (!box) return;
  centre(box);
  box.g.focus({ preventScroll: true });
}
