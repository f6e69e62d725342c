// The desk: Ctrl+S saves without leaving the text, Ctrl+P looks how it will be; what is typed is kept as it is typed,
// and what a fragment brings is made ready.
import * as autosave from "./autosave.mjs";

const SAVES = "form[data-draft], form[data-draft] [value='save']";

document.addEventListener("keydown", (event) => {
  const form = event.target.closest?.("#desk-form");
  if (!form || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
  const key = event.key.toLowerCase();
  if (key === "s") press(form, "[data-key='Ctrl S']", event);
  if (key === "p") press(form, "input[name='as']:not(:checked)", event);
});

function press(form, selector, event) {
  event.preventDefault();
  form.querySelector(selector)?.click();
}

for (const kind of ["input", "change"]) {
  document.addEventListener(kind, (event) => event.target.closest?.("#desk-form") && autosave.typed());
}

/** Whether a request makes a revision of what is on the desk; a choice between two texts and a preview do not. */
function saves({ sourceElement, request }) {
  if (!sourceElement.matches(SAVES) || !sourceElement.closest("#desk-form")) return false;
  return ["save", "submit"].includes(request.submitter?.value ?? "save");
}

document.addEventListener("htmx:before:request", ({ detail }) => saves(detail.ctx) && autosave.saveBegins());
document.addEventListener("htmx:finally:request", ({ detail }) => {
  const status = detail.ctx.response?.status;
  if (saves(detail.ctx)) autosave.saveEnds(status !== undefined && status < 400);
});

document.addEventListener("htmx:after:swap", () => {
  for (const toolbar of document.querySelectorAll("markdown-toolbar[hidden]")) toolbar.hidden = false;
  autosave.mark();
  showClocks();
  makeReady();
});

/** Times as the clock on the wall shows them. */
function showClocks() {
  for (const time of document.querySelectorAll("time[data-clock]")) time.textContent = autosave.clock(time.dateTime);
}

// Turns by keyboard: a prompt and its response move and join together, as people and the model take turns.
const TURN = /^turn-([0-9]+)$/;
const text = (number) => document.getElementById(`turn-${number}`);
const firstOf = (box) => Number(box.id.match(TURN)[1]) - (1 - (Number(box.id.match(TURN)[1]) % 2));

document.addEventListener("keydown", (event) => {
  if (!event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || !event.target.closest?.("#desk-form") || event.target.readOnly) return;
  const key = event.key.length === 1 ? event.code.replace("Key", "").toLowerCase() : event.key;
  const act = { ArrowUp: () => move(event.target, -2), ArrowDown: () => move(event.target, 2), j: () => join(event.target), a: () => press(document, "[data-key='Alt A']", event) }[key];
  if (!act || (key !== "a" && !TURN.test(event.target.id))) return;
  event.preventDefault();
  act();
});

/** Change places with the two turns before or after; the cursor goes with its text. */
function move(box, step) {
  const first = firstOf(box);
  if (!text(first + step) || !text(first + step + 1)) return;
  for (const number of [first, first + 1]) {
    const [here, there] = [text(number), text(number + step)];
    [here.value, there.value] = [there.value, here.value];
  }
  const [at, goal] = [box.selectionStart, text(Number(box.id.match(TURN)[1]) + step)];
  goal.focus();
  goal.setSelectionRange(at, at);
  tell(goal);
}

/** Make one of these two turns and the next two: prompt to prompt, response to response; what follows moves up. */
function join(box) {
  const first = firstOf(box);
  if (!text(first + 3)) return;
  for (const number of [first, first + 1]) {
    const both = [text(number).value.trimEnd(), text(number + 2).value.trimStart()].filter(Boolean);
    text(number).value = both.join("\n\n");
  }
  let next = first + 2;
  for (; text(next + 3); next += 2) {
    for (const number of [next, next + 1]) text(number).value = text(number + 2).value;
  }
  text(next).value = text(next + 1).value = "";
  document.querySelector("#turns [value='remove_turn']")?.click();
  tell(box);
}

const tell = (box) => box.dispatchEvent(new Event("input", { bubbles: true }));

// Only the text: no rail, no post, no lists of keys. Escape leaves.
function alone(wanted) {
  document.body.classList.toggle("alone-text", wanted);
  document.getElementById("alone")?.setAttribute("aria-pressed", String(wanted));
}

document.addEventListener("click", (event) => event.target.id === "alone" && alone(!document.body.classList.contains("alone-text")));
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && document.body.classList.contains("alone-text") && !document.querySelector("dialog[open], :popover-open:not(#said)")) alone(false);
  if (event.key.toLowerCase() !== "f" || !event.shiftKey || !(event.ctrlKey || event.metaKey) || !document.getElementById("alone")) return;
  event.preventDefault();
  alone(!document.body.classList.contains("alone-text"));
});

/** What scripts alone can do shows itself; the language of the example is that of its boxes. */
function makeReady() {
  for (const button of document.querySelectorAll("#alone[hidden]")) button.hidden = false;
  alone(document.body.classList.contains("alone-text"));
}

document.addEventListener("change", (event) => {
  if (event.target.name !== "language" || !event.target.closest("#desk-form")) return;
  for (const box of document.querySelectorAll("#desk-form textarea[lang]")) box.lang = event.target.value;
});

// Somebody signs out: what this browser keeps of theirs goes, so it has to be on the server first.
document.addEventListener("journal:leaving", (event) => event.detail.waits.push(autosave.flush()));

autosave.begin();
showClocks();
makeReady();
