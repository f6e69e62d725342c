// The journal: what is typed, in this browser, before any server has it. One entry a person, example and page; each is
// written with strict durability and goes once the server has its words. Nobody else's entries are ever read.
const NAME = "handpicked-journal";
const STORE = "words";

let opening = null;

function open() {
  opening ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "id" }).createIndex("desk", "desk");
    request.onsuccess = () => {
      // A browser may close it under an open page, as when somebody clears what this site keeps: it is opened anew.
      request.result.onclose = () => { opening = null; };
      resolve(request.result);
    };
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error("blocked"));
  });
  opening.catch(() => { opening = null; });
  return opening;
}

/** One step in the store; resolved when it is on the disk. */
async function step(mode, act) {
  const database = await open();
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(STORE, mode, { durability: "strict" });
    const result = act(transaction.objectStore(STORE));
    transaction.oncomplete = () => resolve(result?.result);
    transaction.onerror = transaction.onabort = () => reject(transaction.error);
    if (mode === "readwrite") transaction.commit?.();
  });
}

/** An entry: {id, desk, person, address, at, words, about, counter, copyKey, creationKey, basedOn}; the same id again
    takes its place. `about` is what the server had of what the words are for. One with `undo` is a way back from what
    was done on a desk: its words were there before, `after` what it made of them. */
export async function write(entry) {
  await step("readwrite", (store) => store.put(entry));
  forgetAtOnce(entry.id, entry.at);
}

export async function remove(id) {
  forgetAtOnce(id);
  await step("readwrite", (store) => store.delete(id));
}

// A page may go before the store has its last words, and the store gives up what is not done by then. So they are kept
// in the one way that needs no waiting, and the next page takes them into the store.
const LAST = `${NAME}-last `;

export function writeAtOnce(entry) {
  try { localStorage.setItem(LAST + entry.id, JSON.stringify(entry)); } catch {}
}

/** Forget it, unless it is later than the words that the store has. */
function forgetAtOnce(id, until = Infinity) {
  try { if (JSON.parse(localStorage.getItem(LAST + id))?.at <= until) localStorage.removeItem(LAST + id); } catch {}
}

async function takeIn() {
  let left = [];
  try { left = Object.keys(localStorage).filter((key) => key.startsWith(LAST)).map((key) => JSON.parse(localStorage.getItem(key))); } catch {}
  for (const entry of await orphans(left)) {
    const stands = await step("readonly", (store) => store.get(entry.id));
    if (stands?.at > entry.at) forgetAtOnce(entry.id);
    else await write(entry);
  }
}

/** What one person wrote at one desk, the latest first. */
export async function entriesOf(person, desk) {
  await takeIn();
  const found = await step("readonly", (store) => store.index("desk").getAll(desk));
  return found.filter((entry) => entry.person === person).sort((a, b) => b.at - a.at);
}

/** All that one person wrote in this browser and no server has, the latest first. */
export const unsent = async (person) => (await allOf(person)).filter((entry) => !entry.undo).sort((a, b) => b.at - a.at);

async function allOf(person) {
  await takeIn();
  const all = await step("readonly", (store) => store.getAll());
  return all.filter((entry) => entry.person === person);
}

/** Forget these of a person's entries, and every way back: they threw them away. The pages that are open learn of it. */
export async function forget(person, entries) {
  const ways = (await allOf(person)).filter((entry) => entry.undo);
  await Promise.all([...entries, ...ways].map((entry) => remove(entry.id)));
  channel.postMessage({ act: "forgotten", person });
}

/** Between the open pages of this browser: {act, person}. */
export const channel = new BroadcastChannel(NAME);

const HELD = (id) => `handpicked-journal ${id}`;

const held = new Set();

/** While this page lives nobody else is offered its entry. */
export function hold(id) {
  return new Promise((resolve) => {
    if (!navigator.locks || held.has(id)) return resolve();
    held.add(id);
    navigator.locks.request(HELD(id), () => { resolve(); return new Promise(() => {}); }).catch(resolve);
  });
}

/** The entries, written or not, of the pages that are open at a desk. */
export async function pagesAt(prefix) {
  if (!navigator.locks) return [];
  return [...await heldByPages()].filter((name) => name.startsWith(HELD(prefix))).map((name) => name.slice(HELD("").length));
}

/** Resolved once the page of an entry is open no more. */
export const released = (id) => navigator.locks.request(HELD(id), { mode: "shared" }, () => {});

/** The entries among these whose page is open no more. */
export async function orphans(entries) {
  if (!navigator.locks) return entries;
  const names = await heldByPages();
  return entries.filter((entry) => !names.has(HELD(entry.id)));
}

/** The locks of open pages; who waits for one to close shares its lock for a moment. */
async function heldByPages() {
  const { held } = await navigator.locks.query();
  return new Set(held.filter(({ mode }) => mode === "exclusive").map(({ name }) => name));
}
