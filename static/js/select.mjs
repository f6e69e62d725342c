// Rows are selected by their boxes: a click with Shift takes all between, s takes the row that is looked at.
// What was selected stays so while the page changes and the list is the same: another candidate, a title judged by a key,
// another of its pages. It ends with the act, or with another list.
const KEY = "handpicked:selected";
let list = null;
let chosen = new Set();
let last = null;

// What is chosen is the truth and the boxes show it: a swap may bring fresh boxes a moment before it is told.
function recall() {
  const here = document.getElementById("many")?.dataset.list;
  if (!here || here === list) return;
  [list, chosen] = [here, new Set()];
  try {
    const stored = JSON.parse(sessionStorage.getItem(KEY) ?? "{}");
    if (stored.list === list) chosen = new Set(stored.ids);
  } catch {} // without storage it lasts as long as the page
}

function keep() {
  try {
    sessionStorage.setItem(KEY, JSON.stringify({ list, ids: [...chosen] }));
  } catch {}
}

const boxes = () => [...document.querySelectorAll("[data-select]")];

function take(box, checked) {
  chosen[checked ? "add" : "delete"](box.value);
}

function show() {
  const all = boxes();
  for (const box of all) box.checked = chosen.has(box.value);
  keep();
  const count = all.filter((box) => box.checked).length;
  const words = document.querySelector("[data-selected]");
  if (words) words.textContent = `${count} selected:`;
  const whole = document.querySelector("[data-select-all]");
  if (whole) [whole.hidden, whole.checked, whole.indeterminate] = [false, count === all.length, count > 0 && count < all.length];
}

function remember() {
  recall();
  if (list) show();
}

document.addEventListener("click", (event) => {
  const { target } = event;
  const all = boxes();
  recall();
  if (target.matches?.("[data-select-all]")) for (const box of all) take(box, target.checked);
  else if (target.matches?.("[data-select]")) {
    const [from, to] = [all.findIndex((box) => box.value === last), all.indexOf(target)].sort((a, b) => a - b);
    for (const box of event.shiftKey && from >= 0 ? all.slice(from, to + 1) : [target]) take(box, target.checked);
    last = target.value;
  } else return;
  show();
});

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input:not([type=checkbox]), textarea, select");
  if (event.key !== "s" || typing || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const row = document.activeElement.closest("tr") ?? document.querySelector("tr.at");
  const box = row?.querySelector("[data-select]");
  if (!box) return;
  recall();
  take(box, !chosen.has(box.value));
  last = box.value;
  show();
});

document.addEventListener("submit", (event) => {
  if (event.target.id !== "many") return;
  chosen.clear();
  keep();
});
document.addEventListener("htmx:after:swap", remember);
remember();
