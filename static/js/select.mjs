// Rows are selected by their boxes: a click with Shift takes all between, s takes the row that is looked at.
let last = null;

const boxes = () => [...document.querySelectorAll("[data-select]")];

function tell() {
  const words = document.querySelector("[data-selected]");
  if (words) words.textContent = `${boxes().filter((box) => box.checked).length} selected:`;
}

document.addEventListener("click", (event) => {
  if (!event.target.matches?.("[data-select]")) return;
  const all = boxes();
  const [from, to] = [all.indexOf(last), all.indexOf(event.target)].sort((a, b) => a - b);
  if (event.shiftKey && from >= 0) for (const box of all.slice(from, to + 1)) box.checked = event.target.checked;
  last = event.target;
  tell();
});

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input:not([type=checkbox]), textarea, select");
  if (event.key !== "s" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const row = document.activeElement.closest("tr") ?? document.querySelector("tr.at");
  const box = row?.querySelector("[data-select]");
  if (!box) return;
  box.checked = !box.checked;
  last = box;
  tell();
});
