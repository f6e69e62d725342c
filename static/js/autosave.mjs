// Nothing is ever lost: what is typed goes to the journal of this browser at once and to the server a second later, one
// save at a time. A save is sent with the same key until it is answered, so that none is done twice; the page says in
// words what is kept where. This module knows the form's fields and no more of the page.
import * as journal from "./journal.mjs";
import htmx from "../vendor/htmx-4.0.1.min.mjs";

const JOURNAL_AFTER = 150;
const SERVER_AFTER = 1000;
const PATIENCE = 20000;
const WAITS = [1000, 2000, 4000, 8000, 15000];
const FIELDS = /^(system|turn_[0-9]+|split|source|language|flags)$/;
const random = () => Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(36).padStart(2, "0")).join("");
export const clock = (when) => new Date(when).toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const form = () => document.querySelector("#desk-form[data-keep]");
const field = (name) => form()?.elements.namedItem(name);
const PAGE = random();

/** The words and what they are for, as one text: the same text says the same. */
export function words() {
  const found = [...new FormData(form())].filter(([name, value]) => FIELDS.test(name) && typeof value === "string");
  return JSON.stringify(found.map(([name, value]) => [name, value.replaceAll("\r\n", "\n")]));
}

const desk = () => form().dataset.example || `new ${location.pathname}`;
const entryId = () => `${form().dataset.person} ${desk()} ${PAGE}`;
const isEmpty = (text) => JSON.parse(text).every(([name, value]) => !/^(system|turn_)/.test(name) || !value.trim());

const state = {
  kept: null, // the words that the server has, in a copy or as a revision
  journaled: null, // the words that are on the disk of this browser
  journalId: null,
  attempt: null, // the save under way: {words, key, follows, basedOn}
  tries: 0,
  silentSince: null,
  stopped: "", // why it makes no sense to send these words again
};

let journalTimer = 0;
let serverTimer = 0;

/** Somebody typed. */
export function typed() {
  if (!form()) return;
  state.stopped = state.stopped === "too long" ? "" : state.stopped;
  if (!journalTimer) journalTimer = setTimeout(toJournal, JOURNAL_AFTER);
  if (!state.attempt && !state.tries) {
    clearTimeout(serverTimer);
    serverTimer = setTimeout(toServer, SERVER_AFTER);
  }
  form().dataset.kept = "no";
}

async function toJournal() {
  journalTimer = 0;
  if (!form()) return;
  const now = words();
  if (now === state.journaled || now === state.kept) return;
  const id = entryId();
  const entry = { id, desk: desk(), person: form().dataset.person, at: Date.now(), words: now, counter: counter(), copyKey: state.attempt?.key ?? "", creationKey: field("key").value, basedOn: field("based_on").value };
  try {
    await journal.write(entry);
    if (state.journalId && state.journalId !== id) await journal.remove(state.journalId);
    [state.journaled, state.journalId] = [now, id];
    mark();
  } catch {
    state.journaled = null; // no room or no leave to store: the server alone keeps the words, and the page does not claim more
  }
}

const counter = () => Number(field("counter").value);

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
  state.attempt ??= { words: now, key: random(), follows: counter(), basedOn: field("based_on").value, to: form().dataset.keep, creationKey: field("key").value };
  state.attempt.settled = false;
  const attempt = state.attempt;
  try {
    const answer = await fetch(attempt.to, { method: "POST", body: bodyOf(attempt), redirect: "manual", signal: AbortSignal.timeout(PATIENCE) });
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
  return body;
}

const textsOf = (text) => JSON.parse(text).filter(([name]) => /^(system|turn_)/.test(name)).map(([, value]) => value);
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
  if (!id) return;
  [state.journalId, state.journaled] = [null, null];
  await journal.remove(id).catch(() => {});
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
  if (state.tries && form()) toServer();
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

/** A save of the form is on its way with these words; autosave waits, so that no copy outlives its revision. */
export function saveBegins() {
  clearTimeout(serverTimer);
  saving = { words: words(), id: state.journalId };
}

/** It was answered: the words are a revision, or they are where they were. */
export async function saveEnds(worked) {
  const sent = saving;
  saving = null;
  if (!sent) return;
  if (worked) {
    state.attempt = null;
    [state.kept, state.keptAt, state.overtaken, state.stopped, state.tries, state.silentSince] = [sent.words, null, null, "", 0, null];
    if (!form() || words() === sent.words) await emptied();
  }
  if (!form()) return;
  if (worked && field("note")) field("note").value = ""; // it belongs to the revision that was saved
  if (words() !== state.kept) typed();
  mark();
}

// --- what the page says -----------------------------------------------------------------------------------------

/** Say what is kept where; read out only when it is of another kind than before. */
export function mark() {
  const place = document.getElementById("kept");
  if (!place || !form()) return;
  const now = words();
  const kind = kindOf(now);
  form().dataset.kept = now === state.kept || now === state.journaled ? "yes" : "no";
  if (kind === "typing" && place.dataset.kind && place.dataset.kind !== "saved") return; // the last word stands until the next
  place.setAttribute("aria-live", place.dataset.kind === kind ? "off" : "polite");
  place.dataset.kind = kind;
  place.replaceChildren(...sentence(kind));
}

function kindOf(now) {
  if (now === state.kept) return state.overtaken ? "overtaken" : state.keptAt ? "server" : "saved";
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

/** Begin with what the server sent: that much is kept. */
export async function begin() {
  if (!form()) return;
  state.kept = words();
  await journal.hold(entryId());
  try {
    const found = await journal.orphans(await journal.entriesOf(form().dataset.person, desk()));
    for (const entry of found) await offer(entry);
  } catch {
    // A browser that stores nothing: the server keeps the words, a second later, and the page claims no more.
  }
}

async function offer(entry) {
  if (!form() || entry.id === entryId()) return;
  if (entry.words === state.kept || isEmpty(entry.words)) return journal.remove(entry.id);
  const begunElsewhere = !form().dataset.example && entry.creationKey !== field("key").value;
  if (begunElsewhere) return offerBegun(entry);
  // Nothing was kept or saved since: the entry is simply newer, and what was being typed goes on.
  const newer = Number(entry.basedOn) === Number(field("based_on").value) && words() === state.kept && (entry.counter === counter() || isAnswered(entry));
  const box = element("div", { className: `note ${newer ? "info" : "warn"} gap-below` });
  const when = clock(entry.at);
  box.append(element("strong", { textContent: newer ? `Your words from ${when} are back` : `Words from ${when} that were not saved` }));
  box.append(newer ? "They had not reached the server; this browser kept them." : "This browser kept them; the server has other words since.");
  const row = element("div", { className: "row gap" });
  const before = state.kept;
  const done = () => { box.remove(); journal.remove(entry.id).catch(() => {}); };
  if (newer) await put(entry.words);
  else row.append(press("Take them", async () => { await put(entry.words); await toJournal(); done(); }));
  row.append(press("Throw away", async () => { if (newer) await put(before); done(); }));
  box.append(row, await difference(entry, before));
  document.getElementById("offers")?.append(box);
  if (newer) {
    await toJournal();
    await journal.remove(entry.id);
  }
}

/** Whether the server's copy is the very save that the entry was waiting for. */
const isAnswered = (entry) => entry.copyKey && entry.counter + 1 === counter();

/** Another example that was begun and is not made yet: it has a desk of its own. The page may offer it already. */
function offerBegun(entry) {
  if (document.querySelector(`#main a[href$="key=${entry.creationKey}"]`)) return;
  const box = element("div", { className: "note info gap-below" });
  const first = textsOf(entry.words).find((value) => value.trim()) ?? "";
  box.append(element("strong", { textContent: `Begun at ${clock(entry.at)} and never saved` }), element("bdi", { textContent: first.trim().slice(0, 120) }));
  const row = element("div", { className: "row gap" });
  row.append(element("a", { className: "button small", href: `?key=${entry.creationKey}`, textContent: "Write on" }));
  row.append(press("Throw away", () => { box.remove(); journal.remove(entry.id).catch(() => {}); }));
  box.append(row);
  document.getElementById("offers")?.append(box);
}

function press(label, act) {
  const button = element("button", { type: "button", className: "button small", textContent: label });
  button.addEventListener("click", act);
  return button;
}

async function difference(entry) {
  const details = element("details", { className: "gap" });
  details.append(element("summary", { className: "small", textContent: "What they change" }));
  const body = new URLSearchParams(JSON.parse(entry.words));
  body.set("key", field("key").value);
  const answer = await fetch(form().dataset.difference, { method: "POST", body }).catch(() => null);
  if (answer?.ok) details.append(...new DOMParser().parseFromString(await answer.text(), "text/html").body.children);
  return answer?.ok ? details : "";
}

/** Put words on the desk; the server draws the places of turns that the desk does not have yet. */
export async function put(text) {
  const found = JSON.parse(text);
  if (found.some(([name]) => !field(name))) await drawTurns(found);
  for (const [name, value] of found) {
    const place = field(name);
    if (place && place.value !== value) place.value = value;
  }
  document.getElementById("turn-1")?.dispatchEvent(new Event("input", { bubbles: true }));
}

async function drawTurns(found) {
  const body = new URLSearchParams(found);
  for (const name of ["key", "based_on", "counter"]) body.set(name, field(name).value);
  const answer = await fetch(form().dataset.preview, { method: "POST", body, headers: { "HX-Request": "true", "HX-Target": "div#turns" } });
  if (!answer.ok) throw new Error("the turns were not drawn");
  const drawn = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("turns");
  document.getElementById("turns").replaceWith(drawn);
  htmx.process(drawn);
}

window.addEventListener("online", again);
window.addEventListener("focus", again);
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") return again();
  if (!form()) return;
  toJournal();
  if (!state.attempt) toServer();
});
window.addEventListener("pagehide", toJournal);
