// What this browser kept and no server has: put on the desk where it simply goes on, offered where there are other words
// since. Whatever is taken, thrown away, removed or joined on the desk can be undone.
import * as autosave from "./autosave.mjs";
import * as journal from "./journal.mjs";
import { bring, shared } from "./joining.mjs";

const { clock, field, form, isEmpty, words } = autosave;
const element = (name, properties) => Object.assign(document.createElement(name), properties);
const [BEFORE, LONGEST] = [40, 160];

/** The time of the day, and of another day that day: what a browser keeps may be found a week later. */
function when(at) {
  const that = new Date(at);
  if (that.toDateString() === new Date().toDateString()) return clock(at);
  return `${that.toLocaleDateString("en-GB", { day: "numeric", month: "long" })}, ${clock(at)}`;
}

// A page that is being closed while this one comes lets go of its entry a moment later. Later than that somebody may be
// about to write here: words are offered then, and not put under their cursor.
const JUST_NOW = 3000;
const seen = new Set();

/** Look for what was kept on this desk by pages that are open no more; and by one that closes, when it does. */
export async function begin() {
  if (!form()) return tellWhatWaits().catch(() => {});
  const until = performance.now() + JUST_NOW;
  try {
    for (const id of await autosave.otherPages()) journal.released(id).then(() => look(performance.now() < until)).catch(() => {});
    await look(true);
    if (!form().dataset.example) await takeIn();
  } catch {
    // A browser that stores nothing: the server keeps the words, a second later, and the page claims no more.
  }
}

async function look(mayGoOn) {
  if (!form()) return;
  for (const entry of await autosave.entries()) {
    if (seen.has(entry.id)) continue;
    seen.add(entry.id);
    await offer(entry, mayGoOn).catch(() => {}); // it stays kept, and the next one is offered all the same
  }
}

/** In an archived project nothing can be taken: say what waits, to be read and copied. */
async function tellWhatWaits() {
  const [person, example] = document.querySelector("#desk-form[data-reads]")?.dataset.reads.split(" ") ?? [];
  if (!example) return;
  for (const entry of await journal.orphans(await journal.entriesOf(person, example))) {
    if (entry.thrown || entry.undo) continue;
    const box = note("info", `Words from ${when(entry.at)} wait in this browser`, "The project is archived. Once it is open again they are offered here.");
    for (const text of autosave.textsOf(entry.words)) if (text.trim()) box.append(element("p", { className: "read raw tight gap", dir: "auto", textContent: text }));
  }
}

/** Words for an example that is gone meanwhile are words for a new one: its own desk comes no more. */
async function takeIn() {
  const project = new URL(form().action).pathname;
  const all = await journal.orphans(await journal.unsent(form().dataset.person));
  for (const entry of all.filter(({ address }) => new RegExp(`^${project}/[0-9]+$`).test(address))) {
    const { status } = await fetch(entry.address);
    if (status !== 404 && status !== 410) continue;
    const begun = autosave.asBegun(entry);
    await journal.write(begun);
    await offer(begun);
  }
}

async function offer(entry, mayGoOn = false) {
  if (!form()) return;
  if (entry.undo) return offerUndo(entry);
  if (entry.thrown) return offerThrown(entry);
  if (entry.words === words() && autosave.isKept()) return journal.remove(entry.id);
  if (isEmpty(entry.words)) return journal.remove(entry.id);
  const begunElsewhere = !form().dataset.example && entry.creationKey !== field("key").value;
  if (begunElsewhere) return offerBegun(entry);
  // Nothing was kept or saved since: the entry is simply newer, and what was being typed goes on.
  const newer = Number(entry.basedOn) === Number(field("based_on").value) && autosave.isKept() && (entry.counter === autosave.counter() || isAnswered(entry));
  if (newer && mayGoOn && await goOn(entry).catch(() => false)) return;
  const changes = await difference(entry);
  const why = newer ? "they are from a tab that was closed" : "it has other words since";
  const box = note("warn", `Your words from ${when(entry.at)} that were not saved`, `They are not on the desk: ${why}. “Take them” joins both there; “Throw away” forgets these.`);
  box.append(excerpt(entry));
  row(box, press("Take them", () => take(entry, box)), press("Throw away", async () => {
    await journal.remove(entry.id);
    box.remove();
    const gone = note("info", `Your words from ${when(entry.at)} were thrown away`);
    row(gone, press("Undo", async () => { gone.remove(); await journal.write(entry); await offer(entry); }));
  }));
  box.append(changes);
}

/** The page before this one threw these words away; they are kept no longer than somebody may want them back. */
async function offerThrown(entry) {
  await journal.remove(entry.id);
  const before = words();
  const box = note("info", "Your words were thrown away");
  box.dataset.passing = "";
  row(box, press("Undo", async () => { await bring({ words: before }, { words: entry.words }); box.remove(); }), press("Close", async () => box.remove()));
}

/** Whether the server's copy is the very save that the entry was waiting for. */
const isAnswered = (entry) => entry.copyKey && entry.copyKey === field("copy_key").value;

/** Put them on the desk; true once they are there. */
async function goOn(entry) {
  const before = words();
  autosave.goesOnFrom(entry);
  await bring({ words: before }, { words: entry.words });
  await forgetOnce(entry).catch(() => {});
  const box = note("info", `Your words from ${when(entry.at)} are back`, "They are on the desk; only this browser had them. “Throw away” takes them off again.");
  box.dataset.passing = "";
  row(box, press("Throw away", () => throwAway(box, { words: entry.words }, { words: before })));
  box.append(await difference(entry));
  return true;
}

/** The first of these words that the desk does not have, to know them by; nothing where they only leave some out. */
function excerpt(entry) {
  for (const [name, value] of JSON.parse(entry.words).filter(autosave.isText)) {
    const stands = field(name)?.value.replaceAll("\r\n", "\n") ?? "";
    const [head, tail] = shared(stands, value);
    if (!value.slice(head, value.length - tail).trim()) continue;
    // Of its line, from a few words before.
    const at = value.length - value.slice(head).trimStart().length;
    const line = value.lastIndexOf("\n", at - 1) + 1;
    const start = at - line > BEFORE ? value.indexOf(" ", at - BEFORE) + 1 : line;
    const found = value.slice(start).split("\n")[0].trim();
    return element("bdi", { textContent: `“${start > line ? "…" : ""}${found.slice(0, LONGEST)}${found.length > LONGEST ? "…" : ""}”` });
  }
  return "";
}

/** Join the words of an entry with those on the desk: what both changed stands there twice, one after the other. */
async function take(entry, box) {
  const before = words();
  const both = await bring({ revision: Number(entry.basedOn), about: entry.about ?? "[]" }, { words: entry.words });
  await forgetOnce(entry);
  box.remove();
  const places = both === 1 ? "In one place" : `In ${both} places`;
  undoable(`Your words from ${when(entry.at)} are joined on the desk`, before, both ? `${places} both had changed the same words: those from ${when(entry.at)} stand after those that were there.` : "Read it, then save.");
}

/** The entry goes as soon as its words are on the disk under the name of this page, or on the server. */
async function forgetOnce(entry) {
  await autosave.toJournal();
  if (autosave.isJournaled() || autosave.isKept()) await journal.remove(entry.id);
}

/** Take a change out of the desk again; what was typed since stays. */
async function throwAway(box, from, to) {
  const before = words();
  await bring(from, to);
  box?.remove();
  undoable("Thrown away", before, from.words === before ? "" : "What you typed after them is still on the desk.");
}

/** Say what was done to the desk, which had these words before, and how to undo it; a page that comes after this one
    says it too, until the desk is saved. */
export function undoable(sentence, before, more = "") {
  const after = words();
  if (after === before) return;
  const entry = autosave.entryOf(before);
  Object.assign(entry, { id: `${entry.id} undo ${entry.at}`, after, undo: [sentence, more] });
  journal.writeAtOnce(entry);
  journal.write(entry).catch(() => {});
  showUndo(entry);
}

function showUndo(entry) {
  journal.hold(entry.id);
  const box = note("info", ...entry.undo);
  box.dataset.passing = entry.id;
  const done = () => { box.remove(); return journal.remove(entry.id).catch(() => {}); };
  row(box, press("Undo", async () => { await bring({ words: entry.after }, { words: entry.words }); await done(); }), press("Close", done));
}

/** What the page before this one could undo; a desk that was saved since has its history instead. */
function offerUndo(entry) {
  const begunElsewhere = !form().dataset.example && entry.creationKey !== field("key").value;
  if (begunElsewhere) return;
  if (Number(entry.basedOn) !== Number(field("based_on").value) || entry.words === words()) return journal.remove(entry.id);
  showUndo(entry);
}

/** The note of the server, that kept words are on the desk: once more was typed, only what it names is thrown away. */
export async function throwKeptAway(kept) {
  const revision = Number(field("based_on").value);
  const about = JSON.stringify(JSON.parse(kept).filter((one) => !autosave.isText(one)));
  await throwAway(document.getElementById("kept-words"), { words: kept }, { revision, about });
}

/** A saved desk offers no way back to what it was before: its history does. */
export function forgetUndone() {
  for (const box of document.querySelectorAll("#offers > [data-passing]")) {
    if (box.dataset.passing) journal.remove(box.dataset.passing).catch(() => {});
    box.remove();
  }
}

/** Another example that was begun and is not made yet: it has a desk of its own. The page may offer it already. */
function offerBegun(entry) {
  if (document.querySelector(`#main a[href$="key=${entry.creationKey}"]`)) return;
  const box = note("info", `Begun at ${when(entry.at)} and never saved`, "A new example of yours. “Write on” opens it.");
  const first = autosave.textsOf(entry.words).find((value) => value.trim()) ?? "";
  box.append(element("bdi", { textContent: first.trim().slice(0, 120) }));
  row(box, element("a", { className: "button small", href: `?key=${entry.creationKey}`, textContent: "Write on" }), press("Throw away", async () => {
    await journal.remove(entry.id);
    box.remove();
    const gone = note("info", `What was begun at ${when(entry.at)} was thrown away`);
    row(gone, press("Undo", async () => { gone.remove(); await journal.write(entry); offerBegun(entry); }));
  }));
}

function note(kind, sentence, more = "") {
  const box = element("div", { className: `note ${kind}` });
  box.append(element("strong", { textContent: sentence }), more);
  document.getElementById("offers")?.append(box);
  return box;
}

function row(box, ...buttons) {
  const line = element("div", { className: "row gap" });
  line.append(...buttons);
  box.append(line);
}

function press(label, act) {
  const button = element("button", { type: "button", className: "button small", textContent: label });
  button.addEventListener("click", async () => {
    button.disabled = true;
    await act().catch(() => {
      const failed = element("span", { className: "small", textContent: "The server did not answer. Nothing was changed; try again." });
      button.parentElement.querySelector("span")?.remove();
      button.after(failed);
    });
    button.disabled = false;
    if (!button.isConnected) document.dispatchEvent(new Event("offers:settled"));
  });
  return button;
}

async function difference(entry) {
  const body = new URLSearchParams(JSON.parse(entry.words));
  body.set("key", field("key").value);
  const answer = await fetch(form().dataset.difference, { method: "POST", body }).catch(() => null);
  if (!answer?.ok) return "";
  const details = element("details", { className: "gap" });
  details.append(element("summary", { className: "small", textContent: "What they change" }));
  details.append(...new DOMParser().parseFromString(await answer.text(), "text/html").body.children);
  return details;
}
