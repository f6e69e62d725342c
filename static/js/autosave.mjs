// Nothing is ever lost: what is typed goes to the journal of this browser at once and to the server a second later, one save
// at a time, with the same key until it is answered, so that none is done twice; the page says in words what is kept where.
import * as journal from "./journal.mjs";

const [JOURNAL_AFTER, SERVER_AFTER, PATIENCE] = [150, 1000, 20000];
const [MOST_WHEN_HIDDEN, MOST_AT_ONCE] = [60000, 200000];
const WAITS = [1000, 2000, 4000, 8000, 15000];
export const FIELDS = /^(system|turn_[0-9]+|split|source|language|flags|note|was|sensitive|format_constraint|acknowledges_first)$/;
const random = () => Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(36).padStart(2, "0")).join("");
export const clock = (when) => new Date(when).toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
export const form = () => document.querySelector("#desk-form[data-keep]");
export const field = (name) => form()?.elements.namedItem(name);
const PAGE = random();

/** The words and what they are for, as one text: the same text says the same. Of the form, or of what it sends. */
export function words(fields = new FormData(form())) {
  const found = [...fields].filter(([name, value]) => FIELDS.test(name) && typeof value === "string");
  return JSON.stringify(found.map(([name, value]) => [name, value.replaceAll("\r\n", "\n")]));
}

/** The words that the server sent with the page: somebody may have typed before this script was there. */
export function wordsAsSent() {
  const sent = form().cloneNode(true);
  sent.reset();
  return words(new FormData(sent));
}

const desk = () => form().dataset.example || `new ${new URL(form().action).pathname}/new`;
const address = () => new URL(form().action).pathname + (form().dataset.example ? "" : `/new?key=${field("key").value}`);
const entryId = () => `${form().dataset.person} ${desk()} ${PAGE}`;
export const isEmpty = (text) => JSON.parse(text).every(([name, value]) => !/^(system|turn_)/.test(name) || !value.trim());

const state = {
  kept: null, // the words that the server has, in a copy or as a revision
  journaled: null, // the words that are on the disk of this browser
  journalId: null,
  attempt: null, // the save under way: {words, key, follows, basedOn}
  tries: 0,
  silentSince: null,
  stopped: "", // why it makes no sense to send these words again
};

let [journalTimer, serverTimer] = [0, 0];
/** Somebody typed. */
export function typed() {
  if (!form()) return;
  state.stopped = ""; // other words may be welcome
  atOnce();
  if (!journalTimer) journalTimer = setTimeout(toJournal, JOURNAL_AFTER);
  if (!state.attempt && !state.tries) {
    clearTimeout(serverTimer);
    serverTimer = setTimeout(toServer, SERVER_AFTER);
  }
  form().dataset.kept = "no";
}

export const entryOf = (text) => ({ id: entryId(), desk: desk(), person: form().dataset.person, at: Date.now(), words: text, counter: counter(), copyKey: state.attempt?.key ?? "", creationKey: field("key").value, basedOn: basedOn(), about: aboutOf(state.kept), address: address() });

/** Each key by itself, as the page may be gone before the journal has it. Of very long texts only what it leaves. */
function atOnce(most = MOST_AT_ONCE) {
  const now = words();
  if (now.length > most || now === state.journaled || now === state.kept) return;
  const entry = entryOf(now);
  state.journalId = entry.id;
  journal.writeAtOnce(entry);
}

export async function toJournal() {
  clearTimeout(journalTimer);
  journalTimer = 0;
  if (!form()) return;
  const now = words();
  if (now === state.kept && !state.attempt) return emptied(); // what was typed is taken back
  if (now === state.journaled || now === state.kept) return;
  const entry = entryOf(now);
  try {
    await journal.write(entry);
    [state.journaled, state.journalId] = [now, entry.id];
    mark();
  } catch {
    state.journaled = null; // no room or no leave to store: the server alone keeps the words, and the page does not claim more
  }
}

/** Whether this browser has every word that stands on the desk. */
export const isJournaled = () => words() === state.journaled;

export const counter = () => Number(field("counter").value);

/** The revision that these words follow: while two texts still ask for a choice, the one that both began from. */
const basedOn = () => (field("take_1") ? field("base") : field("based_on")).value;

/** One save at a time; the words of an attempt and its key stay together until it is answered. */
async function toServer() {
  clearTimeout(serverTimer);
  if (!form() || state.stopped) return;
  if (saving) {
    serverTimer = setTimeout(toServer, 500); // its answer decides what there is to send
    return;
  }
  const now = words();
  if (!state.attempt && (now === state.kept || (!form().dataset.example && isEmpty(now)))) return mark();
  if (!state.attempt && isTooLong(now)) return stop("too long", `Too long to keep: ${bytesOf(now).toLocaleString("en")} bytes, and ${Number(form().dataset.mostBytes).toLocaleString("en")} fit. Nothing is cut; shorten it.`);
  if (state.attempt?.settled === false) return;
  state.attempt ??= { words: now, key: random(), follows: counter(), basedOn: basedOn(), to: form().dataset.keep, creationKey: field("key").value, writer: form().dataset.person, after: field("copy_key").value };
  state.attempt.settled = false;
  const attempt = state.attempt;
  field("copy_key").value = attempt.key; // a save knows the copy by it, answered or not
  const body = bodyOf(attempt);
  // A page that goes sends its last words all the same, if they are not more than a browser takes from such a page.
  const keepalive = document.visibilityState === "hidden" && body.toString().length < MOST_WHEN_HIDDEN;
  try {
    const answer = await fetch(attempt.to, { method: "POST", body, keepalive, redirect: "manual", signal: AbortSignal.timeout(PATIENCE) });
    await settle(attempt, answer);
  } catch {
    if (attempt === state.attempt) later();
  } finally {
    attempt.settled = true;
  }
}

function bodyOf(attempt) {
  const body = new URLSearchParams(JSON.parse(attempt.words));
  body.set("copy_key", attempt.key);
  body.set("counter", attempt.follows);
  body.set("based_on", attempt.basedOn);
  body.set("key", attempt.creationKey);
  body.set("writer", attempt.writer);
  body.set("after", attempt.after);
  return body;
}

export const isText = ([name]) => /^(system|turn_)/.test(name);
export const textsOf = (text) => JSON.parse(text).filter(isText).map(([, value]) => value);
const aboutOf = (text) => JSON.stringify(JSON.parse(text ?? "[]").filter((one) => !isText(one)));
/** What was sent, with what the answer says the example is for by now: that stands on the page, and nobody typed it. */
const asAnswered = (text) => JSON.stringify(JSON.parse(text).map(([name, value]) => [name, (name === "was" && field(name)?.value) || value]));
const bytesOf = (text) => textsOf(text).reduce((sum, value) => sum + new TextEncoder().encode(value).length, 0);
const isTooLong = (text) => text.length * 3 > form().dataset.mostBytes && bytesOf(text) > form().dataset.mostBytes;

async function settle(attempt, answer) {
  if (attempt !== state.attempt) return; // the words were saved as a revision meanwhile
  if (answer.ok) return acknowledged(attempt, await answer.json());
  if (answer.status === 401 || answer.status >= 500 || answer.type === "opaqueredirect") {
    if (answer.status === 401) signedOut = true;
    return later();
  }
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const reason = page.querySelector("#error-words, [role=alert]")?.textContent.trim();
  state.attempt = null;
  stop("refused", reason || `The server refused these words (${answer.status}).`);
}

let signedOut = false;

async function acknowledged(attempt, { counter: now, kept_at: at, head, head_by: by }) {
  state.attempt = null;
  [state.tries, state.silentSince, signedOut] = [0, null, false];
  state.kept = attempt.words;
  state.keptAt = at;
  if (!form()) return;
  field("counter").value = now;
  state.overtaken = by && head > Number(field("based_on").value) ? { head, by } : null;
  if (words() === state.kept) await emptied();
  mark();
  if (words() !== state.kept) serverTimer = setTimeout(toServer, SERVER_AFTER);
}

async function emptied() {
  const id = state.journalId;
  [state.journalId, state.journaled] = [null, null];
  if (id) await journal.remove(id).catch(() => {});
}

function later() {
  state.silentSince ??= Date.now();
  const wait = WAITS[Math.min(state.tries++, WAITS.length - 1)];
  clearTimeout(serverTimer);
  serverTimer = setTimeout(toServer, wait);
  toJournal().then(mark);
}

function stop(why, sentence) {
  state.stopped = why;
  state.reason = sentence;
  toJournal().then(mark);
}

/** Try at once what waits: the network is back, or somebody looks at the page again. */
function again() {
  if (!form() || !(state.tries || state.stopped === "refused")) return;
  if (state.stopped === "refused") state.stopped = "";
  toServer();
}

/** Send what is not on the server yet and wait a moment for it; whether all of it is there now. */
export async function flush(patience = 4000) {
  const until = Date.now() + patience;
  while (form() && words() !== state.kept && !state.stopped && Date.now() < until) {
    if (!state.attempt || state.attempt.settled) await toServer();
    await new Promise((resolve) => { setTimeout(resolve, 100); });
  }
  return !form() || words() === state.kept;
}

// --- saving as a revision --------------------------------------------------------------------------------------

let saving = null;
export const isSaving = () => saving !== null;

/** A save of the form is on its way with these fields; autosave waits, so that no copy outlives its revision. */
export function saveBegins(fields) {
  clearTimeout(serverTimer);
  saving = { words: words(fields), entry: entryId(), journaled: state.journaled };
  return saving;
}

/** It was answered: the words are a revision, or they are where they were. */
export async function saveEnds(worked) {
  const sent = saving;
  saving = null;
  if (!sent) return;
  if (worked) {
    [state.attempt, sent.words] = [null, asAnswered(sent.words)];
    [state.kept, state.keptAt, state.overtaken, state.stopped, state.tries, state.silentSince] = [sent.words, null, null, "", 0, null];
    await moved(sent);
  }
  if (!form()) return;
  // It keeps its place, so that nothing moves, and says no more that its words wait.
  if (worked) document.getElementById("kept-words")?.setAttribute("data-done", "");
  if (worked) noteSaved(sent.words);
  if (words() !== state.kept) typed();
  mark();
}

/** Why this change belongs to the revision that was saved; what was typed there since stays for the next. */
function noteSaved(sent) {
  const note = JSON.parse(sent).find(([name]) => name === "note")?.[1];
  if (!note || field("note")?.value !== note) return;
  const said = words() === sent;
  field("note").value = "";
  if (said) state.kept = words();
}

/** The entry of the words that were saved goes; words typed meanwhile keep one, at the desk that they are for now. */
async function moved(sent) {
  if (!form()) return [sent.journaled, sent.words].includes(state.journaled) ? emptied() : undefined;
  if (words() === sent.words) await emptied();
  if (entryId() === sent.entry) return;
  journal.hold(entryId());
  if (words() !== sent.words) await toJournal();
  if (words() === state.kept || isJournaled()) await journal.remove(sent.entry).catch(() => {});
}

// --- what the page says -----------------------------------------------------------------------------------------

/** Say what is kept where; read out only when it is of another kind than before. */
export function mark() {
  const place = document.getElementById("kept");
  if (!place || !form()) return;
  const now = words();
  const kind = kindOf(now);
  form().dataset.kept = now === state.kept || now === state.journaled ? "yes" : "no";
  // The last word stands until the next, unless what it offers was done.
  if (kind === "typing" && !["", "saved", "overtaken"].includes(place.dataset.kind ?? "")) return;
  place.setAttribute("aria-live", place.dataset.kind === kind ? "off" : "polite");
  place.dataset.kind = kind;
  place.replaceChildren(...sentence(kind));
}

function kindOf(now) {
  if (now === state.kept) return state.overtaken?.head > Number(field("based_on").value) ? "overtaken" : state.keptAt ? "server" : "saved";
  if (state.stopped) return "stopped";
  if (state.silentSince) return signedOut ? "signed-out" : "journal";
  return "typing";
}

const element = (name, properties) => Object.assign(document.createElement(name), properties);
const here = () => (state.journaled === words() ? "Kept in this browser" : "Not kept yet");

function sentence(kind) {
  if (kind === "server") return [`Kept on the server ${clock(state.keptAt)}`];
  if (kind === "overtaken") return [`Kept on the server ${clock(state.keptAt)}. ${state.overtaken.by} saved revision ${state.overtaken.head} meanwhile. `, element("button", { type: "submit", name: "act", value: "save", className: "button small", textContent: "Compare both" })];
  if (kind === "journal") return [element("b", { className: "over", textContent: `${here()}` }), `; the server has not answered since ${clock(state.silentSince)}`];
  if (kind === "signed-out") return [element("b", { className: "over", textContent: `${here()}` }), "; you are signed out. ", element("a", { href: `/sign-in?next=${encodeURIComponent(location.pathname)}`, target: "_blank", textContent: "Sign in" })];
  if (kind === "stopped") return [element("b", { className: "over", textContent: `${here()}, not on the server. ` }), state.reason];
  return [];
}

// --- opening a page ---------------------------------------------------------------------------------------------

/** Begin with what the server sent: that much is kept, and nobody else is offered the entry of this page. */
export async function begin() {
  if (!form()) return;
  state.kept = wordsAsSent();
  if (words() !== state.kept) typed();
  await journal.hold(entryId());
}

/** The entries of this desk whose page is open no more, in this person's name. */
export const entries = async () => (await journal.orphans(await journal.entriesOf(form().dataset.person, desk()))).filter((entry) => entry.id !== entryId());

/** One after the other closes: the other pages that are open at this desk now. */
export const otherPages = async () => (await journal.pagesAt(`${form().dataset.person} ${desk()} `)).filter((id) => id !== entryId());

/** An entry of another desk as one that was begun on this one, an empty desk, and never saved. */
export function asBegun(entry) {
  const creationKey = random();
  return { ...entry, desk: desk(), creationKey, address: `${new URL(form().action).pathname}/new?key=${creationKey}`, counter: 0, copyKey: "", basedOn: "0" };
}

/** The words on the desk go on from those of a page that was closed, and from the save that it was waiting for. */
export function goesOnFrom(entry) {
  if (entry.copyKey) field("copy_key").value = entry.copyKey;
}

/** These words are being thrown away, by a page that leads to another one: it can bring them back. */
export async function remember(thrown) {
  const entry = { ...entryOf(thrown), id: `${entryId()} thrown`, thrown: true };
  await journal.write(entry).catch(() => {});
  return () => journal.remove(entry.id).catch(() => {});
}

/** Whether nothing was typed since the server had all of it. */
export const isKept = () => words() === state.kept;

window.addEventListener("online", again);
window.addEventListener("focus", again);
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") return again();
  if (form() && !state.attempt) toServer(); // first, so that the entry names it: its answer may find no page
  goes();
});
window.addEventListener("pagehide", goes);

function goes() {
  if (!form()) return;
  if (state.attempt) state.journaled = null; // what was written before that save was begun does not name it
  atOnce(Infinity);
  toJournal();
}

// Somebody signs out, here or in another tab: what is not on the server yet goes there. What they threw away by that is
// in this browser no more, and the page says so.
journal.channel.addEventListener("message", ({ data }) => {
  if (data.person !== form()?.dataset.person) return;
  if (data.act === "send") return flush();
  [state.journaled, state.journalId] = [null, null];
  mark();
});
