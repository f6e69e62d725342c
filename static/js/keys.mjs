// Keys: j and k move over the rows of a list, Enter opens (the row is a link), / searches, ? shows all keys, and every
// button with data-key is pressed by its key. Never while somebody types.
import { tinykeys } from "../vendor/tinykeys-4.0.0.min.mjs";

const typing = (target) => target.closest?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");
const shown = (element) => element.checkVisibility?.() ?? element.offsetParent !== null;
const rows = () => [...document.querySelectorAll("[data-row]")].filter(shown);

function move(step) {
  const all = rows();
  if (!all.length) return false;
  const at = all.findIndex((row) => row === document.activeElement || row.contains(document.activeElement));
  const current = at >= 0 ? at : all.findIndex((row) => row.closest("[aria-current], .at"));
  const next = all[Math.min(Math.max(current + step, 0), all.length - 1)];
  (next.matches("a, button") ? next : next.querySelector("a, button"))?.focus();
  return true;
}

function search() {
  const field = document.querySelector("[data-search]");
  field?.focus();
  field?.select();
  return Boolean(field);
}

function help() {
  document.getElementById("keys-help")?.togglePopover();
  return true;
}

/** The list says what is true here: the keys on this page's buttons, and of the rest what has something to act on. */
document.getElementById("keys-help")?.addEventListener("beforetoggle", ({ target, newState }) => {
  if (newState !== "open") return;
  for (const entry of target.querySelectorAll("[data-on]")) entry.hidden = !document.querySelector(entry.dataset.on);
  for (const entry of target.querySelectorAll("[data-own]")) entry.remove();
  const own = new Map(pressable().map((button) => [button.dataset.key, words(button)]));
  target.querySelector("dl").prepend(...[...own].flatMap(([key, does]) => entryOf(key.split(" "), does)));
});

const pressable = () => [...document.querySelectorAll("[data-key]:not([aria-disabled=true], [popover] *)")].filter(shown);
const words = (button) => button.getAttribute("aria-label") ?? [...button.childNodes].filter((node) => node.nodeName !== "KBD").map((node) => node.textContent).join("").trim();

function entryOf(names, does) {
  const key = document.createElement("dt");
  for (const name of names) key.append(Object.assign(document.createElement("kbd"), { textContent: name }), " ");
  const act = Object.assign(document.createElement("dd"), { textContent: does });
  key.dataset.own = act.dataset.own = "";
  return [key, act];
}

/** Press the visible button that carries this key; what asks back (a popover) counts as well. */
function press(key) {
  const scope = document.querySelector("dialog[open], [popover]:popover-open:not(#said)") ?? document;
  const button = [...scope.querySelectorAll("[data-key]")].find((one) => one.dataset.key === key && shown(one));
  if (!button || button.getAttribute("aria-disabled") === "true") return false;
  button.classList.add("chosen");
  setTimeout(() => button.classList.remove("chosen"), 150);
  if (button.matches("input")) button.focus(); // what it opens is the next thing that Tab comes to
  button.click();
  return true;
}

const plain = (event) => !event.ctrlKey && !event.metaKey && !event.altKey && !typing(event.target);
const handle = (act) => (event) => {
  if (plain(event) && act(event)) event.preventDefault();
};

tinykeys(window, {
  j: handle(() => move(1)),
  k: handle(() => move(-1)),
  "/": handle(search),
  "Shift+?": handle(help),
  "?": handle(help),
}, { ignore: (event) => event.repeat || event.isComposing }); // of its own it would ignore every box that is checked, too

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.repeat || event.isComposing || event.key.length > 1) return;
  if (plain(event) && press(event.key)) event.preventDefault();
  // The way to the next piece of work is open while one types, too.
  if (event.ctrlKey && !event.altKey && !event.metaKey && event.key === "]" && press("Ctrl ]")) event.preventDefault();
});
