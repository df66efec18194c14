// The quiz: you compute the next adjoint from what its users know, and the page compares it with the engine's.

const score = { right: 0, asked: 0, tried: false };

// A small calculator for answers such as -3 * 0.5: numbers, + - * / ** and brackets.
function calculated(text) {
  const tokens = text.replaceAll("−", "-").match(/(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?|\*\*|\S/gi) ?? [];
  const take = (...signs) => signs.includes(tokens[0]) ? tokens.shift() : null;
  const chain = (next, apply) => {
    let a = next(), sign;
    while ((sign = take(...Object.keys(apply)))) a = apply[sign](a, next());
    return a;
  };
  const sums = () => chain(products, { "+": (a, b) => a + b, "-": (a, b) => a - b });
  const products = () => chain(signed, { "*": (a, b) => a * b, "/": (a, b) => a / b });
  const signed = () => take("-") ? -signed() : take("+") ? signed() : power();
  const power = () => { const base = atom(); return take("**") ? base ** signed() : base; };
  const atom = () => {
    if (!take("(")) return Number(tokens.shift() ?? NaN);
    const inside = sums();
    return take(")") ? inside : NaN;
  };
  const answer = sums();
  return tokens.length ? NaN : answer;
}

const close = (answer, truth) => Math.abs(answer - truth) <= Math.max(DATA.tolerance * Math.abs(truth), 1e-7);
const listed = text => text.replace(/[[\]]/g, " ").split(/[,;]/).map(part => part.trim()).filter(Boolean);

// A number, a short list of numbers, or of a large array the shape.
function isRight(k, text) {
  const plain = shape => listed(shape.replace(/[()]/g, " ")).join();
  if (graph.shape[k]) return plain(text) === plain(graph.shape[k]);
  const answers = listed(text), truths = listed(adjoint(k));
  return answers.length === truths.length &&
    truths.every((truth, i) => answers[i] === truth || close(calculated(answers[i]), Number(truth)));
}

const unsolved = () => graph.sweep[swept()]?.[0];

function ask() {
  if (state.time < graph.forward.length) state.time = graph.forward.length;
  const k = unsolved(), done = k === undefined, name = graph.name[k];
  by("card").className = "quiz";
  by("step").replaceChildren();
  by("question").hidden = false;
  by("derivation").replaceChildren();
  by("verdict").textContent = by("verdict").className = by("answer").value = "";
  score.tried = false;
  tally();
  ["answering", "on", "readers", "known", "read"].forEach(id => { by(id).hidden = done || id === "on"; });
  by("asking").textContent = done ? "Quiz: every adjoint is solved" : `Quiz: what is ∂${name}?`;
  if (done) return;
  const users = unique(graph.into[k].map(flow => flow.from)), read = unique(users.flatMap(u => inputs(graph, u)));
  const kind = graph.shape[k] ? "shape" : adjoint(k).startsWith("[") ? "elements, with commas between them" : "value";
  const what = `Asked: its ${kind}`, equation = u => `${graph.name[u]} = ${operation(u)} = ${value(u)}`;
  by("read").textContent = users.length ? `${[name, operation(k)].filter(Boolean).join(" = ")} is read by`
    : `${name} is the result. By how much does it change when it changes by 1?`;
  by("readers").replaceChildren(...users.map(u => element("li", {}, element("code", {}, equation(u)), " with ",
    element("code", {}, `∂${graph.name[u]} = ${adjoint(u)}`))));
  by("known").textContent = `${read.map(x => `${given(x)}. `).join("")}${what}, up to ${100 * DATA.tolerance} %.`;
  by("answer").placeholder = graph.shape[k] ? "such as (3, 4)" : "such as -3 * 0.5";
  by("answer").setAttribute("aria-label", `The adjoint of ${name}. ${what}`);
}

function tally(right) {
  if (right !== undefined && !score.tried) {
    score.tried = true;
    score.asked++;
    if (right) score.right++;
  }
  by("score").textContent = `${score.right} of ${score.asked} right at the first try`;
}

function derive(k) {
  by("derivation").replaceChildren(...derivation(k));
  by("answering").hidden = true;
  by("on").hidden = false;
  by("on").focus();
}

function check(event) {
  event.preventDefault();
  const k = unsolved(), text = by("answer").value;
  if (!text.trim()) return;
  const right = isRight(k, text);
  tally(right);
  by("verdict").className = right ? "right" : "wrong";
  by("verdict").textContent = right ? `✓ Right: ∂${graph.name[k]} = ${adjoint(k)}`
    : `✗ Not yet. Add up what each user sends back: ${recurrence(k)}`;
  if (right) derive(k); else by("answer").select();
}

function setQuiz(on) {
  play(false);
  state.quiz = on;
  by("quiz").setAttribute("aria-pressed", String(on));
  show(false);
  (on && unsolved() !== undefined ? by("answer") : by("card")).focus();
}

by("answering").addEventListener("submit", check);
by("tell").addEventListener("click", () => { tally(false); derive(unsolved()); });
by("on").addEventListener("click", () => {
  go(state.time + 1, false);
  if (unsolved() !== undefined) by("answer").focus();
});
by("quiz").addEventListener("click", () => setQuiz(!state.quiz));
