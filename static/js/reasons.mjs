// Why two prompts may both stay, as it is typed into a note under the prompt: kept in this browser like any other words
// until the server has it. The notes come anew whenever the prompt is compared; what was typed into one stays in it.
import * as journal from "./journal.mjs";

const KEEP_AFTER = 300;
const form = () => document.querySelector("#desk-form[data-keep]");
const boxes = () => [...document.querySelectorAll("#nearness input[name^='reason_']")];

/** The desk that is open: its name in the journal, whose it is, and where it is found again. */
function here() {
  const [path, { example, person }] = [new URL(form().action).pathname, form().dataset];
  const key = form().elements.namedItem("key")?.value;
  return { desk: `near ${example || `${path}/new ${key}`}`, person, address: `${path}${example ? "" : `/new?key=${key}`}#nearness` };
}

const typed = new Map(); // by the name of its box: the entry
const carried = new Set(); // those with which a decision was taken that the desk carries
let begun = null; // the desk that they belong to
let waits = 0;

/** The reasons that were typed at this desk and never sent. */
async function begin() {
  if (!form()) return;
  begun = here();
  const found = await journal.entriesOf(begun.person, begun.desk).catch(() => []);
  for (const entry of found.reverse()) if (!typed.has(nameOf(entry))) typed.set(nameOf(entry), entry);
  show();
}

const nameOf = (entry) => JSON.parse(entry.words)[0][0];

/** Put each reason where it is asked for; its note stands open. */
function show() {
  for (const box of boxes()) {
    const entry = typed.get(box.name);
    if (!entry || box.value) continue;
    [[, box.value]] = JSON.parse(entry.words);
    for (let fold = box.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
  }
}

document.addEventListener("input", ({ target }) => {
  if (!form() || !target.matches?.("#nearness input[name^='reason_']")) return;
  begun ??= here();
  clearTimeout(waits);
  const entry = entryOf(target.name, target.value);
  if (!target.value.trim()) return forget([target.name, entry]);
  keep(target.name, entry);
  waits = setTimeout(() => journal.write(entry).catch(() => {}), KEEP_AFTER);
}, true);

const entryOf = (name, value) => ({ ...begun, id: `${begun.person} ${begun.desk} ${name}`, at: Date.now(), words: JSON.stringify([[name, value]]) });

function keep(name, entry) {
  typed.set(name, entry);
  journal.writeAtOnce(entry);
}

function forget([name, entry]) {
  clearTimeout(waits);
  typed.delete(name);
  journal.remove(entry.id).catch(() => {});
}

// Somebody may be in the middle of a reason when its note comes anew: they go on at the same place.
let place = null;

document.addEventListener("htmx:before:swap", ({ detail }) => {
  const box = detail.ctx?.target?.id === "nearness" ? boxes().find((one) => one === document.activeElement) : null;
  place = box ? { name: box.name, start: box.selectionStart, end: box.selectionEnd } : null;
});

document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  if (ctx?.target?.id === "nearness") {
    if (pressed && !boxes().some((box) => box.name === pressed)) given();
    show();
    goBack();
  } else if (form() && begun && here().desk !== begun.desk) moved();
});

function goBack() {
  const box = place && document.activeElement === document.body ? boxes().find((one) => one.name === place.name) : null;
  box?.focus({ preventScroll: true });
  box?.setSelectionRange(place.start, place.end);
  place = null;
}

// What was pressed last: once its note comes no more, the decision is taken.
let pressed = "";

document.addEventListener("click", ({ target }) => {
  const button = target.closest?.("#nearness [hx-include^='#reason-']");
  if (button) pressed = button.getAttribute("hx-include").replace("#reason-", "reason_");
}, true);

/** A decision was taken with its reason. Of an example that is not made yet the desk carries it until it is. */
function given() {
  const [name] = [pressed, pressed = ""];
  if (!typed.has(name)) return;
  if (form()?.dataset.example) forget([name, typed.get(name)]);
  else carried.add(name);
}

/** The example was made, and its decisions with it; a reason that none was taken with is now one of its own desk. */
function moved() {
  const all = [...typed];
  begun = here();
  for (const one of all) forget(one);
  for (const [name, entry] of all) if (!carried.has(name)) keep(name, entryOf(name, JSON.parse(entry.words)[0][1]));
  carried.clear();
}

begin();
