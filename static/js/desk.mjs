// The desk: Ctrl+S saves without leaving the text, Ctrl+P looks how it will be; what is typed is kept as it is typed,
// and what a fragment brings is made ready.
import * as autosave from "./autosave.mjs";
import * as joining from "./joining.mjs";
import { deskMeant } from "./meant.mjs";
import * as offers from "./offers.mjs";
import * as panes from "./panes.mjs";

const SAVES = "form[data-draft], form[data-draft] [value='save'], form[data-draft] [value='answer']";

document.addEventListener("keydown", (event) => {
  const form = deskMeant(event.target);
  if (!form || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
  const key = event.key.toLowerCase();
  if (key === "s") press(form, "[data-key='Ctrl S']", event);
  if (key !== "p") return;
  event.preventDefault();
  panes.togglePreview();
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
  return ["save", "submit", "leave", "answer"].includes(request.submitter?.value ?? "save");
}

// One save at a time. What is pressed meanwhile is pressed again once the first has worked, with the words that stand
// there then: sent at once it would speak of the revision before.
let pressed = null;

document.addEventListener("htmx:config:request", (event) => {
  if (!saves(event.detail.ctx) || !autosave.isSaving()) return;
  event.preventDefault();
  pressed = event.detail.ctx;
});
document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
  if (saves(ctx)) ctx.saving = autosave.saveBegins(ctx.request.body);
});
document.addEventListener("htmx:finally:request", async ({ detail: { ctx } }) => {
  if (!ctx.saving) return;
  const worked = ctx.response !== undefined && ctx.response.status < 400;
  const [next] = [pressed, pressed = null];
  if (worked) offers.forgetUndone();
  await autosave.saveEnds(worked);
  if (worked && next?.sourceElement.isConnected) pressAgain(next);
});

function pressAgain({ sourceElement, request: { submitter } }) {
  if (sourceElement.matches("form")) sourceElement.requestSubmit(submitter?.isConnected ? submitter : null);
  else sourceElement.click();
}

// What the page shows is what it will save: each box shows what the server answered, and what was typed since it was
// asked. That is done in the step of the swap itself: a key may be pressed before htmx tells that it has swapped.
const REPLACES = "#desk-form, #desk-form :is([hx-target='#main'], [hx-target='#turns'])";
let shown = ""; // the words that the desk had when the page came
let coming = null; // the answer that is being put in its place

document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
  if (autosave.form() && ctx.sourceElement.matches(REPLACES)) Object.assign(ctx, { texts: joining.texts(), words: autosave.words() });
});
document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
  if (ctx.words && ctx.sourceElement.matches("#kept-words.info *")) ctx.remembered = autosave.remember(ctx.words);
});
document.addEventListener("htmx:finally:request", async ({ detail: { ctx } }) => {
  if (ctx.remembered && !(ctx.response?.status < 400)) (await ctx.remembered)();
});
document.addEventListener("htmx:before:swap", ({ detail: { ctx } }) => {
  coming = ctx;
  if (ctx.texts && autosave.form()) Object.assign(ctx, { textsNow: joining.texts(), wordsNow: autosave.words() });
});
document.addEventListener("htmx:before:settle", ({ detail: { task } }) => {
  const [ctx] = [coming, coming = null];
  if (!ctx || ctx.swap === "none" || !document.getElementById("desk-form")) return;
  if (ctx.textsNow && autosave.form()) {
    joining.show(ctx.texts, ctx.textsNow, task.target);
    if (task.target.id === "main") shown = autosave.wordsAsSent();
  }
  if (ctx.sourceEvent?.type === "click") goOnWriting(ctx);
});

// “Throw away” throws away what its note names: what was typed since stays.
document.addEventListener("click", (event) => {
  const note = event.target.closest?.("#kept-words [formaction]")?.closest("#kept-words");
  if (!note) return;
  const isShown = note.matches(".info");
  if (isShown ? autosave.words() === shown : !autosave.counter()) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (isShown) offers.throwKeptAway(shown);
  else note.replaceChildren("You wrote on without them: they wait under New example, where they can be thrown away.");
}, true);

// Back and forward load the page anew: a desk that came in by the way would know nothing of what is kept.
document.addEventListener("htmx:before:history:restore", (event) => {
  event.preventDefault();
  autosave.toJournal().finally(() => location.reload());
});

document.addEventListener("htmx:after:swap", () => {
  for (const toolbar of document.querySelectorAll("markdown-toolbar[hidden]")) toolbar.hidden = false;
  autosave.mark();
  showClocks();
  makeReady();
});

/** Times as the clock on the wall shows them. */
function showClocks() {
  for (const time of document.querySelectorAll("time[data-clock]")) {
    time.textContent = autosave.clock(time.dateTime).slice(0, time.dataset.clock === "short" ? 5 : undefined);
  }
}

// Turns by keyboard: a prompt and its response move and join together, as people and the model take turns.
const TURN = /^turn-([0-9]+)$/;
const text = (number) => document.getElementById(`turn-${number}`);
const firstOf = (box) => Number(box.id.match(TURN)[1]) - (1 - (Number(box.id.match(TURN)[1]) % 2));

document.addEventListener("keydown", (event) => {
  if (!event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || !event.target.closest?.("#desk-form") || event.target.readOnly) return;
  const key = event.key.length === 1 ? event.code.replace("Key", "").toLowerCase() : event.key;
  const act = { ArrowUp: () => move(event.target, -2), ArrowDown: () => move(event.target, 2), n: () => goOn(event.target), j: () => join(event.target), a: () => press(document, "[data-key='Alt A']", event) }[key];
  if (!act || (key !== "a" && !TURN.test(event.target.id))) return;
  event.preventDefault();
  act();
});

// Who presses a button that the answer takes away goes on in the text they were in, and in a new turn where they made one.
// A page that opens with the focus in a text has told of it before this was there to hear.
let writing = TURN.test(document.activeElement?.id ?? "") ? document.activeElement.id : "turn-1";
document.addEventListener("focusin", ({ target }) => { if (TURN.test(target.id)) writing = target.id; });

function goOnWriting(ctx) {
  const texts = [...document.querySelectorAll("#desk-form textarea[id^='turn-']")].filter((box) => box.checkVisibility());
  if (ctx.sourceEvent.target.closest?.("#add-turn") && ctx.wordsNow === ctx.words) texts.at(-2)?.focus();
  else if (document.activeElement === document.body) (texts.find((box) => box.id === writing) ?? texts.at(-1))?.focus({ preventScroll: true });
}

document.addEventListener("offers:settled", () => {
  if (document.activeElement === document.body) document.getElementById(writing)?.focus({ preventScroll: true });
});

/** To the next text, and from the last one to the first. */
function goOn(box) {
  const to = text(Number(box.id.match(TURN)[1]) + 1) ?? text(1);
  panes.showBox(to);
  to.focus();
}

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
  joined = autosave.words();
  for (const number of [first, first + 1]) {
    // The line that a text begins with keeps its indentation: it may be code.
    const both = [text(number).value.trimEnd(), text(number + 2).value.replace(/^([^\S\n]*\n)+/, "")].filter((one) => one.trim());
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

// Turns that are joined, or removed with words in them, can be had back.
let joined = "";
document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
  if (ctx.sourceElement.id !== "remove-turn") return;
  ctx.removed = ctx.sourceEvent?.isTrusted ? ["The last prompt and its response are removed", autosave.words()] : ["Joined with the next two", joined];
});
document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
  if (!ctx.removed || !autosave.form()) return;
  const [sentence, before] = ctx.removed;
  const [had, has] = [before, autosave.words()].map((text) => autosave.textsOf(text).filter((one) => one.trim()).length);
  if (has < had) offers.undoable(sentence, before);
});

// Going on from a desk keeps what is typed: it goes to the server first, so that an example with words is not handed out.
let leaving = false;
document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("#leave, [form='next-form'], [form='claim-form']:is(button)");
  if (!button || leaving) return;
  event.preventDefault();
  await autosave.flush();
  leaving = true;
  button.click();
  leaving = false;
});

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

// Somebody signs out: what this page has goes to the server first, and into the journal whatever becomes of that.
document.addEventListener("journal:leaving", (event) => event.detail.waits.push(autosave.toJournal().then(() => autosave.flush())));

if (autosave.form()) shown = autosave.wordsAsSent();
autosave.begin().then(() => offers.begin());
showClocks();
makeReady();
