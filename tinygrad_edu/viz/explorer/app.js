// The page: keys and buttons, the card of the step, the table, the quiz, the search and the training steps.

const ROWS = 60;
let timer = null;

function go(time, say = true) {
  state.time = Math.max(0, Math.min(steps(), time));
  if (state.time === steps()) play(false);
  show(say);
}

function show(say = true) {
  const scrub = by("scrub"), share = 100 * graph.forward.length / Math.max(1, steps());
  Object.assign(scrub, { max: steps(), value: state.time });
  scrub.setAttribute("aria-valuetext", sentence());
  by("forward").style.flexBasis = `${share}%`;
  by("backward").style.flexBasis = `${100 - share}%`;
  by("size").textContent = `${graph.name.length.toLocaleString("en")} nodes · step ${state.time} of ${steps()}`;
  mark();
  if (state.quiz) showQuestion(); else showStep();
  showTable();
  if (say && !timer) by("live").textContent = sentence();
}

function play(on) {
  clearInterval(timer);
  timer = on ? setInterval(() => go(state.time + 1), +by("speed").value) : null;
  by("play").textContent = on ? "⏸ Pause" : "▶ Play";
  by("play").setAttribute("aria-label", on ? "Pause" : "Play");
}

const moves = {
  first: () => go(0), back: () => go(state.time - 1), next: () => go(state.time + 1), last: () => go(steps()),
  play: () => { if (!timer && state.time === steps()) state.time = 0; play(!timer); },
};

// ---- the card of a step ---------------------------------------------------------------------------------------------

const line = (caption, text, kind = "") => element("div", { class: `line ${kind}` }, element("span", { class: "caption" }, caption), element("code", {}, text));

function told(k, title) {
  return [element("h2", {}, title), line("recurrence", recurrence(k)), line("with numbers", withNumbers(k), "numbers")];
}

function showStep() {
  const k = current(), card = by("card"), phase = going(), name = graph.name[k];
  card.className = phase;
  if (k < 0) {
    const leaves = graph.op.filter(op => op < 0).length;
    return card.replaceChildren(element("h2", {}, "Start"), element("p", {}, `${leaves.toLocaleString("en")} leaves are given: weights and data. Step on (→) to compute the first value; ` +
      `the result ${graph.name[graph.sweep[0][0]]} needs ${graph.forward.length.toLocaleString("en")} steps, and as the sweep comes back it solves ${graph.sweep.length.toLocaleString("en")} adjoints.`));
  }
  if (phase === "forward") {
    return card.replaceChildren(element("h2", {}, `Forward ${made()}: ${name}`), line("operation", `${name} = ${operation(k, false)}`),
      line("with numbers", `${operation(k, true)} = ${frame.v[k]}`, "numbers"), line("reads", [...new Set(inputs(graph, k))].map(x => `${graph.name[x]} = ${frame.v[x]}`).join(", ") || "constants"));
  }
  const flows = graph.flows.filter(flow => flow.b === swept() - 1), readers = graph.into[k].map(flow => `${symbol(flow.from)} = ${adjoint(flow.from)}`);
  card.replaceChildren(...told(k, `Backward ${swept()}: ∂${name}`), line("reads", [...new Set(readers)].join(", ") || "nothing: the result changes by 1 when it changes by 1"),
    flows.length ? element("div", { class: "scroll" }, element("table", { class: "sends" }, element("caption", {}, `sends back, so that ∂${name} is read ${flows.length === 1 ? "once" : `${flows.length} times`}`),
      row("th", ["to", "contribution", "sum so far", "rule", "with numbers"]), ...flows.map(flow => row("td", [`∂${graph.name[flow.to]}`, `+= ${frame.f[2 * flow.k]}`, frame.f[2 * flow.k + 1], contribution(flow, false), bare(contribution(flow, true))]))))
      : element("p", { class: "leaf" }, `${name} is a leaf: this is a gradient, ready for the optimiser.`));
}

// ---- the table ------------------------------------------------------------------------------------------------------

const row = (tag, cells, facts = {}) => element("tr", facts, ...cells.map(cell => element(tag, tag === "th" ? { scope: "col" } : {}, cell)));

function showTable() {
  const backward = going() === "backward", here = backward ? swept() : made(), all = backward ? graph.sweep.length : graph.forward.length;
  const from = Math.max(0, here - ROWS), jump = t => ({ onclick: () => { if (!state.quiz) go(t); } }), rows = [];
  for (let t = from; t < here; t++) {
    const k = backward ? graph.sweep[t][0] : graph.forward[t], now = t === here - 1 ? "current" : "";
    rows.push(backward ? row("td", [t + 1, `∂${graph.name[k]}`, adjoint(k), recurrence(k), withNumbers(k), Math.max(0, graph.sweep[t][2].length - 1)], { class: now, ...jump(graph.forward.length + t + 1) })
      : row("td", [t + 1, graph.name[k], frame.v[k], operation(k, false), operation(k, true)], { class: now, ...jump(t + 1) }));
  }
  const open = backward ? graph.sweep.slice(here).filter(([k]) => arrived(k).length).slice(0, ROWS) : [];
  open.forEach(([k]) => {
    const waits = graph.into[k].length - arrived(k).length;
    rows.push(row("td", ["", `∂${graph.name[k]}`, state.quiz ? "?" : sumSoFar(k), waits ? `sum so far: waits for ${waits} more` : "all has arrived", "", ""], { class: "open" }));
  });
  by("memo-title").textContent = backward ? "Memo table" : "Values";
  by("memo-note").textContent = `${here.toLocaleString("en")} of ${all.toLocaleString("en")} ${backward ? "subproblems solved" : "values computed"}` + (from ? `; the last ${ROWS} are shown` : "") + (open.length ? `; grey: sums not complete yet` : "");
  by("table").replaceChildren(row("th", backward ? ["step", "adjoint", "result", "recurrence", "with numbers", "hits"] : ["step", "node", "value", "operation", "with numbers"]), ...rows);
  const mine = by("table").querySelector(".current"), scroll = by("table").parentElement;
  if (mine) scroll.scrollTop = mine.offsetTop - scroll.clientHeight / 2;
}

// ---- the quiz -------------------------------------------------------------------------------------------------------

const score = { right: 0, asked: 0, tried: false };

// A small calculator for answers such as -3 * 0.5: numbers, + - * / ** and brackets.
function calculated(text) {
  const tokens = text.replaceAll("−", "-").match(/\d+\.?\d*(?:e[-+]?\d+)?|\.\d+(?:e[-+]?\d+)?|\*\*|[-+*/()]|\S/gi) ?? [];
  const take = (...signs) => signs.includes(tokens[0]) ? tokens.shift() : null;
  const chain = (next, ...signs) => { let a = next(), sign; while ((sign = take(...signs))) { const b = next(); a = sign === "+" ? a + b : sign === "-" ? a - b : sign === "*" ? a * b : a / b; } return a; };
  const sums = () => chain(() => chain(signed, "*", "/"), "+", "-");
  const signed = () => take("-") ? -signed() : take("+") ? signed() : power();
  const power = () => { const base = atom(); return take("**") ? base ** signed() : base; };
  const atom = () => { if (take("(")) { const inner = sums(); return take(")") ? inner : NaN; } return tokens.length ? Number(tokens.shift()) : NaN; };
  const result = sums();
  return tokens.length ? NaN : result;
}

const close = (answer, truth) => answer === truth || Math.abs(answer - truth) <= Math.max(DATA.tolerance * Math.abs(truth), 1e-7);
const list = text => text.replace(/[[\]]/g, " ").split(/[,;]/).map(part => part.trim()).filter(Boolean);

function isRight(k, text) {
  if (graph.shape[k]) return list(text.replace(/[()]/g, " ")).join() === list(graph.shape[k].replace(/[()]/g, " ")).join();
  const answers = list(text), truths = list(adjoint(k));
  return answers.length === truths.length && truths.every((truth, i) => answers[i] === truth || close(calculated(answers[i]), Number(truth)));
}

function showQuestion() {
  const card = by("card"), place = Math.max(swept(), 0), next = graph.sweep[place];
  card.className = "quiz";
  if (going() !== "backward" && state.time < graph.forward.length) return go(graph.forward.length, false);
  const tally = element("p", { class: "small" }, `${score.right} of ${score.asked} right`);
  if (!next) return card.replaceChildren(element("h2", {}, "Quiz: done"), element("p", {}, "Every adjoint is solved."), tally, element("button", { onclick: () => { Object.assign(score, { right: 0, asked: 0 }); go(graph.forward.length); } }, "Once more"));
  const k = next[0], users = [...new Set(graph.into[k].map(flow => flow.from))], what = graph.shape[k] ? "Its shape" : adjoint(k).startsWith("[") ? "Its elements, with commas" : "Its value";
  const answer = element("input", { id: "answer", autocomplete: "off", autocapitalize: "off", spellcheck: "false", "aria-label": `${what}: the adjoint of ${graph.name[k]}`, placeholder: graph.shape[k] ? "such as (3, 4)" : "such as -3 * 0.5" });
  const verdict = element("p", { id: "verdict", role: "status" });
  const told_ = element("div");
  score.tried = false;
  const tell = () => { told_.replaceChildren(...told(k, `∂${graph.name[k]} = ${adjoint(k)}`), element("button", { id: "on", onclick: () => { go(state.time + 1, false); by("answer")?.focus(); } }, "Next question")); by("on").focus(); };
  const count = right => { if (!score.tried) { score.asked++; score.right += right ? 1 : 0; score.tried = true; } tally.textContent = `${score.right} of ${score.asked} right`; };
  const check = event => {
    event.preventDefault();
    if (!answer.value.trim() || told_.childElementCount) return;
    const right = isRight(k, answer.value);
    count(right);
    verdict.className = right ? "right" : "wrong";
    verdict.textContent = right ? "✓ Right." : `✗ Not yet. Add up what each user sends back: ${recurrence(k)}`;
    if (right) tell(); else answer.select();
  };
  card.replaceChildren(element("h2", {}, `Quiz: what is ∂${graph.name[k]}?`),
    element("p", {}, users.length ? `${graph.name[k]}${graph.op[k] < 0 ? "" : ` = ${operation(k, false)}`} is read by:` : `${graph.name[k]} is the result itself. By how much does it change when it changes by 1?`),
    element("ul", {}, ...users.map(u => element("li", {}, element("code", {}, `${graph.name[u]} = ${operation(u, false)}`), ` with ∂${graph.name[u]} = ${adjoint(u)}, ${graph.name[u]} = ${frame.v[u]}`))),
    element("p", { class: "small" }, users.length ? `${[...new Set(users.flatMap(u => inputs(graph, u)))].map(x => `${graph.name[x]} = ${frame.v[x]}`).join(", ")}. ` : "", `${what}, up to ${100 * DATA.tolerance} %.`),
    element("form", { onsubmit: check }, answer, element("button", { id: "check" }, "Check"), element("button", { id: "tell", type: "button", onclick: () => { if (told_.childElementCount) return; count(false); tell(); } }, "Show me")), verdict, told_, tally);
}

// ---- hovering, searching --------------------------------------------------------------------------------------------

function tip(target) {
  const item = target?.dataset.item, box = by("tip"), k = +item;
  box.hidden = !target || Number.isNaN(k);
  if (box.hidden) return;
  const users = graph.users[k].map(u => graph.name[u]), open = sumSoFar(k);
  const facts = [["value", isMade(k) ? frame.v[k] : "not computed yet"], ["adjoint", !graph.solved.has(k) ? "needs none" : isSolved(k) ? adjoint(k) : open === null ? "not solved yet" : state.quiz ? "open" : `so far ${open}`],
    ["users", users.slice(0, 6).join(", ") + (users.length > 6 ? ` and ${users.length - 6} more` : "") || "none: the result"], ["", DATA.texts[graph.about[k]]]];
  box.replaceChildren(element("b", {}, graph.name[k] + (operation(k) ? ` = ${operation(k)}` : "")), ...facts.filter(([, text]) => text).map(([name, text]) => element("div", {}, element("span", { class: "caption" }, name), text)));
  const at = target.getBoundingClientRect(), stage = by("stage").getBoundingClientRect(), below = at.bottom - stage.top + 6;
  box.style.left = `${Math.max(4, Math.min(at.left - stage.left, stage.width - box.offsetWidth - 4))}px`;
  box.style.top = `${Math.max(4, below + box.offsetHeight > stage.height ? at.top - stage.top - box.offsetHeight - 6 : below)}px`;
}

function goTo(k) {
  if (!state.quiz) go(graph.op[k] >= 0 && going() !== "backward" ? graph.made.get(k) + 1 : graph.solved.has(k) ? graph.forward.length + graph.solved.get(k) + 1 : 0);
}

async function act(target) {
  const item = target.dataset.item;
  if (item[0] === "g" || item[0] === "c") return fold(+item.slice(1), item[0] === "g");
  goTo(+item);
}

function search() {
  const text = by("search").value.trim().toLowerCase(), found = by("found"), rank = name => name === text ? 0 : name.startsWith(text) ? 1 : 2;
  const hits = text ? [...graph.name.keys()].filter(k => graph.name[k].toLowerCase().includes(text)).sort((a, b) => rank(graph.name[a].toLowerCase()) - rank(graph.name[b].toLowerCase())).slice(0, 8) : [];
  found.replaceChildren(...hits.map(k => element("li", { role: "option", "data-node": k, onclick: () => find(k) }, graph.name[k], element("span", { class: "op" }, ` ${operation(k)} ${isMade(k) ? frame.v[k] : ""}`))));
  if (text && !hits.length) found.append(element("li", { class: "none" }, "no node has such a name"));
  found.hidden = !text;
  by("search").setAttribute("aria-expanded", String(!found.hidden));
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
  tip(box.g);
}
