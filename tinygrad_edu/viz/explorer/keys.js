// Keys, buttons, pointers; and the beginning.

function foldAll(all) {
  if (!all && graph.name.length > MANY) by("live").textContent = `${graph.name.length} nodes are too many at once: as much is unfolded as can be read`;
  if (all) state.open.clear(); else unfoldWhatFits(graph.name.length > MANY ? 150 : Infinity);
  layOut({ keep: false });
}

function setQuiz(on) {
  play(false);
  state.quiz = on;
  by("quiz").setAttribute("aria-pressed", String(on));
  show(false);
  (by("answer") ?? by("card")).focus();
}

function setTheme() {
  const root = document.documentElement, dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
}

const keys = {
  ArrowRight: moves.next, ArrowLeft: moves.back, Home: moves.first, End: moves.last, " ": moves.play, b: () => go(graph.forward.length + 1),
  "[": () => pickFrame(state.frame - 1), "]": () => pickFrame(state.frame + 1), "/": () => by("search").focus(), "?": () => by("keys").showModal(),
  f: () => foldAll(true), u: () => foldAll(false), "+": () => zoom(1.25), "-": () => zoom(0.8), 0: () => fit(true), q: () => setQuiz(!state.quiz), d: setTheme,
};

document.addEventListener("keydown", event => {
  const { target, key } = event, item = target.closest?.("[data-item]");
  if (event.ctrlKey || event.metaKey || event.altKey || by("keys").open) return;
  if (key === "Escape") { tip(null); if (target.matches("#search")) { by("search").value = ""; search(); } return; }
  if (item && (key === "Enter" || key === " ")) { event.preventDefault(); return act(item); }
  if (target.matches("#search, #answer, select") || (key === " " && target.matches("button")) || (target.matches("input") && key.startsWith("Arrow"))) return;
  if (keys[key]) { event.preventDefault(); keys[key](); }
});
document.querySelectorAll("[data-go]").forEach(button => button.addEventListener("click", () => moves[button.dataset.go]()));
document.querySelectorAll("[data-zoom]").forEach(button => button.addEventListener("click", () => button.dataset.zoom === "fit" ? fit(true) : zoom(+button.dataset.zoom)));
document.querySelectorAll("[data-fold]").forEach(button => button.addEventListener("click", () => foldAll(button.dataset.fold === "all")));
by("scrub").addEventListener("input", event => { play(false); go(+event.target.value); });
by("frame").addEventListener("input", event => pickFrame(+event.target.value));
by("speed").addEventListener("change", () => { if (timer) play(true); });
by("quiz").addEventListener("click", () => setQuiz(!state.quiz));
by("theme").addEventListener("click", setTheme);
by("help").addEventListener("click", keys["?"]);
by("search").addEventListener("input", search);
by("search").addEventListener("keydown", event => {
  if (event.key === "Enter") { const [k] = search(); if (k !== undefined) find(k); }
  if (event.key === "ArrowDown") by("found").firstChild?.focus();
});

const stage = by("graph"), fingers = new Map();
let moved = 0, pressed = null;
stage.addEventListener("pointerdown", event => { fingers.set(event.pointerId, [event.clientX, event.clientY]); moved = 0; pressed = event.target.closest("[data-item]"); });
stage.addEventListener("pointermove", event => {
  const was = fingers.get(event.pointerId), now = [event.clientX, event.clientY];
  if (!was) return;
  const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1], apart = p => Math.hypot(p[0] - other[0], p[1] - other[1]);
  moved += Math.hypot(now[0] - was[0], now[1] - was[1]);
  if (moved > 4 && !stage.hasPointerCapture(event.pointerId)) stage.setPointerCapture(event.pointerId);
  if (other) { const { left, top } = stage.getBoundingClientRect(); zoom(apart(now) / Math.max(1, apart(was)), (now[0] + other[0]) / 2 - left, (now[1] + other[1]) / 2 - top); }
  else if (moved > 4) { view.x -= (now[0] - was[0]) / view.scale; view.y -= (now[1] - was[1]) / view.scale; tip(null); look(); }
  fingers.set(event.pointerId, now);
});
["pointerup", "pointercancel"].forEach(kind => stage.addEventListener(kind, event => {
  fingers.delete(event.pointerId);
  if (kind === "pointerup" && moved <= 4 && pressed && /[gc]/.test(pressed.dataset.item[0])) act(pressed);
}));
stage.addEventListener("dblclick", event => { const item = event.target.closest(".node:not(.group)"); if (item) act(item); });
stage.addEventListener("wheel", event => { event.preventDefault(); const { left, top } = stage.getBoundingClientRect(); zoom(Math.exp(-event.deltaY / 400), event.clientX - left, event.clientY - top); }, { passive: false });
["pointerover", "focusin"].forEach(kind => stage.addEventListener(kind, event => { if (!fingers.size || kind === "focusin") tip(event.target.closest(".node:not(.group)")); }));
["pointerleave", "focusout"].forEach(kind => stage.addEventListener(kind, () => tip(null)));
new ResizeObserver(() => { const { x, y, width, height, scale } = view; measured(); view.x = x + (width - view.width) / scale / 2; view.y = y + (height - view.height) / scale / 2; look(); }).observe(stage);

choose(0);
prepareOnce();
unfoldWhatFits();
showTraining();
show(false);
layOut({ keep: false });
