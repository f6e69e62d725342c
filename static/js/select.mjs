// Rows are selected by their boxes: a click with Shift takes all between, s takes the row that is looked at.
// What was selected stays so while the page changes and the list is the same: another candidate, a title judged by a key,
// another of its pages. It ends with the act, or with another list.
const KEY = "handpicked:selected";
let chosen = new Set();
let last = null;

const listOf = () => document.getElementById("many")?.dataset.list;

function kept() {
  try {
    const { list, ids } = JSON.parse(sessionStorage.getItem(KEY) ?? "{}");
    return new Set(list === listOf() ? ids : []);
  } catch {
    return new Set(); // without storage it lasts as long as the page
  }
}

function keep() {
  try {
    sessionStorage.setItem(KEY, JSON.stringify({ list: listOf(), ids: [...chosen] }));
  } catch {}
}

const boxes = () => [...document.querySelectorAll("[data-select]")];

function tell() {
  const all = boxes();
  const count = all.filter((box) => box.checked).length;
  for (const box of all) chosen[box.checked ? "add" : "delete"](box.value);
  keep();
  const words = document.querySelector("[data-selected]");
  if (words) words.textContent = `${count} selected:`;
  const whole = document.querySelector("[data-select-all]");
  if (whole) [whole.hidden, whole.checked, whole.indeterminate] = [false, count === all.length, count > 0 && count < all.length];
}

function remember() {
  if (!listOf()) return;
  chosen = kept();
  for (const box of boxes()) box.checked = chosen.has(box.value);
  tell();
}

function take(box, checked) {
  box.checked = checked;
  last = box.value;
}

document.addEventListener("click", (event) => {
  const all = boxes();
  if (event.target.matches?.("[data-select-all]")) for (const box of all) take(box, event.target.checked);
  else if (event.target.matches?.("[data-select]")) {
    const [from, to] = [all.findIndex((box) => box.value === last), all.indexOf(event.target)].sort((a, b) => a - b);
    if (event.shiftKey && from >= 0) for (const box of all.slice(from, to + 1)) box.checked = event.target.checked;
    last = event.target.value;
  } else return;
  tell();
});

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input:not([type=checkbox]), textarea, select");
  if (event.key !== "s" || typing || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const row = document.activeElement.closest("tr") ?? document.querySelector("tr.at");
  const box = row?.querySelector("[data-select]");
  if (!box) return;
  take(box, !box.checked);
  tell();
});

document.addEventListener("submit", (event) => {
  if (event.target.id !== "many") return;
  chosen.clear();
  keep();
});
document.addEventListener("htmx:after:swap", remember);
remember();
