// Keys, buttons and pointers; and the beginning.

function foldAll(all) {
  const much = graph.name.length > MANY;
  if (!all && much) by("live").textContent = `${counted(graph.name.length, "node")} are too many at once: a part is unfolded`;
  if (all) state.open.clear(); else unfoldWhatFits(much ? READABLE * 4 : Infinity);
  layOut();
}

function setTheme() {
  const { dataset } = document.documentElement, dark = matchMedia("(prefers-color-scheme: dark)").matches;
  dataset.theme = (dataset.theme ?? (dark ? "dark" : "light")) === "dark" ? "light" : "dark";
}

const keys = {
  ArrowRight: moves.next, ArrowLeft: moves.back, Home: moves.first, End: moves.last, " ": moves.play,
  b: () => go(graph.forward.length + 1), "[": () => pickFrame(state.frame - 1), "]": () => pickFrame(state.frame + 1),
  "/": () => by("search").focus(), "?": () => by("keys").showModal(), f: () => foldAll(true), u: () => foldAll(false),
  "+": () => zoom(1.25), "-": () => zoom(0.8), 0: () => fit(true), q: () => setQuiz(!state.quiz), d: setTheme,
};

document.addEventListener("keydown", event => {
  const { target, key } = event, item = target.closest?.("[data-item]");
  if (event.ctrlKey || event.metaKey || event.altKey || by("keys").open) return;
  if (key === "Escape") tip(null);
  if (item && (key === "Enter" || key === " ")) {
    event.preventDefault();
    return act(item);
  }
  const itsOwn = target.matches("input") ? /^(Arrow|Home|End)/ : /^ $/;
  if (!keys[key] || target.matches("#search, #answer, select")) return;
  if (target.matches("input, button, summary") && itsOwn.test(key)) return;
  event.preventDefault();
  keys[key]();
});

const on = (target, kinds, act, options) =>
  kinds.split(" ").forEach(kind => target.addEventListener(kind, act, options));
const each = (name, act) =>
  document.querySelectorAll(`[data-${name}]`).forEach(one => on(one, "click", () => act(one.dataset[name])));

each("go", to => moves[to]());
each("zoom", factor => factor === "fit" ? fit(true) : zoom(+factor));
each("fold", what => foldAll(what === "all"));
on(by("scrub"), "input", event => { play(false); go(+event.target.value); });
on(by("frame"), "input", event => pickFrame(+event.target.value));
on(by("speed"), "change", () => { if (timer) play(true); });
on(by("theme"), "click", setTheme);
on(by("help"), "click", keys["?"]);
on(by("keys"), "close", () => { if (by("keys").contains(document.activeElement)) document.activeElement.blur(); });
on(by("search"), "input", () => { picked = 0; search(); });
on(by("search"), "keydown", event => {
  const move = { ArrowDown: 1, ArrowUp: -1 }[event.key] ?? 0;
  if (move) event.preventDefault();
  if (event.key === "Escape") event.target.value = "";
  const k = search(move)[picked];
  if (event.key === "Enter" && k !== undefined) find(k);
});

const svg = by("graph"), fingers = new Map();
let moved = 0, pressed = null;

on(svg, "pointerdown", event => {
  fingers.set(event.pointerId, [event.clientX, event.clientY]);
  moved = 0;
  pressed = event.target.closest("[data-item]");
});
on(svg, "pointermove", event => {
  const was = fingers.get(event.pointerId), now = [event.clientX, event.clientY];
  if (!was) return;
  const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1], { left, top } = svg.getBoundingClientRect();
  moved += Math.hypot(now[0] - was[0], now[1] - was[1]);
  fingers.set(event.pointerId, now);
  if (moved <= 4) return;
  svg.setPointerCapture(event.pointerId);
  tip(null);
  if (other) {
    const apart = at => Math.max(1, Math.hypot(at[0] - other[0], at[1] - other[1]));
    return zoom(apart(now) / apart(was), (now[0] + other[0]) / 2 - left, (now[1] + other[1]) / 2 - top);
  }
  view.x -= (now[0] - was[0]) / view.scale;
  view.y -= (now[1] - was[1]) / view.scale;
  look();
});
on(svg, "pointerup pointercancel", event => {
  const item = pressed;
  fingers.delete(event.pointerId);
  if (event.type === "pointercancel" || moved > 4 || !item) return;
  if (item.matches(".group, .cluster")) act(item); else setTimeout(() => tip(item));      // a touch leaves as it ends
});
on(svg, "dblclick", event => { if (pressed?.matches(".node:not(.group)")) act(pressed); });
on(svg, "wheel", event => {
  const { left, top } = svg.getBoundingClientRect();
  event.preventDefault();
  zoom(Math.exp(-event.deltaY / 400), event.clientX - left, event.clientY - top);
}, { passive: false });
on(svg, "focusin", ({ target }) => {                   // what has the focus can be seen
  follow(boxOf(target.dataset.item));
  tip(target);
});
on(svg, "pointerover", event => { if (!fingers.size) tip(event.target.closest("[data-item]")); });
on(svg, "pointerleave focusout", () => tip(null));

new ResizeObserver(() => {                            // keep the middle where it is
  const { width, height, scale } = view;
  measured();
  view.x += (width - view.width) / scale / 2;
  view.y += (height - view.height) / scale / 2;
  look();
}).observe(svg);

choose(0);
unfoldWhatFits();
showTraining();
show(false);
layOut();
