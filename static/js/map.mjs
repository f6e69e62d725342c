// The pool's map: look closer, move, draw a line around candidates, choose a region, open a candidate. What is chosen
// stands in the address, so that it outlasts an act and can be shown to others; mappanel.mjs says beside it what it is.
import { Camera, Picture, rgb } from "./mapcanvas.mjs";
import { FULL, cornersOf, idOf, indexOf, inside, lineOf, nearest, simplified, unpack } from "./mappoints.mjs";
import { fill, titlesOf } from "./mappanel.mjs";

const atlas = document.getElementById("atlas");
const stage = atlas.querySelector(".stage");
const over = stage.querySelector(".over");
const tools = atlas.querySelector(".map-tools");
const legend = document.getElementById("map-legend");
const picture = new Picture(stage.querySelector("canvas"));
const camera = new Camera();
const REACH = 9;
const CLICK = 4;
const labels = new Map([...over.querySelectorAll("a[data-region]")].map((link) => [Number(link.dataset.region), link]));
const tip = over.querySelector(".tip");
let points, index, colours, asked, line, pressed, hovered;
let lassoing = false;
const state = { by: atlas.dataset.by, region: Number(atlas.dataset.region) || null, corners: atlas.dataset.lasso ? cornersOf(atlas.dataset.lasso) : null, mask: null, hidden: new Set() };

/* What a value is called and which swatch it has; a swatch's own colour, light or dark, is the one that is drawn. */
const KINDS = {
  source: ({ sources }) => sources.map(({ title, tint }) => [title, tint]),
  state: ({ states }) => states.map((name) => [{ open: "Not judged", kept: "Kept", rejected: "Rejected", used: "Used" }[name], `by-${name}`]),
  region: ({ regions }) => [["None", "s0"], ...regions.map(({ name }, at) => [`${at + 1} ${name}`, `s${(at % 8) + 1}`])],
  split: ({ splits }) => splits.map((name, at) => [name[0].toUpperCase() + name.slice(1), ["s1", "s5", "s4"][at] ?? "s0"]),
};

function showLegend() {
  const there = new Set(points[state.by]);
  const named = KINDS[state.by](points.head);
  legend.replaceChildren(...named.flatMap(([title, tint], value) => {
    const swatch = Object.assign(document.createElement("button"), { type: "button", className: `badge source ${tint}`, textContent: title });
    swatch.setAttribute("aria-pressed", String(!state.hidden.has(value)));
    swatch.title = "Show or hide";
    swatch.addEventListener("click", () => {
      state.hidden[state.hidden.has(value) ? "delete" : "add"](value);
      swatch.setAttribute("aria-pressed", String(!state.hidden.has(value)));
      draw();
    });
    swatch.dataset.value = value;
    swatch.hidden = !there.has(value);
    return [swatch];
  }));
  readColours();
}

function readColours() {
  colours = [];
  for (const swatch of legend.children) colours[swatch.dataset.value] = rgb(getComputedStyle(swatch, "::before").color);
}

/** Once a frame, however often it is asked for. */
function draw() {
  asked ??= requestAnimationFrame(() => {
    asked = null;
    if (!points) return;
    const style = getComputedStyle(stage);
    picture.draw(points, camera, { ...state, kind: state.by, colours, ground: rgb(style.backgroundColor), ink: rgb(style.color) });
    overlay();
  });
}

const size = () => [over.clientWidth || over.getBoundingClientRect().width, over.clientHeight || over.getBoundingClientRect().height];
const toScreen = (x, y, [width, height] = size()) => [((x - camera.x) * camera.zoom * width) / FULL, ((y - camera.y) * camera.zoom * height) / FULL];

function toMap(event) {
  const box = over.getBoundingClientRect();
  const [pixelX, pixelY] = camera.pixels(box.width, box.height);
  return [camera.x + (event.clientX - box.left) * pixelX, camera.y + (event.clientY - box.top) * pixelY];
}

/** Names, line and tip lie over the picture and move with it; names that would lie on one another step aside. */
function overlay() {
  const [width, height] = size();
  const taken = [];
  for (const [number, link] of labels) {
    const { x, y } = points.head.regions[number - 1];
    let [left, top] = toScreen(x, y, [width, height]);
    const away = left < 0 || top < 0 || left > width || top > height;
    link.toggleAttribute("hidden", away);
    link.classList.toggle("at", state.region === number);
    if (away) continue;
    const text = link.firstElementChild;
    const half = text.getComputedTextLength() / 2 + 8;
    left = Math.min(width - half, Math.max(half, left));
    top = Math.min(height - 8, Math.max(14, top));
    for (let step = 1; taken.some((one) => Math.abs(one.left - left) < one.half + half && Math.abs(one.top - top) < 18) && step < 19; step++)
      top = Math.min(height - 8, Math.max(14, top + (step % 2 ? -1 : 1) * step * 18));
    taken.push({ left, top, half });
    text.setAttribute("x", left.toFixed(1));
    text.setAttribute("y", top.toFixed(1));
  }
  const path = over.querySelector(".lasso");
  const corners = line ?? state.corners;
  path.toggleAttribute("hidden", !corners);
  if (corners) path.setAttribute("d", `M${corners.map(([x, y]) => toScreen(x, y, [width, height]).map((one) => one.toFixed(1)).join(" ")).join("L")}Z`);
  showTip();
}

async function showTip() {
  tip.toggleAttribute("hidden", hovered === undefined);
  if (hovered === undefined) return;
  const at = hovered;
  const [width, height] = size();
  const [x, y] = toScreen(points.x[at], points.y[at], [width, height]);
  const mark = tip.querySelector(".mark");
  mark.setAttribute("x", (x - 5.5).toFixed(1));
  mark.setAttribute("y", (y - 5.5).toFixed(1));
  const [what, whose] = [tip.querySelector(".what"), tip.querySelector(".whose")];
  const below = y < height / 2;
  for (const [text, off] of [[what, below ? 24 : -28], [whose, below ? 41 : -11]]) {
    text.setAttribute("x", (x < width / 3 ? x - 4 : x > (2 * width) / 3 ? x + 4 : x).toFixed(1));
    text.setAttribute("y", (y + off).toFixed(1));
    text.setAttribute("class", `${text === what ? "what" : "whose"} ${x < width / 3 ? "start" : x > (2 * width) / 3 ? "end" : ""}`);
  }
  whose.textContent = [points.head.sources[points.source[at]].title, { open: "not judged" }[points.head.states[points.state[at]]] ?? points.head.states[points.state[at]], `nearest example .${String(points.near[at]).padStart(2, "0")}`].join(", ").replace(".100", "1.00");
  what.textContent = "";
  const title = (await titlesOf(atlas.dataset.titles, [idOf(points, at)])).get(idOf(points, at)) ?? "";
  const room = Math.max(24, Math.floor(width / 9));
  if (hovered === at) what.textContent = title.length > room ? `${title.slice(0, room - 1)}…` : title;
}

/** What is chosen: a region, a line, or nothing; in the picture, beside it, in the table and in the address. */
function choose({ region = null, corners = null }) {
  region = labels.has(region) ? region : null; // an address may be older than the map
  [state.region, state.corners] = [region, corners];
  state.mask = null;
  if (corners) {
    state.mask = inside(points, corners);
    state.mask.own = inside(points.own, corners);
  } else if (region) {
    state.mask = points.region.map((one) => Number(one === region));
    state.mask.own = points.own.region.map((one) => Number(one === region));
  }
  for (const row of document.querySelectorAll(".regions tr[data-region]")) row.classList.toggle("at", Number(row.dataset.region) === region);
  const query = new URLSearchParams();
  if (region) query.set("region", region);
  if (corners) query.set("lasso", lineOf(corners));
  if (state.by !== "source") query.set("by", state.by);
  history.replaceState(null, "", `${atlas.dataset.here}${query.size ? `?${query}` : ""}`);
  fill(atlas, points, state, query);
  draw();
}

function setLasso(on) {
  lassoing = on;
  stage.classList.toggle("lassoing", on);
  tools.querySelector("[data-tool=lasso]").setAttribute("aria-pressed", String(on));
}

function magnify(factor, event) {
  const box = over.getBoundingClientRect();
  camera.magnify(factor, ...(event ? [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height] : []));
  draw();
}

const TOOLS = {
  lasso: () => setLasso(!lassoing),
  closer: () => magnify(1.6),
  farther: () => magnify(1 / 1.6),
  whole: () => (camera.whole(), draw()),
};

function press(event) {
  if (event.button || !points || (pressed && pressed.id !== event.pointerId)) return;
  pressed = { id: event.pointerId, at: toMap(event), x: event.clientX, y: event.clientY, moved: false, label: event.target.closest("a[data-region]") };
  if (lassoing || event.shiftKey) {
    line = [pressed.at];
    event.preventDefault();
  }
}

function drag(event) {
  if (!points) return;
  if (!pressed || pressed.id !== event.pointerId) return hover(event);
  if (!pressed.moved && Math.hypot(event.clientX - pressed.x, event.clientY - pressed.y) > CLICK) {
    pressed.moved = true;
    over.setPointerCapture(event.pointerId);
    hovered = undefined;
  }
  if (!pressed.moved) return;
  const [x, y] = toMap(event);
  if (line) line.push([x, y]);
  else camera.move(pressed.at[0] - x, pressed.at[1] - y);
  draw();
}

function release(event) {
  if (!pressed || pressed.id !== event.pointerId) return;
  const { moved, label } = pressed;
  const drawn = line;
  pressed = line = undefined;
  if (drawn && moved) {
    const corners = simplified(drawn);
    setLasso(false);
    choose(corners.length > 2 ? { corners } : {});
  } else if (!moved && !label && event.type === "pointerup") open(event);
  draw();
}

function under(event) {
  const box = over.getBoundingClientRect();
  const found = nearest(points, index, ...toMap(event), ...camera.pixels(box.width, box.height), event.pointerType === "touch" ? 2 * REACH : REACH);
  return found < 0 || state.hidden.has(points[state.by][found]) ? undefined : found;
}

let waits;
function hover(event) {
  const found = event.target.closest("a[data-region]") ? undefined : under(event);
  if (found === hovered) return;
  hovered = found;
  stage.classList.toggle("pointing", found !== undefined);
  // Who only passes over does not ask for every title.
  clearTimeout(waits);
  waits = setTimeout(showTip, 40);
}

function open(event) {
  const found = under(event);
  if (found === undefined) return;
  const address = `${atlas.dataset.pool}/${idOf(points, found)}?status=all&region=${points.region[found]}`;
  if (event.ctrlKey || event.metaKey) window.open(address, "_blank", "noopener");
  else location.assign(address);
}

/** The region that lies nearest in a direction, what is off to the side counting double; from nowhere the first. */
function step(key) {
  const from = state.region && points.head.regions[state.region - 1];
  if (!from) return 1;
  const [ax, ay] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key];
  let [best, least] = [state.region, Infinity];
  points.head.regions.forEach(({ x, y }, at) => {
    const along = (x - from.x) * ax + (y - from.y) * ay;
    const off = along + 2 * Math.abs((x - from.x) * ay + (y - from.y) * ax);
    if (along > 0 && off < least) [best, least] = [at + 1, off];
  });
  return best;
}

function key(event) {
  const typing = event.target.closest?.("input, textarea, select, [contenteditable], dialog, [popover]");
  if (!points || typing || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  const number = Number(event.key);
  if (event.key.startsWith("Arrow") && over.contains(document.activeElement)) go(step(event.key));
  else if (number >= 1 && number <= labels.size) go(number);
  else if (event.key === "Escape" && (lassoing || state.mask)) (setLasso(false), choose({}));
  else return;
  event.preventDefault();
}

function go(region) {
  choose({ region });
  labels.get(region)?.focus({ preventScroll: true });
}

function listen() {
  over.addEventListener("pointerdown", press);
  over.addEventListener("pointermove", drag);
  for (const end of ["pointerup", "pointercancel"]) over.addEventListener(end, release);
  over.addEventListener("pointerleave", () => { hovered = undefined; clearTimeout(waits); showTip(); });
  over.addEventListener("wheel", (event) => { event.preventDefault(); magnify(Math.exp(-event.deltaY / (event.deltaMode ? 20 : 400)), event); }, { passive: false });
  // A click on a name chooses the region; Enter on it, as on any link, opens it.
  for (const [number, link] of labels) link.addEventListener("click", (event) => {
    if (!event.detail || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    choose({ region: state.region === number ? null : number });
  });
  document.addEventListener("keydown", key);
  for (const button of tools.querySelectorAll("[data-tool]")) button.addEventListener("click", () => TOOLS[button.dataset.tool]());
  document.getElementById("map-by").addEventListener("change", ({ target }) => {
    [state.by, state.hidden] = [target.value, new Set()];
    showLegend();
    choose(state);
  });
  new ResizeObserver(draw).observe(stage);
  const again = () => (readColours(), draw());
  new MutationObserver(again).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
}

async function begin() {
  const told = stage.querySelector(".loading");
  try {
    const answer = await fetch(atlas.dataset.points, { credentials: "same-origin" });
    if (!answer.ok) throw new Error(String(answer.status));
    points = unpack(await answer.arrayBuffer());
  } catch {
    told.textContent = "The points did not arrive; the table below says the same. Load the page again to try once more.";
    return;
  }
  told.remove();
  index = indexOf(points);
  tools.hidden = false;
  showLegend();
  listen();
  choose(state);
  stage.dataset.drawn = String(points.n);
}

begin();
