// Colleagues' work beside the desk: Ctrl+K goes to the search and back to the same place in the text, arrows go through
// what is found; the prompt is compared with the others while it is typed.
import "./reasons.mjs";

const PAUSE = 500;
const AGAIN = 1500;
const byId = (id) => document.getElementById(id);
const panel = () => byId("colleagues-panel");
const shown = () => panel()?.matches(":popover-open");
const hits = () => [...document.querySelectorAll("[data-hit]")];

// The panel stands at the end of the page: in the form its search would be a field of the example, and hidden with it.
function moveOut() {
  const fresh = document.querySelector("#colleagues #colleagues-panel");
  if (!fresh) return;
  const kept = document.querySelector("body > #colleagues-panel");
  if (kept) return fresh.remove();
  document.body.append(fresh);
  fresh.addEventListener("toggle", ({ newState }) => newState === "closed" && goBack());
}

// Where one was: the text box, the cursor in it, and how far it is scrolled.
let place = null;

function open() {
  if (!panel() || shown()) return;
  const box = document.activeElement?.matches("textarea") ? document.activeElement : null;
  place = box && { id: box.id, start: box.selectionStart, end: box.selectionEnd, direction: box.selectionDirection };
  const words = box?.value.slice(box.selectionStart, box.selectionEnd).trim() ?? "";
  panel().showPopover();
  const field = byId("colleagues-q");
  if (words && words.length <= field.maxLength && !words.includes("\n")) ask(field, words);
  field.focus();
  field.select();
}

function ask(field, words) {
  field.value = words;
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

function goBack() {
  const box = place && byId(place.id);
  if (!box) return;
  box.focus({ preventScroll: true });
  box.setSelectionRange(place.start, place.end, place.direction);
  place = null;
}

document.addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey || !panel()) return;
  event.preventDefault();
  if (shown()) panel().hidePopover();
  else open();
});

document.addEventListener("click", (event) => {
  const way = event.target.closest?.("#colleagues-open, [data-colleague]");
  if (!way || !panel() || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  open();
});

/** Arrows: down and up through what is found, right into the text that is open, left back to its line. */
document.addEventListener("keydown", (event) => {
  const here = document.activeElement;
  if (event.ctrlKey || event.metaKey || event.altKey || !here?.closest("#colleagues-panel, .colleagues-split")) return;
  const act = { ArrowDown: () => step(here, 1), ArrowUp: () => step(here, -1), ArrowRight: () => read(here), ArrowLeft: () => leave(here), Enter: () => openFirst(here) }[event.key];
  if (act?.()) event.preventDefault();
});

function step(here, by) {
  const all = hits();
  const at = all.indexOf(here);
  if (here.id !== "colleagues-q" && at < 0) return false;
  const next = at + by;
  (next < 0 ? byId("colleagues-q") : all[Math.min(next, all.length - 1)])?.focus();
  return true;
}

// What is found may come anew while one stands on a line of it: one stands on the same line afterwards.
let line = "";
document.addEventListener("focusin", (event) => { line = event.target.closest?.("[data-hit]")?.pathname ?? ""; });

function stay() {
  if (shown() && document.activeElement === document.body) (hits().find((one) => one.pathname === line) ?? byId("colleagues-q")).focus();
}

function read(here) {
  if (!here.matches("[data-hit]") || !byId("colleague-text").hasAttribute("tabindex")) return false;
  byId("colleague-text").focus();
  return true;
}

function leave(here) {
  if (here.id !== "colleague-text") return false;
  (document.querySelector("[data-hit][aria-current]") ?? hits()[0] ?? byId("colleagues-q"))?.focus();
  return true;
}

function openFirst(here) {
  if (here.id !== "colleagues-q" || !here.closest("#colleagues-panel")) return false;
  hits()[0]?.focus();
  hits()[0]?.click();
  return true;
}

document.addEventListener("click", (event) => {
  const hit = event.target.closest?.("[data-hit]");
  for (const one of hit ? hits() : []) {
    one.classList.toggle("at", one === hit);
    if (one === hit) one.setAttribute("aria-current", "true");
    else one.removeAttribute("aria-current");
  }
});

// What the prompt is near to, asked once somebody pauses. Its own fields are none of the example.
let pause = 0;

function compare(wait) {
  clearTimeout(pause);
  pause = setTimeout(() => byId("nearness")?.dispatchEvent(new Event("ask")), wait);
}

document.addEventListener("input", (event) => {
  if (event.target.closest?.("#nearness")) event.stopPropagation();
}, true);
document.addEventListener("input", (event) => event.target.matches?.("#desk-form textarea.prompt") && compare(PAUSE));
document.addEventListener("change", (event) => event.target.matches?.("#desk-form [name='split']") && compare(0));

document.addEventListener("htmx:after:swap", ({ detail }) => {
  moveOut();
  const target = detail.ctx?.target?.id;
  if (target === "nearness") {
    said();
    if (document.querySelector("#nearness [data-again]")) compare(AGAIN);
  }
  if (document.querySelector("#colleagues-panel #colleagues-hits [data-again]")) setTimeout(() => byId("colleagues-q")?.dispatchEvent(new Event("again")), AGAIN);
  if (target === "colleagues-hits") stay();
  if (target === "colleague-text") byId("colleague-text").scrollTop = 0;
});

/** For those who hear the page: the heads of what is near, when they change. */
function said() {
  const words = [...document.querySelectorAll("#nearness > [data-near] > summary")].map((head) => head.textContent.trim()).join(". ");
  const out = byId("nearness-said");
  if (out && out.textContent !== words) out.textContent = words;
  sign(document.querySelector("#nearness > [data-near]"));
}

// Under a long prompt the note may be out of sight: then the head of the prompt says so, and leads there.
const watch = new IntersectionObserver(([seen]) => {
  const link = byId("near-sign");
  if (link) link.hidden = seen.isIntersecting;
});

function sign(note) {
  watch.disconnect();
  byId("near-sign")?.remove();
  const head = byId("prompt-head");
  if (!note || !head) return;
  const words = note.querySelector("summary").textContent.trim();
  head.after(Object.assign(document.createElement("a"), { id: "near-sign", href: "#nearness", textContent: `${words} ↓`, className: note.classList.contains("danger") ? "danger" : "", hidden: true }));
  watch.observe(note.querySelector("summary"));
}

moveOut();
